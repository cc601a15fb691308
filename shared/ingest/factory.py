"""An ingester from settings alone, as a deployed function makes it."""

from sqlalchemy.orm import Session, sessionmaker

from shared.database import make_engine, make_session_factory
from shared.ingest.service import Ingester
from shared.settings import Settings
from shared.store.client import Store

__all__ = ["make_ingester"]


def make_ingester(settings: Settings, sessions: sessionmaker[Session] | None = None) -> Ingester:
    """Return an ingester with a store of its own, and a database of its own unless it is given one."""
    sessions = sessions or make_session_factory(make_engine(settings.effective_database_url, name="fitsvault-ingest"))
    return Ingester(settings, Store(settings), sessions)

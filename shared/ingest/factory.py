"""An ingester from settings alone, as a deployed function makes it."""

from shared.database import make_engine, make_session_factory
from shared.ingest.service import Ingester
from shared.settings import Settings
from shared.store.client import Store

__all__ = ["make_ingester"]


def make_ingester(settings: Settings) -> Ingester:
    """Return an ingester with a store and a database of its own."""
    engine = make_engine(settings.effective_database_url)
    return Ingester(settings, Store(settings), make_session_factory(engine))

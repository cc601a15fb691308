"""What must be there before the first request: the tables, and a superuser."""

from shared.accounts.service import ensure_admin
from shared.database import make_engine, make_session_factory, write
from shared.migrations import upgrade
from shared.settings import Settings

__all__ = ["prepare_database"]


def prepare_database(settings: Settings) -> str | None:
    """Bring the tables to what this version needs, and make the superuser; return his password if one was made up."""
    engine = make_engine(settings.effective_database_url, name="fitsvault-prepare")
    upgrade(engine)
    given = settings.admin_password
    with write(make_session_factory(engine)) as session:
        made = ensure_admin(session, settings.admin_username, given.get_secret_value() if given else None)
    engine.dispose()
    return made

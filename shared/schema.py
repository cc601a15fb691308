"""Which schema this code works with: what functions look at before all else. The versions themselves need Alembic."""

from sqlalchemy import Engine, inspect, select
from sqlalchemy import column as named_column
from sqlalchemy import table as named_table
from sqlalchemy.orm import Session, sessionmaker

from shared.database import make_engine, make_session_factory
from shared.errors import SchemaError
from shared.settings import Settings

__all__ = ["REVISIONS", "check_schema", "current_revision", "function_sessions"]

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010", "0011")
"""The versions in `shared.migrations`, the latest last."""

_VERSION = named_table("alembic_version", named_column("version_num"))


def current_revision(engine: Engine) -> str | None:
    """Return the version of the schema that a database has; None for an empty one."""
    with engine.connect() as connection:
        if not inspect(connection).has_table(_VERSION.name):
            return None
        revision: str | None = connection.scalar(select(_VERSION.c.version_num))
        return revision


def check_schema(engine: Engine) -> None:
    """Make sure that a database has the tables of this version, neither older nor newer ones.

    Raises
    ------
    SchemaError
        It has not.
    """
    found, wanted = current_revision(engine), REVISIONS[-1]
    if found == wanted:
        return
    if found is None or found in REVISIONS:
        raise SchemaError(f"the database's schema is {found or 'missing'}, not {wanted}: run `fitsvault db upgrade`")
    raise SchemaError(f"the database's schema {found} is newer than {wanted}: deploy the version that made it")


def function_sessions(settings: Settings, name: str) -> sessionmaker[Session]:
    """Return the index's sessions for a function, which works with its own schema only; ``name`` as in `make_engine`.

    Raises
    ------
    SchemaError
        The schema is of another version.
    """
    engine = make_engine(settings.effective_database_url, name=name, pool="function")
    check_schema(engine)
    return make_session_factory(engine)

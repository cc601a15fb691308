"""The schema's versions, and the one way to bring a database to the latest.

Alembic runs without an ini file. Any number of processes may start at once: the first takes a lock and migrates, the
others wait for it and find nothing left to do.
"""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine
from sqlalchemy.exc import PendingRollbackError

from shared.migrations.locking import migrating
from shared.schema import current_revision

__all__ = [
    "downgrade",
    "head_revision",
    "make_config",
    "upgrade",
]


def make_config() -> Config:
    """Make Alembic's configuration, which knows where the versions are and nothing else."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


def head_revision() -> str | None:
    """Return the latest version of the schema that this code knows."""
    return ScriptDirectory.from_config(make_config()).get_current_head()


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring a database's schema to a version, by default the latest.

    On SQLite in one transaction; on PostgreSQL as `shared.migrations.online` does it: others go on meanwhile, and an
    upgrade that was broken off is gone on with.

    Raises
    ------
    alembic.util.CommandError
        The database has a version that this code does not know.
    """
    if revision == "head" and current_revision(engine) == head_revision():
        return
    _run(engine, command.upgrade, revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Bring a database's schema back to an earlier version, ``base`` for none; what it does not hold is lost."""
    _run(engine, command.downgrade, revision)


def _run(engine: Engine, operation: Callable[[Config, str], None], revision: str) -> None:
    config = make_config()
    with migrating(engine) as connection:
        config.attributes["connection"] = connection
        try:
            operation(config, revision)
        except PendingRollbackError as error:  # of Alembic, which tidies up a connection that is gone
            raise error.__context__ or error from None

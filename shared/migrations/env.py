"""What Alembic runs for each command: on the connection that it is handed, or on the configured database."""

from alembic import context
from sqlalchemy import Connection

import shared.accounts.models
import shared.index.bundle_jobs
import shared.index.models
import shared.index.tally_models  # noqa: F401 - all make their tables known to Base
from shared.database import Base, make_engine
from shared.migrations.locking import migrating
from shared.settings import settings

__all__ = ["run"]


def run(connection: Connection) -> None:
    """Run the migrations.

    On SQLite all in one transaction, since `shared.database` begins it; on PostgreSQL each in its own.
    """
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        transactional_ddl=True,
        transaction_per_migration=connection.dialect.name == "postgresql",
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


given: Connection | None = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    engine = make_engine(settings().effective_database_url, name="fitsvault-migrate")
    with migrating(engine) as made:
        run(made)
    engine.dispose()

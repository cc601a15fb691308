"""Combinations, names of objects, counts kept by triggers, and an index for every order."""

from alembic import op

from shared.migrations.tallies import postgresql, sqlite

__all__ = ["downgrade", "upgrade"]

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Add tables, columns and indexes, fill them, and begin to count."""
    (sqlite if op.get_bind().dialect.name == "sqlite" else postgresql).upgrade()


def downgrade() -> None:
    """Take them away again."""
    (sqlite if op.get_bind().dialect.name == "sqlite" else postgresql).downgrade()

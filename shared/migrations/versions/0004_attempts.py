"""Attempts to read an object that have begun and not ended."""

import sqlalchemy as sa
from alembic import op

__all__ = ["downgrade", "upgrade"]

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | None = None
depends_on: str | None = None

BYTEWISE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add a table."""
    op.create_table(
        "attempts",
        sa.Column("bucket", BYTEWISE, nullable=False),
        sa.Column("key", BYTEWISE, nullable=False),
        sa.Column("etag", BYTEWISE, nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("begun_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "key", name="pk_attempts"),
    )


def downgrade() -> None:
    """Take it away again."""
    op.drop_table("attempts")

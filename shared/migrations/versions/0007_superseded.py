"""Derived objects that were superseded and are to be deleted."""

import sqlalchemy as sa
from alembic import op

__all__ = ["downgrade", "upgrade"]

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | None = None
depends_on: str | None = None

BYTEWISE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add a table."""
    op.create_table(
        "superseded",
        sa.Column("digest", BYTEWISE, nullable=False),
        sa.Column("bucket", BYTEWISE, nullable=False),
        sa.Column("key", BYTEWISE, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_superseded"),
    )
    op.create_index("ix_superseded_bucket_key", "superseded", ["bucket", "key"])


def downgrade() -> None:
    """Take it away again."""
    op.drop_index("ix_superseded_bucket_key", "superseded")
    op.drop_table("superseded")

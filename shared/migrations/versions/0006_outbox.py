"""What others are still to be told of."""

import sqlalchemy as sa
from alembic import op

__all__ = ["downgrade", "upgrade"]

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | None = None
depends_on: str | None = None

BYTEWISE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
IDENTIFIER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add a table."""
    op.create_table(
        "outbox",
        sa.Column("id", IDENTIFIER, nullable=False),
        sa.Column("target", BYTEWISE, nullable=False),
        sa.Column("event_id", BYTEWISE, nullable=False),
        sa.Column("type", BYTEWISE, nullable=False),
        sa.Column("bucket", BYTEWISE, nullable=False),
        sa.Column("key", BYTEWISE, nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("due_at", sa.DateTime(), nullable=True),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("reason", BYTEWISE, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outbox_due_at_id", "outbox", ["due_at", "id"])
    op.create_index("ix_outbox_bucket_key_target_id", "outbox", ["bucket", "key", "target", "id"])


def downgrade() -> None:
    """Take it away again."""
    op.drop_table("outbox")

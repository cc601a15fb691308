"""Bundles that were ordered: built in the bucket, reused while they live."""

import sqlalchemy as sa
from alembic import op

__all__ = ["downgrade", "upgrade"]

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | None = None
depends_on: str | None = None

BYTEWISE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add a table."""
    op.create_table(
        "bundles",
        sa.Column("id", BYTEWISE, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("digest", BYTEWISE, nullable=False),
        sa.Column("secret", BYTEWISE, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("asked", sa.JSON(), nullable=False),
        sa.Column("frame_ids", sa.JSON(), nullable=False),
        sa.Column("uncompress", sa.Boolean(), nullable=False),
        sa.Column("state", BYTEWISE, nullable=False),
        sa.Column("frames", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("passed", sa.BigInteger(), nullable=False),
        sa.Column("left_out", sa.JSON(), nullable=False),
        sa.Column("key", BYTEWISE, nullable=True),
        sa.Column("crc32", sa.BigInteger(), nullable=True),
        sa.Column("uploads", sa.JSON(), nullable=False),
        sa.Column("reason", BYTEWISE, nullable=True),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("finished_at", sa.DateTime(), nullable=True),
        sa.Column("expires_at", sa.DateTime(), nullable=True),
        sa.Column("due_at", sa.DateTime(), nullable=True),
        sa.Column("owner", BYTEWISE, nullable=True),
        sa.Column("leased_until", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_bundles"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_bundles_user_id_users", ondelete="CASCADE"),
    )
    op.create_index("ix_bundles_user_id_created_at", "bundles", ["user_id", "created_at"])
    op.create_index("ix_bundles_digest", "bundles", ["digest"])
    op.create_index("ix_bundles_due_at", "bundles", ["due_at"])


def downgrade() -> None:
    """Take it away again."""
    op.drop_table("bundles")

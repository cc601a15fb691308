"""Ids and links that frames had in an earlier archive; which of its accounts and tokens were taken over."""

import sqlalchemy as sa
from alembic import op

__all__ = ["downgrade", "upgrade"]

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | None = None
depends_on: str | None = None

BYTEWISE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
IDENTIFIER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add three tables."""
    op.create_table(
        "reservations",
        sa.Column("frame_id", IDENTIFIER, autoincrement=False, nullable=False),
        sa.Column("bucket", BYTEWISE, nullable=False),
        sa.Column("key", BYTEWISE, nullable=False),
        sa.Column("sha256", BYTEWISE, nullable=True),
        sa.PrimaryKeyConstraint("frame_id", name="pk_reservations"),
        sa.UniqueConstraint("bucket", "key", name="uq_reservations_bucket_key"),
    )
    op.create_table(
        "reserved_links",
        sa.Column("frame_id", IDENTIFIER, nullable=False),
        sa.Column("target", BYTEWISE, nullable=False),
        sa.PrimaryKeyConstraint("frame_id", "target", name="pk_reserved_links"),
        sa.ForeignKeyConstraint(
            ["frame_id"],
            ["reservations.frame_id"],
            name="fk_reserved_links_frame_id_reservations",
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "account_imports",
        sa.Column("item", sa.String(200), nullable=False),
        sa.Column("imported_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("item", name="pk_account_imports"),
    )


def downgrade() -> None:
    """Take them away again."""
    for table in ("account_imports", "reserved_links", "reservations"):
        op.drop_table(table)

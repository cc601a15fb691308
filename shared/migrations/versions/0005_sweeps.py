"""Sweeps: comparisons of bucket and index, cut into ranges that workers share and go on with."""

import sqlalchemy as sa
from alembic import op

__all__ = ["downgrade", "upgrade"]

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | None = None
depends_on: str | None = None

BYTEWISE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add two tables."""
    op.create_table(
        "sweeps",
        sa.Column("id", ID, nullable=False),
        sa.Column("bucket", BYTEWISE, nullable=False),
        sa.Column("prefix", BYTEWISE, nullable=False),
        sa.Column("scope", BYTEWISE, nullable=False),
        sa.Column("begun_at", sa.DateTime(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_sweeps"),
        sa.UniqueConstraint("bucket", "prefix", "scope", name="uq_sweeps_bucket_prefix_scope"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "sweep_ranges",
        sa.Column("id", ID, nullable=False),
        sa.Column("sweep_id", ID, nullable=False),
        sa.Column("part", BYTEWISE, nullable=False),
        sa.Column("after", BYTEWISE, nullable=False),
        sa.Column("until", BYTEWISE, nullable=True),
        sa.Column("position", BYTEWISE, nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("owner", BYTEWISE, nullable=True),
        sa.Column("leased_until", sa.DateTime(), nullable=True),
        sa.Column("done_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_sweep_ranges"),
        sa.ForeignKeyConstraint(
            ["sweep_id"], ["sweeps.id"], name="fk_sweep_ranges_sweep_id_sweeps", ondelete="CASCADE"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_sweep_ranges_sweep_id", "sweep_ranges", ["sweep_id"])


def downgrade() -> None:
    """Take them away again."""
    op.drop_table("sweep_ranges")
    op.drop_table("sweeps")

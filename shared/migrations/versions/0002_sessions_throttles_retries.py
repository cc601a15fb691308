"""Sessions of people, wrong passwords, failures that shall be tried again, rows of a frame's catalogue."""

import sqlalchemy as sa
from alembic import op

__all__ = ["downgrade", "upgrade"]

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Add two tables and two columns.

    Columns are added in place: Alembic's batch mode would drop the table of frames, and with it all links.
    """
    op.create_table(
        "sessions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.CHAR(64), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_sessions_user_id_users", ondelete="CASCADE"),
        sa.UniqueConstraint("digest", name="uq_sessions_digest"),
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.create_table(
        "throttles",
        sa.Column("subject", sa.CHAR(64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(), nullable=False),
        sa.Column("blocked_until", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name="pk_throttles"),
    )
    op.create_index("ix_throttles_last_at", "throttles", ["last_at"])
    op.add_column("frames", sa.Column("catalog_rows", sa.BigInteger(), nullable=True))
    op.add_column("failures", sa.Column("retry_at", sa.DateTime(), nullable=True))
    op.create_index("ix_failures_retry_at", "failures", ["retry_at"])


def downgrade() -> None:
    """Take them away again."""
    op.drop_index("ix_failures_retry_at", "failures")
    op.drop_column("failures", "retry_at")
    op.drop_column("frames", "catalog_rows")
    op.drop_table("throttles")
    op.drop_table("sessions")

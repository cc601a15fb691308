"""An index of cells of the sky by time, with all that a search by position looks at."""

from alembic import op

from shared.migrations.online import autocommitting, drop_index, has_rows, make_index

__all__ = ["downgrade", "upgrade"]

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | None = None
depends_on: str | None = None

OLD, NEW = "ix_frames_sky_cell", "ix_frames_sky_cell_date_obs"
COLUMNS = {OLD: ["sky_cell"], NEW: ["sky_cell", "date_obs", "id", "vector_x", "vector_y", "vector_z"]}


def upgrade() -> None:
    """Make it in place of that of cells alone."""
    _replace(OLD, NEW)


def downgrade() -> None:
    """Take it back."""
    _replace(NEW, OLD)


def _replace(old: str, new: str) -> None:
    """Make an index, then drop another; on PostgreSQL while others read and write."""
    if op.get_bind().dialect.name != "postgresql":
        op.create_index(new, "frames", COLUMNS[new])
        op.drop_index(old, "frames")
        return
    with autocommitting() as connection:
        is_full = has_rows(connection, "frames")
        make_index(connection, new, f"frames ({', '.join(COLUMNS[new])})", concurrently=is_full)
        drop_index(connection, old, concurrently=is_full)

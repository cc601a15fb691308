"""Keys that cut a bucket's frames into parts of the same size."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.index.models import Frame
from shared.index.walk import begins_with

__all__ = ["count_frames", "key_quantiles"]


def count_frames(session: Session, bucket: str, *, prefix: str = "") -> int:
    """Return how many frames a bucket has."""
    statement = select(func.count()).select_from(Frame).where(Frame.bucket == bucket)
    return session.scalar(statement.where(*begins_with(Frame.key, prefix))) or 0


def key_quantiles(session: Session, bucket: str, *, prefix: str = "", step: int) -> Sequence[str]:
    """Return the key of every frame that is the ``step``-th in order, but not the last: one walk over an index."""
    chosen = select(Frame.key, func.row_number().over(order_by=Frame.key).label("number")).where(
        Frame.bucket == bucket, *begins_with(Frame.key, prefix)
    )
    numbered = chosen.subquery()
    last = select(func.max(numbered.c.number)).scalar_subquery()
    statement = select(numbered.c.key).where(numbered.c.number % step == 0, numbered.c.number < last)
    return session.scalars(statement.order_by(numbered.c.key)).all()

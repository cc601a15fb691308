"""Frames by the beginning of their keys: a range of the index of keys, looked at up to a bound."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.index.models import Frame
from shared.index.shown import SHOWN, ShownFrame
from shared.index.walk import begins_with

__all__ = ["page_by_key"]


def page_by_key(
    session: Session, bucket: str, prefix: str, *, limit: int, offset: int = 0, reach: int
) -> tuple[int, tuple[ShownFrame, ...]]:
    """Return how many frames have keys that begin with ``prefix``, ``reach`` at most, and a page of them by key."""
    wanted = (Frame.bucket == bucket, *begins_with(Frame.key, prefix))
    seen = select(Frame.id).where(*wanted).limit(reach).subquery()
    count = session.scalar(select(func.count()).select_from(seen)) or 0
    rows = session.execute(select(*SHOWN).where(*wanted).order_by(Frame.key).limit(limit).offset(min(offset, reach)))
    return count, tuple(ShownFrame._make(row) for row in rows)

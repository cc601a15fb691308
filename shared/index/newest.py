"""What came last: asked often, and answered from the end of an index."""

import datetime as dt

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.index.models import Frame

__all__ = ["latest_night", "newest_id"]


def latest_night(session: Session) -> dt.date | None:
    """Return the latest night of which there are frames."""
    return session.scalar(select(func.max(Frame.night)))


def newest_id(session: Session) -> int:
    """Return the id of the frame that was archived last; 0 if there is none."""
    return session.scalar(select(func.max(Frame.id))) or 0

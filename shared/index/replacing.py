"""What replacing a frame's object needs of the index: who has the name, and an id that is not lost on the way."""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from shared.index.models import Frame, Reservation
from shared.index.reservations import ReservedFrame, reserve

__all__ = ["frames_named", "keep_id", "release_id"]


def frames_named(session: Session, bucket: str, basename: str) -> Sequence[tuple[int, str]]:
    """Return ids and keys of the frames that have a basename, the oldest first."""
    statement = select(Frame.id, Frame.key).where(Frame.bucket == bucket, Frame.basename == basename)
    return [(row.id, row.key) for row in session.execute(statement.order_by(Frame.id))]


def keep_id(session: Session, bucket: str, key: str, frame_id: int) -> bool:
    """See to it that the next frame of an object gets this id; False if the object has an id reserved already.

    Needs a transaction that writes.
    """
    held = select(Reservation.frame_id).where(
        (Reservation.frame_id == frame_id) | ((Reservation.bucket == bucket) & (Reservation.key == key))
    )
    if session.scalars(held).first() is not None:
        return False
    reserve(session, bucket, [ReservedFrame(frame_id, key, None)])
    return True


def release_id(session: Session, frame_id: int) -> None:
    """Take back what `keep_id` did."""
    session.execute(delete(Reservation).where(Reservation.frame_id == frame_id))

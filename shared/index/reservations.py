"""Ids and links that frames had in an earlier archive, kept for whenever their objects are indexed."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import BindParameter, and_, bindparam, delete, exists, func, insert, literal, or_, select, text, update
from sqlalchemy.orm import Session, aliased

from shared.index.models import Frame, FrameLink, Reservation, ReservedLink
from shared.index.text import clean_text

__all__ = [
    "LINK_KEYWORD",
    "BroughtFrame",
    "ReservedFrame",
    "add_reserved_links",
    "continue_ids_above",
    "find_brought",
    "find_conflicts",
    "reserve",
    "reserved_id",
    "settle_reserved",
]

LINK_KEYWORD = "PYOBS-RELATED"
"""What stands in for a keyword in links that no header gave; longer than any FITS keyword."""


_BUCKET: BindParameter[str] = bindparam("bucket")
_KEY: BindParameter[str] = bindparam("key")
_OTHER = aliased(Frame)
_TAKEN = exists().where(_OTHER.id == Reservation.frame_id, or_(_OTHER.bucket != _BUCKET, _OTHER.key != _KEY))
_KEPT = select(Reservation.frame_id).where(Reservation.bucket == _BUCKET, Reservation.key == _KEY, ~_TAKEN)
"""Made once, for it is asked with each frame."""


@dataclass(frozen=True, slots=True)
class ReservedFrame:
    """A frame as the earlier archive knew it.

    ``sha256`` is of its bytes, None if they are not there; ``targets`` are the basenames of related frames.
    """

    frame_id: int
    key: str
    sha256: str | None
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BroughtFrame:
    """A frame that is here with the bytes and the id of the earlier archive. ``uploaded`` is naive UTC."""

    sha256: str
    size: int
    uploaded: dt.datetime

    def is_of(self, size: int, modified: float) -> bool:
        """Tell whether a file of so many bytes, last modified then (Unix time), must be the one that was brought."""
        changed = dt.datetime.fromtimestamp(modified, dt.UTC).replace(tzinfo=None)
        return size == self.size and changed < self.uploaded


def find_conflicts(session: Session, bucket: str, frames: Sequence[ReservedFrame]) -> dict[int, str]:
    """Return why ids cannot be reserved: another object has the id, or the object has another one reserved."""
    ids, keys = [frame.frame_id for frame in frames], [frame.key for frame in frames]
    wanted = {frame.frame_id: (bucket, frame.key) for frame in frames}
    taken: dict[int, str] = {}
    for table, id_ in ((Frame, Frame.id), (Reservation, Reservation.frame_id)):
        for frame_id, *place in session.execute(select(id_, table.bucket, table.key).where(id_.in_(ids))):
            if wanted[frame_id] != tuple(place):
                taken[frame_id] = f"its id belongs to {'/'.join(place)} here"
    theirs = select(Reservation.key, Reservation.frame_id).where(
        Reservation.bucket == bucket, Reservation.key.in_(keys)
    )
    holders: dict[str, int] = {row.key: row.frame_id for row in session.execute(theirs)}
    for frame in frames:
        holder = holders.setdefault(frame.key, frame.frame_id)
        if holder != frame.frame_id:
            taken[frame.frame_id] = f"frame {holder} has the same file"
    return taken


def find_brought(session: Session, bucket: str, keys: Sequence[str]) -> dict[str, BroughtFrame]:
    """Return by key the frames that are here already, with id and bytes as they were reserved."""
    same = and_(Reservation.frame_id == Frame.id, Reservation.sha256 == Frame.sha256)
    known = select(Frame.key, Frame.sha256, Frame.size, Frame.last_modified).join(Reservation, same)
    rows = session.execute(known.where(Frame.bucket == bucket, Frame.key.in_(keys)))
    return {key: BroughtFrame(sha256, size, uploaded) for key, sha256, size, uploaded in rows}


def reserve(session: Session, bucket: str, frames: Sequence[ReservedFrame]) -> None:
    """Reserve ids and links, in place of what was reserved for these frames before.

    A frame that is indexed already under another id gets the reserved one. There must be no conflicts, and
    `continue_ids_above` must have been called; needs a transaction that writes.
    """
    if not frames:
        return
    session.execute(delete(Reservation).where(Reservation.frame_id.in_([frame.frame_id for frame in frames])))
    session.execute(
        insert(Reservation),
        [{"frame_id": f.frame_id, "bucket": bucket, "key": f.key, "sha256": f.sha256} for f in frames],
    )
    links = [
        {"frame_id": frame.frame_id, "target": target}
        for frame in frames
        for target in dict.fromkeys(clean_text(target) for target in frame.targets if target)
    ]
    if links:
        session.execute(insert(ReservedLink), links)
    settle_reserved(session, bucket, [frame.key for frame in frames])


def settle_reserved(session: Session, bucket: str, keys: Sequence[str]) -> None:
    """Give frames that are indexed already the ids and links that are reserved for them."""
    indexed = (
        select(Frame.id, Reservation.frame_id, Frame.key, Frame.sha256)
        .join(Reservation, and_(Reservation.bucket == Frame.bucket, Reservation.key == Frame.key))
        .where(Frame.bucket == bucket, Frame.key.in_(keys))
    )
    for frame_id, reserved, key, sha256 in session.execute(indexed).all():
        if frame_id != reserved:
            if reserved_id(session, bucket, key) is None:
                continue
            _change_id(session, frame_id, reserved)
        add_reserved_links(session, reserved, sha256)


def reserved_id(session: Session, bucket: str, key: str) -> int | None:
    """Return the id that is kept for the frame of an object; None if there is none, or another frame has it."""
    return session.scalar(_KEPT, {"bucket": bucket, "key": key})


def add_reserved_links(session: Session, frame_id: int, sha256: str) -> None:
    """Give a frame the links that are kept for it, if its bytes are still those of the earlier archive."""
    same_bytes = or_(Reservation.sha256.is_(None), Reservation.sha256 == sha256)
    kept = (
        select(literal(frame_id), literal(LINK_KEYWORD), ReservedLink.target)
        .join(Reservation, Reservation.frame_id == ReservedLink.frame_id)
        .where(Reservation.frame_id == frame_id, same_bytes)
    )
    columns = [FrameLink.frame_id, FrameLink.keyword, FrameLink.target]
    session.execute(delete(FrameLink).where(FrameLink.frame_id == frame_id, FrameLink.keyword == LINK_KEYWORD))
    session.execute(insert(FrameLink).from_select(columns, kept))


def continue_ids_above(session: Session, number: int) -> None:
    """See to it that the ids of new frames are all above ``number``; needs a transaction that writes."""
    if session.get_bind().dialect.name != "postgresql":
        bound = {"number": number}
        session.execute(text("UPDATE sqlite_sequence SET seq = max(seq, :number) WHERE name = 'frames'"), bound)
        session.execute(
            text(
                "INSERT INTO sqlite_sequence (name, seq) SELECT 'frames', :number"
                " WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'frames')"
            ),
            bound,
        )
        return
    # Nobody may draw an id between the look and the change, nor have drawn one that is not to be seen yet.
    session.execute(text("LOCK TABLE frames IN SHARE ROW EXCLUSIVE MODE"))
    sequence = func.pg_get_serial_sequence("frames", "id")
    session.execute(select(func.setval(sequence, func.greatest(func.nextval(sequence), number))))


def _change_id(session: Session, old: int, new: int) -> None:
    """Change a frame's id; its links are taken off meanwhile, since they point to it."""
    links = session.execute(
        delete(FrameLink).where(FrameLink.frame_id == old).returning(FrameLink.keyword, FrameLink.target)
    ).all()
    session.execute(
        update(Frame).where(Frame.id == old).values(id=new), execution_options={"synchronize_session": False}
    )
    if links:
        rows = [{"frame_id": new, "keyword": keyword, "target": target} for keyword, target in links]
        session.execute(insert(FrameLink), rows)

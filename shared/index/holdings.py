"""What the index says that the store holds: walked to be compared with what is really there."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from shared.index.models import Frame
from shared.index.walk import walk_keys

__all__ = ["DerivedOwner", "SummedObject", "find_owner", "find_owners", "walk_owners", "walk_sums"]

_OWNER = (Frame.digest.label("key"), Frame.bucket, Frame.key.label("object_key"))
_SUMS = (Frame.key, Frame.etag, Frame.version_id, Frame.size, Frame.last_modified, Frame.crc32, Frame.sha256)


@dataclass(frozen=True, slots=True)
class DerivedOwner:
    """A frame's object, and the digest under which its derived objects stand."""

    digest: str
    bucket: str
    key: str


@dataclass(frozen=True, slots=True)
class SummedObject:
    """An object with the checksums that its bytes had when it was indexed."""

    key: str
    etag: str
    version_id: str | None
    size: int
    last_modified: dt.datetime
    crc32: int
    sha256: str


def walk_owners(source: sessionmaker[Session], *, after: str = "", batch: int = 1000) -> Iterator[DerivedOwner]:
    """Walk the frames of all buckets by digest, which is the order of their derived objects' keys."""
    for row in walk_keys(source, select(*_OWNER), Frame.digest, "", after, batch):
        yield DerivedOwner(*row)


def find_owner(session: Session, digest: str) -> DerivedOwner | None:
    """Return the frame to which the derived objects under ``digest`` belong."""
    row = session.execute(select(*_OWNER).where(Frame.digest == digest).limit(1)).one_or_none()
    return DerivedOwner(*row) if row is not None else None


def find_owners(session: Session, digests: Sequence[str]) -> dict[str, DerivedOwner]:
    """Return the frames to which derived objects belong, by digest."""
    rows = session.execute(select(*_OWNER).where(Frame.digest.in_(digests)))
    return {row.key: DerivedOwner(*row) for row in rows}


def walk_sums(
    source: sessionmaker[Session], bucket: str, *, prefix: str = "", batch: int = 1000
) -> Iterator[SummedObject]:
    """Walk the frames of a bucket in the byte order of their keys."""
    for row in walk_keys(source, select(*_SUMS).where(Frame.bucket == bucket), Frame.key, prefix, "", batch):
        yield SummedObject(*row)

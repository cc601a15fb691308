"""The tables of the index. Times are naive UTC, angles degrees, exposure times seconds, sizes bytes or pixels."""

import datetime as dt
from typing import Annotated, Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from shared.database import Base

__all__ = [
    "BYTEWISE",
    "SORTED",
    "Attempt",
    "Combination",
    "Failure",
    "Frame",
    "FrameLink",
    "NameShape",
    "ObjectName",
    "OutboxMessage",
    "Reservation",
    "ReservedLink",
    "Superseded",
    "Sweep",
    "SweepRange",
]

BYTEWISE = Text().with_variant(Text(collation="C"), "postgresql")
"""Text that compares and sorts by its UTF-8 bytes, which is by code point, on every database."""

Identifier = Annotated[int, mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)]
Bytewise = Annotated[str, mapped_column(BYTEWISE)]
Long = Annotated[int, mapped_column(BigInteger)]


SORTED = (
    "date_obs",
    "night",
    "basename",
    "key",
    "site",
    "telescope",
    "instrument",
    "image_type",
    "filter_name",
    "binning",
    "x_binning",
    "y_binning",
    "reduction_level",
    "object_name",
    "exposure_time",
    "ra",
    "dec",
    "altitude",
    "azimuth",
    "focus",
    "sun_altitude",
    "sun_distance",
    "moon_altitude",
    "moon_fraction",
    "moon_distance",
    "x_origin",
    "y_origin",
    "width",
    "height",
    "data_mean",
    "request_number",
    "observation_number",
)
"""Columns that have an index to sort by, with the id behind it for ties."""


class Combination(Base):
    """A combination of values that frames have: some thousands of them stand for any number of frames.

    ``signature`` is the values as one text, since null is never equal to null. ``dated`` and ``undated`` are the frames
    with and without date that have it, but for the changes in `shared.index.tallies.TallyChange`.
    """

    __tablename__ = "combinations"
    __table_args__ = (UniqueConstraint("signature"), {"sqlite_autoincrement": True})

    id: Mapped[Identifier]
    signature: Mapped[Bytewise]
    site: Mapped[Bytewise | None]
    telescope: Mapped[Bytewise | None]
    instrument: Mapped[Bytewise | None]
    image_type: Mapped[Bytewise | None]
    filter_name: Mapped[Bytewise | None]
    binning: Mapped[Bytewise]
    reduction_level: Mapped[Long]
    dated: Mapped[Long]
    undated: Mapped[Long]


class ObjectName(Base):
    """An object's name as frames have it; counts as in `Combination`."""

    __tablename__ = "object_names"
    __table_args__ = (UniqueConstraint("name"), {"sqlite_autoincrement": True})

    id: Mapped[Identifier]
    name: Mapped[Bytewise]
    folded: Mapped[Bytewise]
    dated: Mapped[Long]
    undated: Mapped[Long]


class NameShape(Base):
    """A shape that folded basenames have (`shared.index.shapes`); counts as in `Combination`.

    Names that have too little in common, such as random ones, would fill this table: it does not grow beyond a limit,
    and later frames with other shapes have none.
    """

    __tablename__ = "name_shapes"
    __table_args__ = (UniqueConstraint("shape"), {"sqlite_autoincrement": True})

    id: Mapped[Identifier]
    shape: Mapped[Bytewise]
    dated: Mapped[Long]
    undated: Mapped[Long]


class Frame(Base):
    """One object of the science bucket; the columns of `shared.index.record.FrameRecord` and what is made of them.

    ``binning`` counts an unknown axis as 1. ``object_folded`` and ``basename_folded`` are for searches that ignore
    case. The unit vector, ``dec_zone`` (see `shared.index.cone`) and ``sky_cell`` (`shared.index.sky`) are for searches
    by position. Triggers write each change of what is counted to ``tally_changes``.
    """

    __tablename__ = "frames"
    __table_args__ = (
        UniqueConstraint("bucket", "key"),
        Index(None, "digest"),
        Index(None, "dec_zone", "ra"),
        Index("ix_frames_sky_cell_date_obs", "sky_cell", "date_obs", "id", "vector_x", "vector_y", "vector_z"),
        Index(None, "combination_id", "date_obs"),
        Index(None, "object_id", "date_obs"),
        Index(None, "shape_id"),
        *(Index(None, column, "id") for column in SORTED),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[Identifier]
    ingested_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]

    bucket: Mapped[Bytewise]
    key: Mapped[Bytewise]
    version_id: Mapped[Bytewise | None]
    etag: Mapped[Bytewise]
    size: Mapped[Long]
    last_modified: Mapped[dt.datetime]
    crc32: Mapped[Long]
    sha256: Mapped[Bytewise]
    digest: Mapped[Bytewise]
    basename: Mapped[Bytewise]
    basename_folded: Mapped[Bytewise]
    filename: Mapped[Bytewise]

    site: Mapped[Bytewise | None]
    telescope: Mapped[Bytewise | None]
    instrument: Mapped[Bytewise | None]
    image_type: Mapped[Bytewise | None]
    image_class: Mapped[Bytewise]
    object_name: Mapped[Bytewise | None]
    object_folded: Mapped[Bytewise | None]
    filter_name: Mapped[Bytewise | None]
    exposure_time: Mapped[float | None]
    date_obs: Mapped[dt.datetime | None]
    night: Mapped[dt.date | None]
    binning: Mapped[Bytewise]
    x_binning: Mapped[Long | None]
    y_binning: Mapped[Long | None]
    reduction_level: Mapped[Long]
    proposal_id: Mapped[Bytewise | None]
    public_date: Mapped[dt.datetime | None]
    origin_name: Mapped[Bytewise | None]
    request_number: Mapped[Bytewise | None]
    observation_number: Mapped[Bytewise | None]

    ra: Mapped[float | None]
    dec: Mapped[float | None]
    dec_zone: Mapped[int | None]
    vector_x: Mapped[float | None]
    vector_y: Mapped[float | None]
    vector_z: Mapped[float | None]
    sky_cell: Mapped[int | None]
    footprint: Mapped[list[list[float]] | None] = mapped_column(JSON(none_as_null=True))

    altitude: Mapped[float | None]
    azimuth: Mapped[float | None]
    focus: Mapped[float | None]
    sun_altitude: Mapped[float | None]
    sun_distance: Mapped[float | None]
    moon_altitude: Mapped[float | None]
    moon_fraction: Mapped[float | None]
    moon_distance: Mapped[float | None]
    x_origin: Mapped[Long | None]
    y_origin: Mapped[Long | None]
    width: Mapped[Long | None]
    height: Mapped[Long | None]
    data_mean: Mapped[float | None]

    combination_id: Mapped[int | None] = mapped_column(BigInteger().with_variant(Integer, "sqlite"))
    object_id: Mapped[int | None] = mapped_column(BigInteger().with_variant(Integer, "sqlite"))
    shape_id: Mapped[int | None] = mapped_column(BigInteger().with_variant(Integer, "sqlite"))

    hdu_count: Mapped[Long]
    hdu_kinds: Mapped[list[str]] = mapped_column(JSON)
    science_hdu: Mapped[Long]
    container: Mapped[Bytewise]
    checksum: Mapped[Bytewise]
    notes: Mapped[list[str]] = mapped_column(JSON)
    catalog_rows: Mapped[Long | None]


class FrameLink(Base):
    """A frame's link to another by basename; the target need not be there (yet)."""

    __tablename__ = "frame_links"
    __table_args__ = (Index(None, "target"),)

    frame_id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), ForeignKey(Frame.id, ondelete="CASCADE"), primary_key=True
    )
    keyword: Mapped[str] = mapped_column(BYTEWISE, primary_key=True)
    target: Mapped[str] = mapped_column(BYTEWISE, primary_key=True)


class Failure(Base):
    """An object that could not be indexed: why, how often it was tried, and when first and last.

    ``retry_at`` is when the next attempt is due: by itself after trouble that may pass, or since somebody asked for it.
    """

    __tablename__ = "failures"
    __table_args__ = (
        UniqueConstraint("bucket", "key"),
        Index(None, "last_at", "id"),
        Index(None, "retry_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[Identifier]
    bucket: Mapped[Bytewise]
    key: Mapped[Bytewise]
    version_id: Mapped[Bytewise | None]
    etag: Mapped[Bytewise | None]
    size: Mapped[Long | None]
    kind: Mapped[Bytewise]
    message: Mapped[Bytewise]
    attempts: Mapped[Long]
    first_at: Mapped[dt.datetime]
    last_at: Mapped[dt.datetime]
    retry_at: Mapped[dt.datetime | None]


class Reservation(Base):
    """The id that the frame of an object gets whenever it is indexed: it had that id in an earlier archive.

    ``sha256`` is of the bytes that were brought along, null if they were not there.
    """

    __tablename__ = "reservations"
    __table_args__ = (UniqueConstraint("bucket", "key"),)

    frame_id: Mapped[Identifier] = mapped_column(autoincrement=False)
    bucket: Mapped[Bytewise]
    key: Mapped[Bytewise]
    sha256: Mapped[Bytewise | None]


class ReservedLink(Base):
    """A link of the earlier archive, by basename; it belongs to the frame as long as its bytes are the same."""

    __tablename__ = "reserved_links"

    frame_id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"),
        ForeignKey(Reservation.frame_id, ondelete="CASCADE"),
        primary_key=True,
    )
    target: Mapped[str] = mapped_column(BYTEWISE, primary_key=True)


class Attempt(Base):
    """Attempts to read an object that have begun and not ended: under way now, or their process was killed."""

    __tablename__ = "attempts"

    bucket: Mapped[str] = mapped_column(BYTEWISE, primary_key=True)
    key: Mapped[str] = mapped_column(BYTEWISE, primary_key=True)
    etag: Mapped[Bytewise]
    count: Mapped[Long]
    begun_at: Mapped[dt.datetime]


class Sweep(Base):
    """The latest comparison of bucket and index below a prefix; ``ended_at`` is null while it goes on.

    ``scope`` tells sweeps of all things from scans for new objects.
    """

    __tablename__ = "sweeps"
    __table_args__ = (UniqueConstraint("bucket", "prefix", "scope"), {"sqlite_autoincrement": True})

    id: Mapped[Identifier]
    bucket: Mapped[Bytewise]
    prefix: Mapped[Bytewise]
    scope: Mapped[Bytewise]
    begun_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]


class SweepRange(Base):
    """A part of a sweep that one worker does at a time.

    It goes from ``after`` (exclusive) to ``until`` (inclusive, null for no end) and is done up to ``position``. The
    worker ``owner`` has it until ``leased_until``; whoever comes later goes on.
    """

    __tablename__ = "sweep_ranges"
    __table_args__ = (Index(None, "sweep_id"), {"sqlite_autoincrement": True})

    id: Mapped[Identifier]
    sweep_id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), ForeignKey(Sweep.id, ondelete="CASCADE")
    )
    part: Mapped[Bytewise]
    after: Mapped[Bytewise]
    until: Mapped[Bytewise | None]
    position: Mapped[Bytewise]
    counts: Mapped[dict[str, int]] = mapped_column(JSON)
    owner: Mapped[Bytewise | None]
    leased_until: Mapped[dt.datetime | None]
    done_at: Mapped[dt.datetime | None]


class OutboxMessage(Base):
    """What one target is still to be told of an object; `id` gives the order in which it became so.

    ``due_at`` is when the next attempt may begin, which a claim puts off; null when there will be none any more.
    ``attempts`` counts those that have begun, ``reason`` is why the last one failed.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        Index(None, "due_at", "id"),
        Index(None, "bucket", "key", "target", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[Identifier]
    target: Mapped[Bytewise]
    event_id: Mapped[Bytewise]
    type: Mapped[Bytewise]
    bucket: Mapped[Bytewise]
    key: Mapped[Bytewise]
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[dt.datetime]
    due_at: Mapped[dt.datetime | None]
    attempts: Mapped[Long]
    reason: Mapped[Bytewise | None]


class Superseded(Base):
    """Derived objects, by their digest, that belong to no frame any more and are still to be deleted."""

    __tablename__ = "superseded"
    __table_args__ = (Index(None, "bucket", "key"),)

    digest: Mapped[str] = mapped_column(BYTEWISE, primary_key=True)
    bucket: Mapped[Bytewise]
    key: Mapped[Bytewise]

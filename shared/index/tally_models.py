"""Tables of counts: how many frames there are, by what they are asked for.

Days and nights are counted from 1970-01-01, `NO_DAY` where a frame has none.
"""

from typing import Annotated

from sqlalchemy import BigInteger, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from shared.database import Base
from shared.index.models import Frame

__all__ = ["NO_DAY", "TallyChange", "TallyDay", "TallyMonth", "TallyName", "TallyPair", "TallySky"]

NO_DAY = -10_000_000

Identifier = Annotated[int, mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)]
Part = Annotated[
    int, mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False)
]
SmallPart = Annotated[int, mapped_column(Integer, primary_key=True, autoincrement=False)]
Count = Annotated[int, mapped_column(BigInteger)]


class TallyDay(Base):
    """Frames of a combination by day of observation and night; combination 0 stands for all of them."""

    __tablename__ = "tally_days"
    __table_args__ = (
        Index(None, "day", "combination_id"),
        Index(None, "night", "combination_id"),
        {"sqlite_with_rowid": False},
    )

    combination_id: Mapped[Part]
    day: Mapped[SmallPart]
    night: Mapped[SmallPart]
    frames: Mapped[Count]


class TallyMonth(Base):
    """Frames of an object by month of observation, counted from January 1970; frames without date are not in it."""

    __tablename__ = "tally_months"
    __table_args__ = ({"sqlite_with_rowid": False},)

    object_id: Mapped[Part]
    month: Mapped[SmallPart]
    frames: Mapped[Count]


class TallyPair(Base):
    """Frames of an object in a combination, with and without date."""

    __tablename__ = "tally_pairs"
    __table_args__ = ({"sqlite_with_rowid": False},)

    object_id: Mapped[Part]
    combination_id: Mapped[Part]
    dated: Mapped[Count]
    undated: Mapped[Count]


class TallyName(Base):
    """Frames of a shape of basenames in a combination, with and without date."""

    __tablename__ = "tally_names"
    __table_args__ = ({"sqlite_with_rowid": False},)

    shape_id: Mapped[Part]
    combination_id: Mapped[Part]
    dated: Mapped[Count]
    undated: Mapped[Count]


class TallySky(Base):
    """Frames in a cell of the sky (`shared.index.sky`), with and without date."""

    __tablename__ = "tally_sky"
    __table_args__ = ({"sqlite_with_rowid": False},)

    cell: Mapped[SmallPart]
    dated: Mapped[Count]
    undated: Mapped[Count]


class TallyChange(Base):
    """A frame that came (1) or went (-1) and is not in the other tables yet. Triggers write it, nobody changes it."""

    __tablename__ = "tally_changes"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[Identifier]
    combination_id: Mapped[int | None] = mapped_column(BigInteger().with_variant(Integer, "sqlite"))
    object_id: Mapped[int | None] = mapped_column(BigInteger().with_variant(Integer, "sqlite"))
    day: Mapped[int]
    night: Mapped[int]
    month: Mapped[int]
    sky_cell: Mapped[int | None]
    frames: Mapped[int]
    shape_id: Mapped[int | None] = mapped_column(BigInteger().with_variant(Integer, "sqlite"))


Frame.__table__.add_is_dependent_on(TallyChange.__table__)  # type: ignore[attr-defined]

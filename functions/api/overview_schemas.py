"""What the answers about all frames found look like, for the OpenAPI document."""

import datetime as dt

from pydantic import BaseModel, Field

__all__ = ["FacetCounts", "Nights", "SkyMap"]

_COMPLETE = "Whether all of it was counted. If not, too much would have to be read."


class FacetValue(BaseModel):
    """A value, and how many frames choosing it would leave; null where that was not counted."""

    value: str
    count: int | None


class LevelValue(BaseModel):
    """A reduction level, and how many frames choosing it would leave."""

    value: int
    count: int | None


class FacetCounts(BaseModel):
    """Values to choose from, sorted by code point; of each list the filter's own condition is left out."""

    complete: bool = Field(description=f"{_COMPLETE} Counts are null then, and some values may leave none.")
    imagetypes: list[FacetValue]
    sites: list[FacetValue]
    telescopes: list[FacetValue]
    instruments: list[FacetValue]
    filters: list[FacetValue] = Field(description='"None" stands for frames without filter keyword.')
    binnings: list[FacetValue]
    reduction_levels: list[LevelValue]


class Night(BaseModel):
    """A night, and how many frames there are of it; null where that was not counted."""

    night: dt.date
    count: int | None


class Nights(BaseModel):
    """The nights of a year that have frames, ascending; the filter `night` is left out."""

    year: int | None = Field(description="The one asked for, or the latest with frames; null without any.")
    years: list[int] = Field(description="Years that have nights with frames, whatever the filters.")
    complete: bool = Field(description=f"{_COMPLETE} Counts are null then, and some nights may have none.")
    nights: list[Night]


class SkyMark(BaseModel):
    """Some of the frames, around their mean position in degrees (ICRS)."""

    ra: float
    dec: float
    count: int
    radius: float = Field(description="Of a cone around it that has all of them in it, in arcmin.")


class SkyMap(BaseModel):
    """Where on the sky the frames are; those without position are left out."""

    complete: bool = Field(description=f"{_COMPLETE} The newest frames are shown then.")
    of: int | None = Field(description="How many frames were looked at, if not all.")
    marks: list[SkyMark] = Field(description="2,000 at most, from south to north.")

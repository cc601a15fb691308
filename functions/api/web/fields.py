"""What can be searched for: the parameters of ``GET /frames/``, with words for people."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["CHOICES", "FIELDS", "Choice", "Field"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A parameter that chooses frames; ``expected`` is what a value looks like, where that has to be said."""

    name: str
    label: str
    unit: str = ""
    expected: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice(Field):
    """A parameter whose values come from the frames themselves; ``facet`` is where they are listed."""

    facet: str


_TIME = "It is a date, or a date and a time, such as 2026-11-25 18:00."
_FIELDS = (
    Field(name="night", label="Night", expected="A night is a date, such as 2026-11-25."),
    Field(name="start", label="From", unit="UTC", expected=_TIME),
    Field(name="end", label="Until", unit="UTC", expected=_TIME),
    Field(name="OBJECT", label="Object"),
    Field(name="RA", label="RA", expected="It is in hours, such as 13:29:52.7, or in degrees, such as 202.47."),
    Field(name="DEC", label="Dec", expected="It is in degrees, such as +47:11:43 or 47.195."),
    Field(name="radius", label="Radius", unit="′", expected="A radius is a number of arc minutes, such as 10."),
    Choice(name="IMAGETYPE", label="Image type", facet="imagetypes"),
    Choice(name="FILTER", label="Filter", facet="filters"),
    Choice(name="binning", label="Binning", facet="binnings"),
    Choice(name="RLEVEL", label="Reduction level", facet="reduction_levels"),
    Field(name="EXPTIME", label="Exposed at least", unit="s", expected="It is a number of seconds, such as 30."),
    Choice(name="SITE", label="Site", facet="sites"),
    Choice(name="TELESCOPE", label="Telescope", facet="telescopes"),
    Choice(name="INSTRUMENT", label="Instrument", facet="instruments"),
    Field(name="basename", label="File name"),
    Field(name="REQNUM", label="Request"),
    Field(name="OBSNUM", label="Observation"),
    Field(name="undated", label="Frames without a date"),
)

FIELDS: Mapping[str, Field] = MappingProxyType({field.name: field for field in _FIELDS})
"""All of them by name, in the order of the form."""

CHOICES = tuple(field for field in _FIELDS if isinstance(field, Choice))
"""Those with a list of options."""

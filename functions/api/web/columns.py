"""The columns of the table of frames: which there are, and how a frame shows in them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from functions.api.web import wording
from shared.index.shown import HIDING

__all__ = ["COLUMNS", "DEFAULT_COLUMNS", "Column", "chosen_columns"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column; ``sort`` is the parameter that sorts by it, None where nothing does. ``text`` takes a frame."""

    name: str
    label: str
    text: Callable[[Any], str]
    sort: str | None = None
    is_number: bool = False


def _unless_hidden(name: str) -> Callable[[Any], str]:
    def text(frame: Any) -> str:
        return "" if frame.image_type in HIDING else getattr(frame, name) or ""

    return text


def _plain(name: str) -> Callable[[Any], str]:
    def text(frame: Any) -> str:
        value = getattr(frame, name)
        return "" if value is None else str(value)

    return text


def _number(name: str, digits: int) -> Callable[[Any], str]:
    return lambda frame: wording.number(getattr(frame, name), digits)


_COLUMNS = (
    Column(name="DATE_OBS", label="Date (UTC)", sort="DATE_OBS", text=lambda frame: wording.moment(frame.date_obs)),
    Column(name="night", label="Night", sort="night", text=_plain("night")),
    Column(name="OBJECT", label="Object", sort="OBJECT", text=_unless_hidden("object_name")),
    Column(name="OBSTYPE", label="Type", sort="OBSTYPE", text=_plain("image_type")),
    Column(name="FILTER", label="Filter", sort="FILTER", text=_unless_hidden("filter_name")),
    Column(name="EXPTIME", label="Exposure (s)", sort="EXPTIME", text=_number("exposure_time", 3), is_number=True),
    Column(name="RLEVEL", label="Level", sort="RLEVEL", text=_plain("reduction_level"), is_number=True),
    Column(name="binning", label="Binning", sort="binning", text=_plain("binning")),
    Column(name="SITEID", label="Site", sort="SITEID", text=_plain("site")),
    Column(name="TELID", label="Telescope", sort="TELID", text=_plain("telescope")),
    Column(name="INSTRUME", label="Instrument", sort="INSTRUME", text=_plain("instrument")),
    Column(name="RA", label="RA", sort="TEL_RA", text=lambda frame: wording.right_ascension(frame.ra), is_number=True),
    Column(name="DEC", label="Dec", sort="TEL_DEC", text=lambda frame: wording.declination(frame.dec), is_number=True),
    Column(name="size", label="Size", text=lambda frame: wording.size(frame.size), is_number=True),
    Column(name="pixels", label="Pixels", sort="width", text=wording.pixels, is_number=True),
    Column(name="DATAMEAN", label="Mean (counts)", sort="DATAMEAN", text=_number("data_mean", 1), is_number=True),
    Column(name="REQNUM", label="Request", sort="REQNUM", text=_plain("request_number")),
    Column(name="OBSNUM", label="Observation", sort="OBSNUM", text=_plain("observation_number")),
    Column(name="PROPID", label="Proposal", text=_plain("proposal_id")),
    Column(name="ingested", label="Archived (UTC)", text=lambda frame: wording.moment(frame.ingested_at)),
    Column(name="key", label="Key", sort="path", text=_plain("key")),
    Column(name="id", label="Id", sort="id", text=_plain("id"), is_number=True),
)

COLUMNS: Mapping[str, Column] = MappingProxyType({column.name: column for column in _COLUMNS})
"""All of them by name, in the order in which they stand; the file name stands before all of them."""

DEFAULT_COLUMNS = tuple(
    COLUMNS[name]
    for name in ("DATE_OBS", "OBJECT", "OBSTYPE", "FILTER", "EXPTIME", "RLEVEL", "binning", "SITEID", "TELID", "size")
)


def chosen_columns(names: Iterable[str]) -> tuple[Column, ...]:
    """Return the columns of these names in the table's order; unknown names are nothing, none at all is the default."""
    wanted = set(names)
    return tuple(column for column in _COLUMNS if column.name in wanted) or DEFAULT_COLUMNS

"""Query parameters to what they ask for: pure, and strict where a guess could hide frames."""

import datetime as dt
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from shared.errors import InvalidParameterError
from shared.index.angles import parse_declination, parse_right_ascension
from shared.index.cone import Cone
from shared.index.cursor import Cursor, parse_cursor
from shared.index.selection import MAX_LIMIT, SORT_COLUMNS, FrameFilter, FrameQuery
from shared.index.text import fold, is_storable
from shared.index.times import parse_date, parse_time

__all__ = ["FrameFilter", "FrameQuery", "parse_filter", "parse_paging", "parse_query", "parse_text", "parse_year"]

T = TypeVar("T")

_INTEGER = re.compile(r"[+-]?[0-9]+")
_FLOAT = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_BINNING = re.compile(r"0*([0-9]+)(?:\.0*)? ?[xX] ?0*([0-9]+)(?:\.0*)?")
_LARGEST = 2**63 - 1
_RADIUS = 10.0
_YES, _NO = ("true", "1", "yes", "on"), ("false", "0", "no", "off")


def parse_query(parameters: Iterable[tuple[str, str]], *, max_limit: int = MAX_LIMIT) -> FrameQuery:
    """Return the page that the parameters of a list ask for.

    Parameters
    ----------
    parameters
        Decoded names and values; of a repeated name the last counts, unknown names are ignored.
    max_limit
        The limit at most, and where none is given.

    Raises
    ------
    InvalidParameterError
        A value cannot be read; offset and limit are looked at first, then sort, order, the filters, and the cursor.
    """
    given = dict(parameters)
    limit, offset = parse_paging(given, max_limit=max_limit)
    sort = given.get("sort", "DATE_OBS")
    if sort not in SORT_COLUMNS:
        raise InvalidParameterError("sort")
    order = given.get("order", "asc")
    descending = order == "desc"
    if order in SORT_COLUMNS:
        sort, descending = order, given.get("asc", "false").strip().lower() in _NO
    elif order not in ("asc", "desc"):
        raise InvalidParameterError("order")
    frame_filter = parse_filter(given.items())
    return FrameQuery(
        limit=limit,
        offset=offset,
        sort=sort,
        descending=descending,
        filter=frame_filter,
        cursor=_cursor(given, sort, descending=descending),
    )


def parse_paging(given: Mapping[str, str], *, max_limit: int = MAX_LIMIT) -> tuple[int, int]:
    """Return limit and offset, within bounds; InvalidParameterError for what is no integer."""
    limit, offset = _paging(given, "limit", max_limit), _paging(given, "offset", 0)
    return min(max(limit, 0), max_limit), max(offset, 0)


def parse_text(given: Mapping[str, str], name: str) -> str | None:
    """Return a text as it stands, None for a missing or empty one; InvalidParameterError for what no key can hold."""
    return _read(given, name, str, every="")


def parse_year(given: Mapping[str, str]) -> int | None:
    """Return the year from 1 to 9999, None for a missing one; InvalidParameterError for what is none."""
    return _read(given, "year", _year)


def parse_filter(parameters: Iterable[tuple[str, str]]) -> FrameFilter:
    """Return the filter that the parameters ask for; parameters of paging and sorting are ignored.

    Raises
    ------
    InvalidParameterError
        A value cannot be read.
    """
    given = dict(parameters)
    return FrameFilter(
        image_type=_read(given, "IMAGETYPE", str),
        binning=_read(given, "binning", _binning),
        site=_read(given, "SITE", str),
        telescope=_read(given, "TELESCOPE", str),
        instrument=_read(given, "INSTRUMENT", str),
        filter_name=_read(given, "FILTER", str),
        reduction_level=_read(given, "RLEVEL", _integer),
        object_part=_read(given, "OBJECT", _part, every=""),
        basename_part=_read(given, "basename", _part, every=""),
        min_exposure=_read(given, "EXPTIME", _float),
        night=_read(given, "night", _night),
        request_number=_read(given, "REQNUM", _stripped),
        observation_number=_read(given, "OBSNUM", _stripped),
        start=_read(given, "start", _instant),
        end=_read(given, "end", _instant),
        cone=_cone(given),
        undated=_read(given, "undated", _flag) or False,
    )


def _read(given: Mapping[str, str], name: str, parse: Callable[[str], T], *, every: str = "ALL") -> T | None:
    """Parse a parameter; None if it is missing, empty, or the word that stands for every frame."""
    text = given.get(name, "")
    if not is_storable(text):
        raise InvalidParameterError(name)
    if text in ("", every) or (parse is not str and text.strip() in ("", every)):
        return None
    try:
        return parse(text)
    except ValueError as error:
        raise InvalidParameterError(name) from error


def _paging(given: Mapping[str, str], name: str, default: int) -> int:
    try:
        return _integer(given[name]) if name in given else default
    except ValueError as error:
        raise InvalidParameterError(name, "Invalid values for offset/limit.") from error


def _cursor(given: Mapping[str, str], sort: str, *, descending: bool) -> Cursor | None:
    """Return where to go on; None without parameter, which is to page by offset."""
    if "cursor" not in given:
        return None
    try:
        return parse_cursor(given["cursor"], sort, descending=descending)
    except ValueError as error:
        raise InvalidParameterError("cursor") from error


def _cone(given: Mapping[str, str]) -> Cone | None:
    values = {name: given.get(name, "") for name in ("RA", "DEC", "radius")}
    for name, value in values.items():
        if not is_storable(value):
            raise InvalidParameterError(name)
    if any(values[name].strip() in ("", "ALL") for name in ("RA", "DEC")):
        return None
    ra, dec = _read(given, "RA", parse_right_ascension), _read(given, "DEC", parse_declination)
    radius = _read(given, "radius", _radius)
    if ra is None or dec is None:
        return None
    return Cone(ra, dec, (_RADIUS if radius is None else radius) / 60.0)


def _integer(text: str) -> int:
    text = text.strip()
    if not _INTEGER.fullmatch(text):
        message = "not an integer"
        raise ValueError(message)
    digits = text.lstrip("+-").lstrip("0")
    number = int(digits or "0") if len(digits) < 20 else _LARGEST
    return max(min(-number if text[0] == "-" else number, _LARGEST), -_LARGEST)


def _float(text: str) -> float:
    text = text.strip()
    if not _FLOAT.fullmatch(text):
        message = "not a number"
        raise ValueError(message)
    number = float(text)
    if not math.isfinite(number):
        message = "not a finite number"
        raise ValueError(message)
    return number


def _radius(text: str) -> float:
    """Return arcminutes, at most half the sky's circumference."""
    arcminutes = _float(text)
    if not 0.0 <= arcminutes <= 180.0 * 60.0:
        message = "radius outside 0 to 180 degrees"
        raise ValueError(message)
    return arcminutes


def _binning(text: str) -> str:
    match = _BINNING.fullmatch(text.strip())
    if match is None:
        message = "not a binning"
        raise ValueError(message)
    return f"{match[1]}x{match[2]}"


def _part(text: str) -> str:
    return fold(text.strip())


def _stripped(text: str) -> str:
    return text.strip()


def _night(text: str) -> dt.date:
    return parse_date(text.strip())


def _year(text: str) -> int:
    year = _integer(text)
    if not dt.MINYEAR <= year <= dt.MAXYEAR:
        message = "not a year that dates have"
        raise ValueError(message)
    return year


def _instant(text: str) -> dt.datetime:
    return parse_time(text.strip())


def _flag(text: str) -> bool:
    word = text.strip().lower()
    if word not in _YES + _NO:
        message = "neither true nor false"
        raise ValueError(message)
    return word in _YES

"""The functions of templates: ``{KEYWORD|function:parameter}``.

They take what patterns of pyobs-archive and of pyobs-core have: ``lower``, ``time``, ``date``, ``filter`` and
``string`` of both, ``type`` and ``exptime`` of pyobs-core.
"""

import datetime as dt
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shared.errors import BadKeyError, BadTemplateError
from shared.naming.header import Header, header_text, header_value
from shared.naming.keys import quoted

__all__ = ["FUNCTIONS", "Function"]

_WITH_FILTER = frozenset({"light", "object", "flat", "skyflat"})
_LETTERS = {"bias": "b", "dark": "d", "skyflat": "f"}
_PRINTF = re.compile(r"[#0\- +]{0,5}\d{0,3}(?:\.\d{1,3})?(?P<kind>[diouxXeEfFgGcrsa])")
_KEYWORD = re.compile(r"[A-Z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Function:
    """One function: what it does with a keyword of a header, and how many parameters it may and must have.

    ``check`` raises BadTemplateError for parameters that can never work.
    """

    apply: Callable[..., str]
    most: int = 0
    least: int = 0
    check: Callable[..., None] = lambda *_: None


def _lower(header: Header, keyword: str) -> str:
    return header_text(header, keyword).lower()


def _time(header: Header, keyword: str, delimiter: str = "-") -> str:
    return delimiter.join(_moment(header, keyword).strftime("%H %M %S").split())


def _date(header: Header, keyword: str, delimiter: str = "-") -> str:
    moment = _moment(header, keyword)
    return delimiter.join((f"{moment.year:04d}", f"{moment.month:02d}", f"{moment.day:02d}"))


def _moment(header: Header, keyword: str) -> dt.datetime:
    text = header_text(header, keyword)
    try:
        moment = dt.datetime.fromisoformat(text)
        return moment.astimezone(dt.UTC) if moment.tzinfo else moment
    except (ValueError, OverflowError) as error:
        raise BadKeyError(f"{keyword} = {quoted(text)} is not a date") from error


def _filter(header: Header, keyword: str, type_keyword: str = "IMAGETYP", prefix: str = "_") -> str:
    """Return prefix and value for frames that were taken through a filter, else nothing."""
    has_filter = header_text(header, type_keyword).lower() in _WITH_FILTER
    return prefix + header_text(header, keyword) if has_filter else ""


def _check_filter(type_keyword: str = "IMAGETYP", _prefix: str = "_") -> None:
    if not _KEYWORD.fullmatch(type_keyword):
        raise BadTemplateError(f"{quoted(type_keyword)} is not a keyword")


def _string(header: Header, keyword: str, layout: str) -> str:
    value = header_value(header, keyword)
    try:
        return f"%{layout}" % (value,)
    except (TypeError, ValueError, OverflowError) as error:
        raise BadKeyError(f"{keyword} = {quoted(str(value))} cannot be written as %{layout}") from error


def _check_string(layout: str) -> None:
    if not _PRINTF.fullmatch(layout):
        raise BadTemplateError(f"{quoted(layout)} is not a printf format such as 05.1f")


def _type(header: Header, keyword: str) -> str:
    return _LETTERS.get(header_text(header, keyword), "e")


def _exposure(header: Header, keyword: str) -> str:
    """Return whole seconds without fraction: ``600``, ``0.333``; ``unknown`` where nothing tells."""
    if keyword not in header:
        return "unknown"
    text = header_text(header, keyword)
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds):
        raise BadKeyError(f"{keyword} = {quoted(text)} is not a number")
    return str(int(seconds)) if seconds.is_integer() else str(seconds)


FUNCTIONS: Mapping[str, Function] = {
    "lower": Function(_lower),
    "time": Function(_time, most=1),
    "date": Function(_date, most=1),
    "filter": Function(_filter, most=2, check=_check_filter),
    "string": Function(_string, most=1, least=1, check=_check_string),
    "type": Function(_type),
    "exptime": Function(_exposure),
}

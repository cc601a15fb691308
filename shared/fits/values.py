"""What header values mean: null words, numbers in any dress, sexagesimal angles."""

import math
import re
import unicodedata

from shared.fits.model import CardValue

__all__ = ["MAX_TEXT", "has_value", "integer", "number", "sexagesimal", "text"]

MAX_TEXT = 255
"""Most characters of a text field; longer values are cut."""

_MAX_INTEGER = 2**31 - 1
_LOOK = 80
_NULL_WORDS = frozenset(
    {
        "",
        "-",
        "--",
        "---",
        "?",
        "_unknown_",
        "<no filter>",
        "indef",
        "n/a",
        "nan",
        "no value",
        "none",
        "not applicable",
        "not available",
        "not present",
        "notpresent",
        "null",
        "undef",
        "undefined",
        "unknown",
        "unspecified",
    }
)
_FILLED = re.compile(r"x{3,}$")
_NUMBER = re.compile(r"[+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eEdD][+-]?\d+)?")
_UNIT = re.compile(r"\s*[A-Za-z°%]{0,12}$")
_SEXAGESIMAL = re.compile(
    r"(?P<sign>[+-]?)\s*(?P<whole>\d{1,3})\s*[:\shd°]\s*(?P<minutes>\d{1,2}(?:[.,]\d*)?)"
    r"\s*(?:[:\sm'′]\s*(?P<seconds>\d{1,2}(?:[.,]\d*)?)?)?\s*[s\"″]?$"
)


def text(value: CardValue) -> str | None:
    """Return a value as trimmed text; None for what headers write where nothing is known.

    Integers, and floats without a fraction, become their digits (``48`` for 48.0). Control and format
    characters are dropped, and text is cut at `MAX_TEXT` characters.
    """
    if value is None or isinstance(value, bool | complex):
        return None
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    if isinstance(value, int):
        return str(value)
    clean = "".join(char for char in value[: 4 * MAX_TEXT] if unicodedata.category(char)[0] != "C").strip()
    word = clean.lower()
    if word in _NULL_WORDS or _FILLED.match(word):
        return None
    return clean[:MAX_TEXT].rstrip()


def has_value(value: CardValue) -> bool:
    """Whether a card says anything: neither undefined, nor a null word, nor a number that is none."""
    if isinstance(value, bool | complex):
        return True
    return text(value) is not None


def number(value: CardValue) -> float | None:
    """Return a finite number, also from a string, with decimal comma and a unit behind it tolerated."""
    if isinstance(value, bool | complex) or value is None:
        return None
    if isinstance(value, str):
        look = value.strip()[:_LOOK]
        match = _NUMBER.match(look)
        if match is None or not _UNIT.match(look[match.end() :]):
            return None
        value = float(match[0].replace(",", ".").upper().replace("D", "E"))
    if isinstance(value, int):
        return float(value) if abs(value) < 2**63 else None
    return value if math.isfinite(value) else None


def integer(value: CardValue) -> int | None:
    """Return an integer that fits into 32 bits, also from a whole float or from a string."""
    found = number(value)
    if found is None or not found.is_integer() or abs(found) > _MAX_INTEGER:
        return None
    return int(found)


def sexagesimal(value: CardValue) -> float | None:
    """Return the units of the first field: ``"-00:30:00"`` is -0.5. None if it is not sexagesimal.

    Fields may be parted by colons, blanks or unit letters; minutes and seconds up to 60 are taken.
    """
    match = _SEXAGESIMAL.match(value.strip()[:_LOOK]) if isinstance(value, str) else None
    if match is None:
        return None
    minutes, seconds = (float((match[part] or "0").replace(",", ".")) for part in ("minutes", "seconds"))
    if minutes > 60 or seconds > 60:
        return None
    size = int(match["whole"]) + minutes / 60 + seconds / 3600
    return -size if match["sign"] == "-" else size

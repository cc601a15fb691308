"""Sky coordinates as people write them, in degrees."""

import re

__all__ = ["parse_declination", "parse_right_ascension"]

_MAX_LENGTH = 100
_NUMBER = r"[0-9]+(?:\.[0-9]*)?|\.[0-9]+"
_DECIMAL = re.compile(rf"([+-]?)({_NUMBER})(?:[eE]([+-]?[0-9]{{1,4}}))?(?: ?(?:d|deg|°))?")
_PLAIN = re.compile(rf"([+-]?) ?([0-9]+)(?: ?: ?| )([0-9]+)(?:(?: ?: ?| )({_NUMBER}))?")
_WORDED = re.compile(
    rf"([+-]?) ?(?:({_NUMBER}) ?(h|d|°|deg)) ?(?:({_NUMBER}) ?(?:m|'|′))? ?(?:({_NUMBER}) ?(?:s|\"|″|''))?"
)
_MINUS_SIGNS = str.maketrans({"−": "-", "\t": " "})


def parse_right_ascension(text: str) -> float:
    """Return a right ascension in [0, 360): decimal degrees, or sexagesimal hours (``05:35:17.3``, ``5h35m17.3s``).

    With ``d`` or ``°`` a sexagesimal value is degrees, too.

    Raises
    ------
    ValueError
        The text is no angle, or one outside 0 to 360.
    """
    degrees = _parse(text, unit="h")
    if not 0.0 <= degrees <= 360.0:
        message = "right ascension outside 0 to 360 degrees"
        raise ValueError(message)
    return degrees % 360.0


def parse_declination(text: str) -> float:
    """Return a declination in [-90, 90]: decimal or sexagesimal degrees (``-05:23:28``, ``-5d23m28s``).

    Raises
    ------
    ValueError
        The text is no angle, or one outside -90 to 90.
    """
    degrees = _parse(text, unit="d")
    if not -90.0 <= degrees <= 90.0:
        message = "declination outside -90 to 90 degrees"
        raise ValueError(message)
    return degrees


def _parse(text: str, unit: str) -> float:
    """Return degrees; `unit` is what the first part of a sexagesimal value without letters counts."""
    text = text.translate(_MINUS_SIGNS).strip()
    if len(text) > _MAX_LENGTH:
        message = "too long for an angle"
        raise ValueError(message)
    if match := _DECIMAL.fullmatch(text):
        sign, digits, exponent = match.groups()
        return float(f"{sign}{digits}e{exponent or 0}")
    if match := _PLAIN.fullmatch(text):
        sign, whole, minutes, seconds = match.groups()
        return _join(sign, (whole, minutes, seconds)) * (15.0 if unit == "h" else 1.0)
    match = _WORDED.fullmatch(text)
    if match is None or (match[3] == "h" and unit != "h"):
        message = "not an angle"
        raise ValueError(message)
    return _join(match[1], (match[2], match[4], match[5])) * (15.0 if match[3] == "h" else 1.0)


def _join(sign: str, parts: tuple[str, str | None, str | None]) -> float:
    given = [part for part in parts if part is not None]
    if any("." in part for part in given[:-1]):
        message = "only the last part of an angle may have a fraction"
        raise ValueError(message)
    whole, minutes, seconds = (float(part) if part is not None else 0.0 for part in parts)
    if minutes >= 60.0 or seconds >= 60.0:
        message = "minutes and seconds of an angle are below 60"
        raise ValueError(message)
    value = whole + minutes / 60.0 + seconds / 3600.0
    return -value if sign == "-" else value

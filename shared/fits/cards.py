"""Header cards from raw 80-byte records, for headers as they are met and not only as the standard wants them."""

import re
from collections.abc import Iterable, Iterator

from shared.fits.model import Card, CardValue

__all__ = ["CARD_LENGTH", "parse_cards"]

CARD_LENGTH = 80

_COMMENTARY = frozenset({"COMMENT", "HISTORY", ""})
_CONTROL = dict.fromkeys((*range(32), *range(127, 160)), " ")
_STRING = re.compile(r"\s*'((?:[^']|'')*)'(.*)$")
_INTEGER = re.compile(r"[+-]?\d{1,70}$")
_FLOAT = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][+-]?\d+)?$")
_COMPLEX = re.compile(r"\(\s*([^\s,]+)\s*,\s*([^\s,]+)\s*\)$")
_LONG_KEYWORD = re.compile(r"([^\s='/]{9,})\s*=\s")


def parse_cards(records: Iterable[bytes]) -> tuple[tuple[Card, ...], int]:
    """Read header records (80 bytes each, without END) into cards.

    Nothing is refused. HIERARCH keywords lose that word, keywords become upper case, CONTINUE records are
    joined to the string before them whether LONGSTRN is there or not, bytes outside ASCII are read as UTF-8
    or else Latin-1, and control characters become blanks. A record without a legal value keeps what stands
    in it as a string. Blank records are left out.

    Returns
    -------
    tuple of Card, int
        The cards, and how many records could not be read as the standard has them.
    """
    cards: list[Card] = []
    odd = 0
    parts: list[Card] = []
    for record in records:
        text = _decoded(record)
        if parts and text[:8] == "CONTINUE" and (more := _string(text[8:])) is not None:
            parts.append(Card("CONTINUE", more[0], more[1]))
            continue
        cards.extend(_joined(parts))
        parts = []
        if not text.strip():
            continue
        card, legal = _card(text)
        odd += not legal
        if isinstance(card.value, str) and card.value.endswith("&") and card.keyword not in _COMMENTARY:
            parts.append(card)
        else:
            cards.append(card)
    cards.extend(_joined(parts))
    return tuple(cards), odd


def _decoded(record: bytes) -> str:
    try:
        text = record.decode("ascii")
    except UnicodeDecodeError:
        text = _decoded_foreign(record)
    return text if text.isprintable() else text.translate(_CONTROL)


def _decoded_foreign(record: bytes) -> str:
    try:
        return record.decode("utf-8")
    except UnicodeDecodeError:
        return record.decode("latin-1")


def _joined(parts: list[Card]) -> Iterator[Card]:
    if not parts:
        return
    if len(parts) == 1:
        yield parts[0]
        return
    values = [str(part.value) for part in parts]
    text = "".join(value.removesuffix("&") for value in values[:-1]) + values[-1]
    comment = " ".join(part.comment for part in parts if part.comment)
    yield Card(parts[0].keyword, text, comment)


def _card(text: str) -> tuple[Card, bool]:
    keyword = text[:8].strip().upper()
    if keyword in _COMMENTARY:
        return Card(keyword, text[8:].rstrip()), True
    if keyword == "HIERARCH" and "=" in text:
        name, _, rest = text[8:].partition("=")
        return _valued(" ".join(name.split()).upper(), rest)
    if text[8:9] == "=":
        return _valued(keyword, text[9:])
    if match := _LONG_KEYWORD.match(text):
        return _valued(match[1].upper(), text[match.end() :])
    return Card(keyword, text[8:].strip()), False


def _valued(keyword: str, text: str) -> tuple[Card, bool]:
    if (found := _string(text)) is not None:
        return Card(keyword, *found), True
    field, _, comment = text.partition("/")
    value, legal = _value(field.strip())
    return Card(keyword, value, comment.strip()), legal


def _string(text: str) -> tuple[str, str] | None:
    """Return a quoted string and its comment; a missing last quote is forgiven, trailing blanks mean nothing."""
    if not text.lstrip().startswith("'"):
        return None
    match = _STRING.match(text)
    if match is None:
        return text.lstrip()[1:].rstrip(), ""
    return match[1].replace("''", "'").rstrip(), match[2].strip().removeprefix("/").strip()


def _value(field: str) -> tuple[CardValue, bool]:
    if not field:
        return None, True
    if field in {"T", "F"}:
        return field == "T", True
    if _INTEGER.match(field):
        return int(field), True
    if _FLOAT.match(field):
        return float(field.replace("d", "e").replace("D", "E")), True
    if (match := _COMPLEX.match(field)) and _FLOAT.match(match[1]) and _FLOAT.match(match[2]):
        return complex(float(match[1].upper().replace("D", "E")), float(match[2].upper().replace("D", "E"))), True
    return field, False

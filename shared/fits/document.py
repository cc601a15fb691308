"""A frame's headers as a JSON document, and what the API shows of it. Needs neither astropy nor numpy."""

import math
import re
from collections.abc import Sequence
from typing import Any

from shared.fits.model import Card, CardValue, FitsDescription

__all__ = ["VERSION", "full_results", "headers_document", "science_cards", "science_results"]

VERSION = 1
"""Version of the document's layout."""

_JSON_INTEGER = 2**63 - 1
_UNIT = re.compile(r"\s*\[([^\[\]]{1,40})\]\s*")
_HIDDEN = re.compile(
    r"(HISTORY|COMMENT|CONTINUE|CHECKSUM|DATASUM|ZHECKSUM|ZDATASUM|ZIMAGE|ZTABLE|ZSIMPLE|ZTENSION|ZEXTEND|ZBLOCKED"
    r"|ZBITPIX|ZNAXIS\d*|ZPCOUNT|ZGCOUNT|ZTHEAP|ZTILELEN|ZTILE\d+|ZCMPTYPE|ZNAME\d+|ZVAL\d+|ZMASKCMP|ZQUANTIZ"
    r"|ZDITHER0|ZSCALE|ZZERO|ZBLANK|ZFORM\d+|ZCTYP\d+|)$"
)


def headers_document(description: FitsDescription) -> dict[str, object]:
    """Return a JSON-safe document of a frame's headers.

    Cards are lists of keyword, value, comment. NaN, infinities, complex numbers and integers beyond 63 bits
    become strings; undefined values are None.
    """
    return {
        "version": VERSION,
        "science": description.science,
        "header": _cards(description.header),
        "hdus": [
            {
                "index": hdu.index,
                "name": hdu.name,
                "kind": hdu.kind,
                "axes": [_safe(length) for length in hdu.axes],
                "cards": _cards(hdu.cards),
            }
            for hdu in description.hdus
        ],
    }


def science_results(document: dict[str, Any]) -> list[dict[str, object]]:
    """Return ``{"key", "value"}`` of the science header, sorted by key.

    HISTORY, COMMENT, blank, compression and checksum keywords are left out. A repeated keyword repeats its first
    value; no value is None.
    """
    shown = [(str(keyword), value) for keyword, value, _ in document["header"] if not _HIDDEN.match(str(keyword))]
    firsts = dict(reversed(shown))
    return [{"key": keyword, "value": firsts[keyword]} for keyword in sorted(keyword for keyword, _ in shown)]


def science_cards(document: dict[str, Any]) -> list[dict[str, object]]:
    """Return the cards of the science header as `full_results` does: of a compressed image those of the image."""
    return [_full(keyword, value, comment) for keyword, value, comment in document["header"]]


def full_results(document: dict[str, Any]) -> list[dict[str, object]]:
    """Return every HDU with all of its cards as ``{"key", "value", "comment", "unit"}``, in the file's order.

    The unit is what stands in brackets at the start of a comment (FITS standard 4.0, section 4.3.2).
    """
    return [
        {
            "index": hdu["index"],
            "name": hdu["name"],
            "kind": hdu["kind"],
            "axes": hdu["axes"],
            "cards": [_full(keyword, value, comment) for keyword, value, comment in hdu["cards"]],
        }
        for hdu in document["hdus"]
    ]


def _full(keyword: str, value: object, comment: str) -> dict[str, object]:
    match = _UNIT.match(comment)
    return {
        "key": keyword,
        "value": value,
        "comment": comment[match.end() :] if match else comment,
        "unit": match[1].strip() if match else None,
    }


def _cards(cards: Sequence[Card]) -> list[list[object]]:
    return [[card.keyword, _safe(card.value), card.comment] for card in cards]


def _safe(value: CardValue) -> bool | int | float | str | None:
    if isinstance(value, complex):
        return f"({value.real!r}, {value.imag!r})"
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _JSON_INTEGER:
        return str(value)
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    return value

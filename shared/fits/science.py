"""Which HDU is the observation, told by content, and its header completed by the others that describe it."""

import re

from shared.fits.keywords import Synonyms
from shared.fits.model import Card, Hdu
from shared.fits.tiles import image_cards
from shared.fits.values import has_value

__all__ = ["describing_headers", "merged_header", "science_hdu"]

_IMAGES = frozenset({"image", "compressed-image"})
_ASKED = ("date_obs", "exposure_time", "object_name", "instrument", "image_type", "filter_name", "site", "position")
_UNNAMED = frozenset({"", "COMPRESSED_IMAGE"})
_OF_ONE_HDU = re.compile(
    r"(SIMPLE|XTENSION|BITPIX|NAXIS\d*|EXTEND|NEXTEND|PCOUNT|GCOUNT|GROUPS|CHECKSUM|DATASUM|EXTNAME|EXTVER|EXTLEVEL"
    r"|INHERIT|BSCALE|BZERO|BLANK|BUNIT|DATAMIN|DATAMAX|TFIELDS|THEAP|LONGSTRN|CONTINUE|COMMENT|HISTORY"
    r"|P(TYPE|SCAL|ZERO)\d+|T(TYPE|FORM|UNIT|DIM|NULL|SCAL|ZERO|DISP)\d+|)$"
)


def science_hdu(hdus: tuple[Hdu, ...], synonyms: Synonyms) -> Hdu:
    """Choose the HDU that is the observation.

    The first image named ``SCI`` with two axes or more, else the first such image of any name, else the
    header that answers most of the archive's questions (a spectrum, a table, or a header alone), the first of
    equals. Images without pixels do not count.
    """
    images = [hdu for hdu in hdus if hdu.kind in _IMAGES and len(hdu.axes) >= 2 and 0 not in hdu.axes]
    named = [hdu for hdu in images if hdu.name.upper() == "SCI"]
    if named or images:
        return (named or images)[0]
    return max(hdus, key=lambda hdu: (_answers(hdu, synonyms), -hdu.index))


def describing_headers(hdus: tuple[Hdu, ...], science: Hdu) -> tuple[tuple[Card, ...], ...]:
    """Return the headers that describe the observation, the most trusted first.

    The science HDU's; the primary's; and that of a first extension without a name of its own that is
    tile-compressed or has no pixels, which is the primary of the file before ``fpack``.
    """
    others = [hdus[0]]
    if len(hdus) > 1 and hdus[1].name in _UNNAMED and (hdus[1].kind == "compressed-image" or _is_bare(hdus[1])):
        others.append(hdus[1])
    return (
        image_cards(science),
        *(
            tuple(card for card in image_cards(hdu) if not _OF_ONE_HDU.match(card.keyword))
            for hdu in others
            if hdu is not science
        ),
    )


def merged_header(headers: tuple[tuple[Card, ...], ...]) -> tuple[Card, ...]:
    """Return the science header, and behind it the cards of keywords that only the others hold."""
    merged = list(headers[0])
    held = {card.keyword for card in merged}
    for cards in headers[1:]:
        merged.extend(card for card in cards if card.keyword not in held)
        held.update(card.keyword for card in cards)
    return tuple(merged)


def _is_bare(hdu: Hdu) -> bool:
    return hdu.kind == "image" and (not hdu.axes or 0 in hdu.axes)


def _answers(hdu: Hdu, synonyms: Synonyms) -> int:
    held = {card.keyword for card in hdu.cards if has_value(card.value)}
    return sum(any(name.partition("/")[0] in held for name in synonyms[field]) for field in _ASKED)

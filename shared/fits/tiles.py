"""The header of the image in a tile-compressed HDU, as if it had never been compressed."""

import re

from shared.fits.model import Card, CardValue, Hdu

__all__ = ["image_cards"]

_TABLE_ONLY = re.compile(
    r"(XTENSION|SIMPLE|BITPIX|NAXIS\d*|PCOUNT|GCOUNT|TFIELDS|THEAP|CHECKSUM|DATASUM"
    r"|T(TYPE|FORM|UNIT|DIM|NULL|SCAL|ZERO|DISP)\d+)$"
)
_TILING_ONLY = re.compile(
    r"(ZIMAGE|ZCMPTYPE|ZTILE\d+|ZNAME\d+|ZVAL\d+|ZMASKCMP|ZQUANTIZ|ZDITHER0|ZSIMPLE|ZTENSION|ZEXTEND|ZBLOCKED"
    r"|ZBITPIX|ZNAXIS\d*|ZPCOUNT|ZGCOUNT)$"
)
_RENAMED = {"ZHECKSUM": "CHECKSUM", "ZDATASUM": "DATASUM"}


def image_cards(hdu: Hdu) -> tuple[Card, ...]:
    """Return the header of the image in a tile-compressed HDU, as if it had never been compressed.

    Table keywords go, and ZBITPIX, ZNAXISn, ZPCOUNT, ZGCOUNT, ZHECKSUM and ZDATASUM take their own names
    (FITS standard 4.0, section 10.1). Other HDUs keep their cards.
    """
    if hdu.kind != "compressed-image":
        return hdu.cards
    first: dict[str, CardValue] = {card.keyword: card.value for card in reversed(hdu.cards)}
    structure: list[Card] = [
        Card("XTENSION", "IMAGE", "image extension"),
        Card("BITPIX", hdu.bitpix),
        Card("NAXIS", len(hdu.axes)),
        *(Card(f"NAXIS{n}", length) for n, length in enumerate(hdu.axes, 1)),
        Card("PCOUNT", first.get("ZPCOUNT", 0)),
        Card("GCOUNT", first.get("ZGCOUNT", 1)),
    ]
    kept = (
        Card(_RENAMED.get(card.keyword, card.keyword), card.value, card.comment)
        for card in hdu.cards
        if not _TABLE_ONLY.match(card.keyword) and not _TILING_ONLY.match(card.keyword)
    )
    return (*structure, *kept)

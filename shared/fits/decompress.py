"""The stored values of a tile-compressed image (FITS 4.0, section 10), read with astropy under guard."""

import itertools
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits

from shared.errors import BadDataError, TooLargeError
from shared.fits.model import Card, Hdu
from shared.fits.pixels import BLOCK_PIXELS, Block, card_value, hdu_label
from shared.fits.tilecheck import check_tiles
from shared.fits.window import HduWindow

__all__ = ["MAX_PIXELS", "MAX_TILES", "MAX_TILE_PIXELS", "TiledImage"]

MAX_PIXELS = 2**33
"""Pixels of a compressed image, all planes; more would take minutes to decode."""

MAX_TILE_PIXELS = 2**24
"""Pixels of one tile, which is decoded as a whole."""

MAX_TILES = 500_000
"""Tiles of a compressed image; each costs some ten microseconds."""

STRUCTURE = re.compile(
    r"NAXIS[12]|PCOUNT|TFIELDS|THEAP|T(TYPE|FORM)\d+|ZIMAGE|ZCMPTYPE|ZBITPIX|ZNAXIS\d*|ZTILE\d+|ZNAME\d+|ZVAL\d+"
    r"|ZQUANTIZ|ZDITHER0|ZBLANK|ZSCALE|ZZERO"
)
FIXED = (Card("XTENSION", "BINTABLE"), Card("BITPIX", 8), Card("NAXIS", 2))


@dataclass(frozen=True, slots=True)
class TiledImage:
    """The pixels of a tile-compressed image HDU."""

    path: Path
    hdu: Hdu

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the first plane; a one-dimensional image has one row."""
        axes = self.hdu.axes
        return (axes[1] if len(axes) > 1 else 1), axes[0]

    @property
    def tile(self) -> tuple[int, ...]:
        """The tile's shape in numpy's order, cut to the image; one row where ZTILEn is absent."""
        sizes: list[int] = []
        for number, length in enumerate(self.hdu.axes, 1):
            size = card_value(self.hdu.cards, f"ZTILE{number}")
            size = (length if number == 1 else 1) if size is None else size
            if not isinstance(size, int) or size < 1:
                raise BadDataError(f"{hdu_label(self.hdu)}: ZTILE{number} = {size!r} is not a tile size")
            sizes.append(min(size, length))
        return tuple(reversed(sizes))

    def blocks(self) -> Iterator[Block]:
        """Decode blocks of whole tiles.

        Raises
        ------
        BadDataError
            If a tile cannot be decoded, or says what is not true.
        TooLargeError
            If decoding would take more memory or time than a preview is worth.
        """
        shape = tuple(reversed(self.hdu.axes))
        self._check_size(shape)
        check_tiles(self.path, self.hdu, shape, self.tile)
        try:
            yield from self._decode(shape, _block_shape(shape, self.tile))
        except (BadDataError, TooLargeError, MemoryError):
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            raise BadDataError(f"{hdu_label(self.hdu)}: the compressed image cannot be decoded: {reason}") from error

    def _check_size(self, shape: tuple[int, ...]) -> None:
        label, tile = hdu_label(self.hdu), self.tile
        if math.prod(tile) > MAX_TILE_PIXELS:
            raise TooLargeError(f"{label}: tiles of {math.prod(tile):,} pixels are too large to decode")
        tiles = math.prod([-(-length // size) for length, size in zip(shape, tile, strict=True)])
        if tiles > MAX_TILES:
            raise TooLargeError(f"{label}: {tiles:,} tiles are too many to decode")
        if math.prod(shape) > MAX_PIXELS:
            raise TooLargeError(f"{label}: {math.prod(shape):,} compressed pixels are too many to decode")

    def _decode(self, shape: tuple[int, ...], steps: tuple[int, ...]) -> Iterator[Block]:
        window = HduWindow(self.path, self._cards(), self.hdu.data_offset, self.hdu.data_bytes)
        options = {"memmap": False, "lazy_load_hdus": True, "do_not_scale_image_data": True}
        with window, fits.open(window, **options) as file:
            pixels = file[1].section
            for starts in itertools.product(*(range(0, n, step) for n, step in zip(shape, steps, strict=True))):
                ends = [min(start + step, n) for start, step, n in zip(starts, steps, shape, strict=True)]
                values = np.asarray(pixels[tuple(map(slice, starts, ends))])
                for lead in np.ndindex(values.shape[:-2]):
                    yield Block(self._row(shape, starts, lead), starts[-1], np.atleast_2d(values[lead]))

    def _cards(self) -> tuple[Card, ...]:
        """Return the cards that decoding needs, so that no other can trouble it."""
        known = {card.keyword: card for card in reversed(self.hdu.cards) if STRUCTURE.fullmatch(card.keyword)}
        axes = [known.pop(keyword) for keyword in ("NAXIS1", "NAXIS2", "PCOUNT")]
        return (*FIXED, *axes, Card("GCOUNT", 1), known.pop("TFIELDS"), *known.values())

    def _row(self, shape: tuple[int, ...], starts: tuple[int, ...], lead: tuple[int, ...]) -> int:
        """Return a block's first row, counted through all planes."""
        if len(shape) == 1:
            return 0
        plane = 0
        for length, start, index in zip(shape[:-2], starts, lead, strict=False):
            plane = plane * length + start + index
        return plane * shape[-2] + starts[-2]


def _block_shape(shape: tuple[int, ...], tile: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of a block of whole tiles: as many along the row as memory allows, then rows of them."""
    steps = list(tile)
    for axis in range(len(shape) - 1, max(-1, len(shape) - 3), -1):
        fitting = max(1, BLOCK_PIXELS // math.prod(steps))
        steps[axis] = min(shape[axis], tile[axis] * fitting)
    return tuple(steps)

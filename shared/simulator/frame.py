"""A simulated frame: its name, its key in the bucket, its bytes."""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy.io import fits

from shared.simulator.exposure import LETTERS, Catalog, Exposure
from shared.simulator.fields import field_named
from shared.simulator.site import Site
from shared.simulator.writing import Cards, fits_bytes, image_hdu

__all__ = ["SimulatedFrame", "catalog_hdu", "finished", "simulate_frame"]

HeaderValue = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class SimulatedFrame:
    """A complete FITS file. ``key`` is ``{SITEID}/{YYYYMMDD}/{name}``."""

    name: str
    key: str
    data: bytes


def finished(image: np.ndarray[Any, Any], cards: Cards, name: str, *others: Any) -> SimulatedFrame:
    """Write an image and further HDUs; a name that ends in ``.fz`` asks for tile compression."""
    site, night = (str(cards[keyword][0]) if keyword in cards else "unknown" for keyword in ("SITEID", "DAY-OBS"))
    data = fits_bytes([image_hdu(image, cards, compressed=name.endswith(".fz")), *others])
    return SimulatedFrame(name, f"{site}/{night.replace('-', '')}/{name}", data)


def catalog_hdu(catalog: Catalog, gain: float) -> Any:
    """Make the table CAT: pixel positions, ICRS positions, fluxes in adu."""
    count = catalog.x.size
    columns = [
        fits.Column("x", "D", unit="pixel", array=catalog.x),
        fits.Column("y", "D", unit="pixel", array=catalog.y),
        fits.Column("ra", "D", unit="deg", array=catalog.ra),
        fits.Column("dec", "D", unit="deg", array=catalog.dec),
        fits.Column("flux", "D", unit="adu", array=catalog.flux / gain),
        fits.Column("fluxerr", "D", unit="adu", array=catalog.error / gain),
        fits.Column("peak", "E", unit="adu", array=catalog.peak / gain),
        fits.Column("fwhm", "E", unit="pixel", array=np.full(count, catalog.fwhm)),
        fits.Column("flag", "I", array=np.zeros(count, np.int16)),
    ]
    return fits.BinTableHDU.from_columns(columns, name="CAT")


def simulate_frame(
    *,
    night: dt.date = dt.date(2026, 11, 21),
    number: int = 1,
    seed: int = 0,
    shape: tuple[int, int] = (64, 64),
    site: Site | None = None,
    name: str | None = None,
    catalog: bool = False,
    cards: Mapping[str, HeaderValue] | None = None,
    **keywords: HeaderValue,
) -> SimulatedFrame:
    """Simulate one frame, by default of M 51 in V.

    Parameters
    ----------
    night, number
        Night and number of the frame in it, which decide the time of the exposure.
    seed
        Of the noise.
    shape
        Rows and columns; there is no overscan.
    name
        File name; by default made from the header. One that ends in ``.fz`` asks for tile compression.
    catalog
        Whether to add the table CAT.
    cards, **keywords
        Header cards that replace, add or (None) remove, names with a dash as ``cards={"DAY-OBS": "2026-11-21"}``.
        IMAGETYP, OBJECT, FILTER and EXPTIME decide the pixels, too; RLEVEL the end of the default name.
    """
    site = site or Site()
    keywords |= cards or {}
    image_type = str(keywords.get("IMAGETYP") or "object")
    seconds = keywords.get("EXPTIME", 0.0 if image_type == "bias" else 60.0)
    exposure = Exposure(
        site=site,
        night=night,
        number=number,
        start=site.noon(night) + dt.timedelta(hours=8, minutes=2 * number),
        image_type=image_type,
        field=None
        if image_type in ("bias", "dark", "skyflat")
        else field_named(
            str(keywords.get("OBJECT") or "M 51"), _degrees(keywords.get("TEL-RA")), _degrees(keywords.get("TEL-DEC"))
        ),
        filter_name=str(keywords.get("FILTER") or "V"),
        seconds=float(seconds) if isinstance(seconds, int | float) and 0 <= seconds < 1e5 else 60.0,
        shape=shape,
        overscan=0,
        seed=seed,
    )
    header = dict(exposure.cards())
    for keyword, value in keywords.items():
        header[keyword] = (value, header.get(keyword, ("", ""))[1])
    header = {keyword: card for keyword, card in header.items() if card[0] is not None}
    name = name or _name(exposure, header, named="FNAME" in keywords)
    for keyword in ("FNAME", "ORIGNAME"):
        if keyword not in keywords:
            header[keyword] = (name, header[keyword][1])
    others = [catalog_hdu(exposure.catalog(), exposure.camera.gain)] if catalog else []
    return finished(exposure.raw(), header, name, *others)


def _name(exposure: Exposure, cards: Cards, *, named: bool) -> str:
    """Return FNAME if it was asked for, else the usual name made from the header."""
    if named and "FNAME" in cards:
        return str(cards["FNAME"][0])
    site, telescope, instrument, day = (
        str(cards.get(keyword, ("", ""))[0]) for keyword in ("SITEID", "TELESCOP", "INSTRUME", "DAY-OBS")
    )
    parts = [site + telescope.split("-")[0], instrument, day]
    stem = "-".join(re.sub(r"[^A-Za-z0-9]", "", part) for part in parts)
    letter, level = LETTERS.get(exposure.image_type, "e"), cards.get("RLEVEL", (0, ""))[0]
    ending = f"{letter}{level:02d}" if isinstance(level, int) else f"{letter}00"
    return f"{stem}-{exposure.number:04d}-{ending}.fits.fz"


def _degrees(value: HeaderValue) -> float | None:
    return float(value) if isinstance(value, int | float) else None

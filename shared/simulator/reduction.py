"""The pipeline: master calibrations, and science frames freed of bias, dark current and flat field."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.simulator.exposure import Exposure
from shared.simulator.frame import SimulatedFrame, catalog_hdu, finished
from shared.simulator.writing import Cards

__all__ = ["RLEVEL", "Master", "make_master", "reduce_frame"]

Floats = NDArray[np.floating]
RLEVEL = 91
DROPPED = ("BIASSEC", "DATASEC", "TRIMSEC", "FRAMENUM", "REQNUM", "OBSNUM")
STEP = 1.0 / 32.0
"""The pipeline writes no finer than this, in adu, which halves what its frames take."""


class Master:
    """A master calibration: its pixels, its basename, its frame."""

    def __init__(self, pixels: Floats, basename: str, frame: SimulatedFrame) -> None:
        self.pixels = pixels
        self.basename = basename
        self.frame = frame


def _corrected(exposure: Exposure, raw: NDArray[np.uint16]) -> Floats:
    """Subtract the overscan's median, and trim."""
    columns = exposure.shape[1]
    level = np.median(raw[:, columns:]) if exposure.overscan else exposure.camera.bias_level
    return np.asarray(raw[:, :columns] - level)


def make_master(exposures: Sequence[Exposure], raws: Sequence[NDArray[np.uint16]], bias: Master | None) -> Master:
    """Average raw frames of one kind: bias; dark current (adu/s) and flat field (median 1) after bias subtraction."""
    first = exposures[0]
    stack = []
    for exposure, raw in zip(exposures, raws, strict=True):
        image = _corrected(exposure, raw) - (bias.pixels if bias else 0.0)
        if first.image_type == "dark":
            image = image / exposure.seconds
        elif first.image_type == "skyflat":
            image = image / np.median(image)
        stack.append(image)
    pixels = np.median(stack, axis=0) if len(stack) > 2 else np.mean(stack, axis=0)
    band = f"-{first.filter_name}" if first.image_type == "skyflat" else ""
    stem = first.basename.rsplit("-", 2)[0]
    basename = f"{stem}-{first.image_type}-bin2x2{band}"
    cards = _processed(first.cards(), f"{basename}.fits.fz", first)
    cards["ORIGNAME"] = (f"{first.basename}.fits.fz", "File name of the first raw frame")
    for number, exposure in enumerate(exposures, 1):
        cards[f"L1AVG{number:03d}"] = (exposure.basename, "Raw frame in the average")
    if bias:
        cards["L1BIAS"] = (bias.basename, "Bias frame")
    unit = {"dark": "adu/s", "skyflat": ""}.get(first.image_type, "adu")
    cards["BUNIT"] = (unit, "Unit of the pixels")
    step = STEP / 256 if first.image_type != "bias" else STEP
    return Master(pixels, basename, finished(_rounded(pixels, step), cards, f"{basename}.fits.fz"))


def reduce_frame(
    exposure: Exposure, raw: NDArray[np.uint16], bias: Master, dark: Master, flat: Master
) -> SimulatedFrame:
    """Calibrate a science frame and add its star catalogue."""
    pixels = (_corrected(exposure, raw) - bias.pixels - dark.pixels * exposure.seconds) / flat.pixels
    name = f"{exposure.basename[:-2]}{RLEVEL}.fits.fz"
    catalog = exposure.catalog()
    cards = _processed(exposure.cards(), name, exposure)
    for keyword in ("REQNUM", "OBSNUM"):
        if keyword in exposure.cards():
            cards[keyword] = exposure.cards()[keyword]
    cards |= {
        "L1RAW": (exposure.basename, "Raw frame"),
        "L1BIAS": (bias.basename, "Bias frame"),
        "L1DARK": (dark.basename, "Dark frame"),
        "L1FLAT": (flat.basename, "Flat field"),
        "L1FWHM": (round(catalog.fwhm * exposure.pointing.scale * 3600.0, 3), "[arcsec] Width of the stars"),
        "L1NSRC": (int(catalog.x.size), "Number of sources"),
        "WCSERR": (0, "Error of the WCS fit, 0 for none"),
    }
    return finished(_rounded(pixels, STEP), cards, name, catalog_hdu(catalog, exposure.camera.gain))


def _processed(raw_cards: Cards, name: str, exposure: Exposure) -> dict[str, Any]:
    cards = {keyword: card for keyword, card in raw_cards.items() if keyword not in DROPPED}
    public = exposure.start + dt.timedelta(days=365)
    cards["FNAME"] = (name, "File name of this frame")
    cards["RLEVEL"] = (RLEVEL, "Reduction level")
    cards["L1PUBDAT"] = (f"{public:%Y-%m-%dT%H:%M:%S.%f}"[:-3], "[UTC] Date when the frame becomes public")
    return cards


def _rounded(pixels: Floats, step: float) -> NDArray[np.float32]:
    return np.asarray(np.rint(pixels / step) * step, np.float32)

"""The observatories: 6 sites, 12 telescopes, 25 instruments, 15 filters, 8 image types."""

from dataclasses import dataclass

__all__ = ["FILTERS", "IMAGE_TYPES", "INSTRUMENTS", "SITES", "Instrument", "Site"]

FILTERS = ("U", "B", "V", "R", "I", "up", "gp", "rp", "ip", "zs", "w", "H-Alpha", "OIII", "SII", "Hβ")

IMAGE_TYPES = {
    "object": "object",
    "standard": "object",
    "bias": "bias",
    "dark": "dark",
    "skyflat": "flat",
    "focus": "focus",
    "acquisition": "other",
    "guiding": "other",
}
"""Each image type with its class."""


@dataclass(frozen=True, slots=True)
class Site:
    """A place; degrees, east positive."""

    code: str
    longitude: float
    latitude: float


@dataclass(frozen=True, slots=True)
class Instrument:
    """A camera at its telescope; detector in pixels. ``filters`` is empty for one without filter wheel.

    ``naming`` is who names its files: an observatory's software (``lco``), NINA or MaxIm DL. The last two write less
    into their headers.
    """

    site: int
    telescope: str
    name: str
    width: int
    height: int
    filters: tuple[str, ...]
    binnings: tuple[tuple[int, int], ...] = ((1, 1), (2, 2))
    naming: str = "lco"


SITES = (
    Site("coj", 149.071, -31.273),
    Site("cpt", 20.810, -32.381),
    Site("lsc", -70.805, -30.167),
    Site("elp", -104.015, 30.680),
    Site("ogg", -156.256, 20.707),
    Site("tfn", -16.512, 28.300),
)

_JOHNSON, _SLOAN, _NARROW = FILTERS[:5], FILTERS[5:11], FILTERS[11:]
_ONE = ((1, 1),)

INSTRUMENTS = (
    Instrument(0, "1m011", "fl08", 4096, 4096, _JOHNSON + _SLOAN, _ONE),
    Instrument(0, "1m011", "kb74", 3072, 2048, ("R", "V", "rp")),
    Instrument(0, "2m002", "fs01", 4096, 4096, (*_SLOAN, "H-Alpha", "OIII"), ((2, 2), (1, 1))),
    Instrument(0, "2m002", "en05", 2048, 512, (), _ONE),
    Instrument(1, "1m010", "fl16", 4096, 4096, _JOHNSON + _SLOAN, _ONE),
    Instrument(1, "1m010", "kb70", 3072, 2048, ("V", "B", "gp")),
    Instrument(1, "1m013", "fl14", 4096, 4096, _JOHNSON + _SLOAN, _ONE),
    Instrument(1, "1m013", "nr01", 1024, 1024, ("I", "zs"), _ONE),
    Instrument(2, "1m004", "fl04", 4096, 4096, _SLOAN + _JOHNSON, _ONE),
    Instrument(2, "1m004", "kb26", 3072, 2048, ("R", "ip")),
    Instrument(2, "1m009", "fl03", 4096, 4096, _SLOAN, _ONE),
    Instrument(2, "1m009", "kb27", 3072, 2048, ("R", "ip")),
    Instrument(3, "1m008", "fl05", 4096, 4096, _JOHNSON + _SLOAN + ("H-Alpha",), _ONE),
    Instrument(3, "1m008", "kb80", 3072, 2048, ("V", "rp"), ((2, 2), (1, 1), (2, 1))),
    Instrument(3, "0m403", "kb55", 3072, 2048, _JOHNSON + _NARROW),
    Instrument(3, "0m403", "kb56", 3072, 2048, _JOHNSON),
    Instrument(4, "2m001", "fs02", 4096, 4096, _SLOAN + _NARROW, ((2, 2), (1, 1))),
    Instrument(4, "2m001", "en06", 2048, 512, (), _ONE),
    Instrument(4, "0m406", "kb82", 3072, 2048, (*_JOHNSON, "gp", "rp", "ip")),
    Instrument(4, "0m406", "kb84", 3072, 2048, ("B", "V", "gp")),
    Instrument(5, "0m414", "kb29", 3072, 2048, _JOHNSON + _SLOAN),
    Instrument(5, "0m414", "kb30", 3072, 2048, _SLOAN),
    Instrument(5, "0m414", "sq33", 4656, 3520, ("gp", "rp", "ip", "w"), ((1, 1), (2, 2), (3, 3))),
    Instrument(5, "0m310", "as29", 4144, 2822, (*_NARROW, "R", "B"), _ONE, "nina"),
    Instrument(5, "0m310", "st10", 2184, 1472, _JOHNSON, ((1, 1), (2, 2)), "maxim"),
)

"""Which keywords make the celestial WCS of an image, gathered and cleaned for WCSLIB."""

import re
from collections.abc import Mapping

from shared.fits.model import CardValue
from shared.fits.values import number

__all__ = ["celestial_axes", "wcs_keywords"]

_MAX_PV = 40
_LONGITUDES = {"RA": "", "GLON": "galactic", "ELON": "ecliptic"}
_LATITUDES = {"DEC": "", "GLAT": "galactic", "ELAT": "ecliptic"}
_CTYPE = re.compile(r"(RA|DEC|GLON|GLAT|ELON|ELAT)-{1,3}([A-Z]{3})(-SIP)?$")
_PLATE_NUMBERS = (
    *("PLTRAH", "PLTRAM", "PLTRAS", "PLTDECD", "PLTDECM", "PLTDECS", "PLTSCALE"),
    *("CNPIX1", "CNPIX2", "XPIXELSZ", "YPIXELSZ"),
    *(f"PPO{n}" for n in range(1, 7)),
    *(f"AMD{axis}{n}" for axis in "XY" for n in range(1, 21)),
)


def celestial_axes(first: Mapping[str, CardValue], naxis: int) -> tuple[int, int, str] | None:
    """Return the numbers of the longitude and the latitude axis, and ``galactic``, ``ecliptic`` or nothing."""
    if naxis >= 2 and _has_plate(first):
        return 1, 2, ""
    longitude = latitude = None
    for n in range(1, min(naxis, 9) + 1):
        match = _CTYPE.match(str(first.get(f"CTYPE{n}") or "").strip().upper())
        if match is None:
            continue
        if match[1] in _LONGITUDES and longitude is None:
            longitude = n, _LONGITUDES[match[1]]
        elif match[1] in _LATITUDES and latitude is None:
            latitude = n, _LATITUDES[match[1]]
    if longitude is None or latitude is None or longitude[1] != latitude[1]:
        return None
    return longitude[0], latitude[0], longitude[1]


def wcs_keywords(first: Mapping[str, CardValue], picked: tuple[int, ...]) -> dict[str, float | str]:
    """Return the WCS keywords of the two picked axes, renumbered as 1 and 2, for WCSLIB.

    TAN with projection parameters beyond the fourth is TPV, as SCAMP wrote it before 2012; CTYPE loses -SIP.
    """
    keywords: dict[str, float | str] = {}
    if _has_plate(first):
        keywords["PLTDECSN"] = "-" if str(first.get("PLTDECSN")).strip() == "-" else "+"
        for name in _PLATE_NUMBERS:
            _copy(first, name, keywords, name)
        return keywords
    for new, old in enumerate(picked, 1):
        keywords |= _axis(first, old, new, picked)
    for name in ("LONPOLE", "LATPOLE"):
        _copy(first, name, keywords, name)
    if str(keywords["CTYPE1"]).endswith("-TAN") and any(
        f"PV{n}_{m}" in keywords for n in (1, 2) for m in range(5, _MAX_PV)
    ):
        for n in (1, 2):
            keywords[f"CTYPE{n}"] = str(keywords[f"CTYPE{n}"]).replace("-TAN", "-TPV")
    return keywords


def _axis(first: Mapping[str, CardValue], old: int, new: int, picked: tuple[int, ...]) -> dict[str, float | str]:
    keywords: dict[str, float | str] = {
        f"CTYPE{new}": str(first[f"CTYPE{old}"]).strip().upper().removesuffix("-SIP"),
        f"CRPIX{new}": number(first.get(f"CRPIX{old}")) or 0.0,
        f"CRVAL{new}": number(first.get(f"CRVAL{old}")) or 0.0,
    }
    for stem in ("CDELT", "CROTA"):
        _copy(first, f"{stem}{old}", keywords, f"{stem}{new}")
    if (unit := _unit(first.get(f"CUNIT{old}"))) is not None:
        keywords[f"CUNIT{new}"] = unit
    for m in range(_MAX_PV):
        _copy(first, f"PV{old}_{m}", keywords, f"PV{new}_{m}")
    for column, other in enumerate(picked, 1):
        for stem in ("CD", "PC"):
            _copy(first, f"{stem}{old}_{other}", keywords, f"{stem}{new}_{column}")
    return keywords


def _has_plate(first: Mapping[str, CardValue]) -> bool:
    """Whether there is a plate solution of the Digitized Sky Survey, which outweighs the nominal WCS beside it."""
    return all(number(first.get(name)) is not None for name in ("PLTRAH", "PLTDECD", "CNPIX1", "XPIXELSZ", "AMDX1"))


def _copy(first: Mapping[str, CardValue], old: str, keywords: dict[str, float | str], new: str) -> None:
    value = number(first.get(old))
    if value is not None:
        keywords[new] = value


def _unit(value: CardValue) -> str | None:
    word = value.strip().lower() if isinstance(value, str) else ""
    if word.startswith("deg"):
        return "deg"
    return word if word in {"arcsec", "arcmin", "rad", "mas"} else None

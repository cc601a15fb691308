"""The celestial WCS of an image, reduced to its two axes: footprint and centre on the sky.

Only what two celestial axes need is given to WCSLIB: their reference point, scale, matrix and projection
parameters. SIP polynomials are evaluated here. Spectral axes, lookup tables and alternate descriptions are left
out, so a hostile WCSAXES or table has nothing to act on. Lookup tables move pixels by some tenths of a pixel.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from astropy.wcs import Wcsprm

from shared.fits.model import Card, CardValue, SkyPosition
from shared.fits.reference import ReferenceSystem, reference_system
from shared.fits.values import number
from shared.fits.wcs_keywords import celestial_axes, wcs_keywords

__all__ = ["CelestialWcs", "Footprint", "celestial_wcs"]

Footprint = tuple[SkyPosition, SkyPosition, SkyPosition, SkyPosition]

_MAX_SIP_ORDER = 9
_MIN_SIDE_DEG = 1e-9


@dataclass(frozen=True, slots=True)
class CelestialWcs:
    """Two pixel axes of an image and their way to ICRS. ``shape`` is the axes' lengths in pixels."""

    shape: tuple[int, int]
    system: ReferenceSystem
    prm: Wcsprm
    longitude_first: bool
    crpix: tuple[float, float]
    sip: tuple[Mapping[tuple[int, int], float], Mapping[tuple[int, int], float]] | None

    def sky(self, pixels: list[tuple[float, float]]) -> tuple[SkyPosition, ...] | None:
        """Return ICRS positions of 1-based pixel coordinates; None if any of them is off the projection."""
        straight = [self._undistorted(x, y) for x, y in pixels]
        if not all(math.isfinite(value) for point in straight for value in point):
            return None
        try:
            world = self.prm.p2s(np.array(straight, dtype=float), 1)["world"]
        except (ValueError, MemoryError):
            return None
        order = (0, 1) if self.longitude_first else (1, 0)
        return self.system.to_icrs([(float(point[order[0]]), float(point[order[1]])) for point in world])

    def centre(self) -> SkyPosition | None:
        """Return the position of the image's centre."""
        width, height = self.shape
        found = self.sky([((width + 1) / 2, (height + 1) / 2)])
        return found[0] if found is not None else None

    def footprint(self) -> Footprint | None:
        """Return the outer corners of the corner pixels (1,1), (N,1), (N,M), (1,M): the sky that is covered.

        Outer edges lie half a pixel outside the pixels' centres. None if a corner is no direction, or if
        all of them fall together.
        """
        right, top = self.shape[0] + 0.5, self.shape[1] + 0.5
        corners = self.sky([(0.5, 0.5), (right, 0.5), (right, top), (0.5, top)])
        if corners is None or all(_apart(corners[0], other) < _MIN_SIDE_DEG for other in corners[1:]):
            return None
        return corners[0], corners[1], corners[2], corners[3]

    def _undistorted(self, x: float, y: float) -> tuple[float, float]:
        if self.sip is None:
            return x, y
        u, v = x - self.crpix[0], y - self.crpix[1]
        return x + _polynomial(self.sip[0], u, v), y + _polynomial(self.sip[1], u, v)


def celestial_wcs(cards: tuple[Card, ...], axes: tuple[int, ...]) -> CelestialWcs | None:
    """Build the celestial WCS of an image of lengths ``axes`` (NAXIS1 first) from its own header.

    None if there is none, if it is incomplete, or if WCSLIB refuses it.
    """
    first = {card.keyword: card.value for card in reversed(cards)}
    found = celestial_axes(first, len(axes))
    if found is None:
        return None
    longitude, latitude, kind = found
    picked = tuple(sorted((longitude, latitude)))
    shape = axes[picked[0] - 1], axes[picked[1] - 1]
    if min(shape) < 1:
        return None
    keywords = wcs_keywords(first, picked)
    sip = _sip(first) if picked == (1, 2) and str(keywords.get("CTYPE1", "-TPV"))[-4:] != "-TPV" else None
    prm = _wcsprm(keywords)
    if prm is None:
        return None
    system = (
        ReferenceSystem(kind)
        if kind
        else reference_system(
            first.get("RADESYS", first.get("RADECSYS")), first.get("EQUINOX"), epoch=first.get("EPOCH")
        )
    )
    crpix = float(keywords.get("CRPIX1", 0.0)), float(keywords.get("CRPIX2", 0.0))
    return CelestialWcs(shape, system, prm, longitude < latitude, crpix, sip)


def _wcsprm(keywords: Mapping[str, float | str]) -> Wcsprm | None:
    records = ["WCSAXES =                    2"]
    for name, value in keywords.items():
        field = f"'{value:<8}'" if isinstance(value, str) else f"{value:>20.13E}"
        records.append(f"{name:<8}= {field}")
    header = "".join(record.ljust(80) for record in records) + "END".ljust(80)
    try:
        prm = Wcsprm(header=header.encode("ascii"), relax=True, warnings=False)
        prm.set()
    except (ValueError, MemoryError, UnicodeEncodeError):
        return None
    return prm


def _sip(
    first: Mapping[str, CardValue],
) -> tuple[Mapping[tuple[int, int], float], Mapping[tuple[int, int], float]] | None:
    found = []
    for stem in ("A", "B"):
        order = number(first.get(f"{stem}_ORDER"))
        if order is None or not 2 <= order <= _MAX_SIP_ORDER:
            return None
        terms = {}
        for p in range(int(order) + 1):
            for q in range(int(order) + 1 - p):
                value = number(first.get(f"{stem}_{p}_{q}"))
                if value:
                    terms[p, q] = value
        found.append(terms)
    return found[0], found[1]


def _polynomial(terms: Mapping[tuple[int, int], float], u: float, v: float) -> float:
    try:
        return math.fsum(value * u**p * v**q for (p, q), value in terms.items())
    except (OverflowError, ValueError):
        return math.nan


def _apart(one: SkyPosition, other: SkyPosition) -> float:
    """Return an upper bound of the angle between two near positions [deg]."""
    ra = abs(one.ra - other.ra)
    return math.hypot(min(ra, 360.0 - ra) * math.cos(math.radians(one.dec)), one.dec - other.dec)

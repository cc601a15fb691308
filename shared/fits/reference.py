"""Celestial reference systems as headers name them, and the way from each to ICRS."""

import math
from dataclasses import dataclass

import numpy as np
from astropy.coordinates import FK4, FK5, ICRS, BarycentricMeanEcliptic, BaseCoordinateFrame, FK4NoETerms, Galactic
from astropy.time import Time
from astropy.units import deg

from shared.fits.model import CardValue, SkyPosition
from shared.fits.values import number, text

__all__ = ["ReferenceSystem", "reference_system", "turn"]

_FIRST_EQUINOX, _LAST_EQUINOX = 1800.0, 2200.0
_FK4_BEFORE = 1984.0


@dataclass(frozen=True, slots=True)
class ReferenceSystem:
    """A system: ``icrs``, ``fk5``, ``fk4``, ``fk4-no-e``, ``galactic`` or ``ecliptic``, and its equinox in years."""

    name: str = "icrs"
    equinox: float | None = None

    def to_icrs(self, points: list[tuple[float, float]]) -> tuple[SkyPosition, ...] | None:
        """Turn (longitude, latitude) in degrees into ICRS positions; None if any of them is no direction."""
        grid = np.array(points, dtype=float)
        if not np.all(np.isfinite(grid)) or np.any(np.abs(grid[:, 1]) > 90.0 + 1e-9) or np.any(np.abs(grid) > 720.0):
            return None
        latitudes = np.clip(grid[:, 1], -90.0, 90.0)
        frame = self._frame(grid[:, 0], latitudes)
        if frame is None:
            pairs = zip(grid[:, 0], latitudes, strict=True)
        else:
            there = frame.transform_to(ICRS())
            pairs = zip(there.ra.deg, there.dec.deg, strict=True)
        return tuple(SkyPosition(turn(float(ra)), float(dec)) for ra, dec in pairs)

    def _frame(self, longitude: np.ndarray, latitude: np.ndarray) -> BaseCoordinateFrame | None:
        where = (longitude * deg, latitude * deg)
        if self.name in {"fk4", "fk4-no-e"}:
            kind = FK4 if self.name == "fk4" else FK4NoETerms
            return kind(*where, equinox=Time(self.equinox or 1950.0, format="byear", scale="tt"))
        if self.name == "fk5":
            return FK5(*where, equinox=Time(self.equinox or 2000.0, format="jyear", scale="tt"))
        if self.name == "galactic":
            return Galactic(*where)
        if self.name == "ecliptic":
            return BarycentricMeanEcliptic(*where, equinox=Time(self.equinox or 2000.0, format="jyear", scale="tt"))
        return None


def reference_system(radesys: CardValue, equinox: CardValue, *, epoch: CardValue = None) -> ReferenceSystem:
    """Tell the equatorial system from RADESYS and EQUINOX (or its old name EPOCH).

    RADESYS rules. Without it an equinox before 1984 means FK4, a later one FK5, none ICRS (Calabretta & Greisen
    2002, section 3.1). Equinoxes that cannot be are as good as none, and so is a RADESYS of another kind.
    """
    year = _year(equinox) or _year(epoch)
    name = (text(radesys) or "").upper()
    if name in {"ICRS", "FK5", "FK4", "FK4-NO-E"}:
        return ReferenceSystem(name.lower(), None if name == "ICRS" else year)
    if year is None:
        return ReferenceSystem()
    return ReferenceSystem("fk4" if year < _FK4_BEFORE else "fk5", year)


def _year(value: CardValue) -> float | None:
    if isinstance(value, str) and value.strip()[:1].upper() in {"J", "B"}:
        value = value.strip()[1:]
    year = number(value)
    return year if year is not None and _FIRST_EQUINOX <= year <= _LAST_EQUINOX else None


def turn(angle: float) -> float:
    """Bring an angle into [0, 360) degrees."""
    turned = math.fmod(angle, 360.0)
    turned = turned + 360.0 if turned < 0 else turned
    return 0.0 if turned >= 360.0 else turned + 0.0

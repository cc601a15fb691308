"""Where the telescope pointed, by keywords in degrees, hours or sexagesimal."""

import math
import re

from shared.fits.lookup import Lookup
from shared.fits.model import Card, SkyPosition
from shared.fits.reference import ReferenceSystem, reference_system, turn
from shared.fits.values import number, sexagesimal

__all__ = ["angle", "keyword_position", "site_longitude"]

_DEGREES = re.compile(r"\bdeg", re.IGNORECASE)
_HOURS = re.compile(r"\[\s*(?:h|hr|hrs)\s*\]|\(\s*(?:h|hr|hrs)\s*\)|\bhours?\b|\bhrs\b", re.IGNORECASE)
_RADIANS = re.compile(r"\bradians?\b|\[\s*rad\s*\]", re.IGNORECASE)
_WEST = re.compile(r"\bwest\b", re.IGNORECASE)
_EAST = re.compile(r"\beast|\+e\b|\be\s*\+", re.IGNORECASE)
_DEG_PER_RAD = 57.29577951308232
_PLACEHOLDER = 1e-9


def keyword_position(lookup: Lookup, field: str) -> SkyPosition | None:
    """Return the first position that the keywords of ``field`` tell.

    Right ascension in sexagesimal is hours; a plain number is degrees, unless the card's comment says hours
    or radians (``[h]``). (0, 0) is what software writes without a telescope, so it is passed over. Values are
    taken as ICRS unless RADESYS or the equinox clearly say FK4 (B1950): other equinoxes of pointing keywords
    are as often wrong as right, and move a position by less than pointing does.
    """
    for right_ascension, declination in lookup.pairs(field):
        if declination is None:
            continue
        ra, dec = angle(right_ascension, hours=True), angle(declination, hours=False)
        if ra is None or dec is None or not -360.0 <= ra <= 720.0 or not -90.0 <= dec <= 90.0:
            continue
        if abs(ra) < _PLACEHOLDER and abs(dec) < _PLACEHOLDER:
            continue
        return _in_icrs(lookup, ra, dec)
    return None


def angle(card: Card, *, hours: bool) -> float | None:
    """Read an angle [deg]; ``hours``: whether sexagesimal notation means hours, as for right ascension."""
    fields = sexagesimal(card.value)
    if fields is not None:
        return fields * 15.0 if hours and abs(fields) <= 24.0 else fields
    plain = number(card.value)
    if plain is None or _DEGREES.search(card.comment):
        return plain
    if _RADIANS.search(card.comment):
        return plain * _DEG_PER_RAD
    return plain * 15.0 if hours and abs(plain) <= 24.0 and _HOURS.search(card.comment) else plain


def site_longitude(lookup: Lookup) -> float | None:
    """Return the site's longitude, degrees east, by keyword or from the geocentric OBSGEO-X and OBSGEO-Y."""
    found = lookup.first("longitude", _longitude)
    if found is not None:
        return found
    return _geocentric(lookup)


def _longitude(card: Card) -> float | None:
    east = angle(card, hours=False)
    if east is None or not -180.0 <= east <= 360.0:
        return None
    if east > 0 and _WEST.search(card.comment) and not _EAST.search(card.comment):
        east = -east
    return east - 360.0 if east > 180.0 else east


def _geocentric(lookup: Lookup) -> float | None:
    places = [number(cards[0].value) for name in ("OBSGEO-X", "OBSGEO-Y") if (cards := lookup.cards(name))]
    if len(places) != 2 or places[0] is None or places[1] is None or not any(places):
        return None
    return math.degrees(math.atan2(places[1], places[0]))


def _in_icrs(lookup: Lookup, ra: float, dec: float) -> SkyPosition | None:
    values = [cards[0].value if (cards := lookup.cards(name)) else None for name in ("RADESYS", "EQUINOX", "EPOCH")]
    old_name = lookup.cards("RADECSYS")
    system = reference_system(values[0] or (old_name[0].value if old_name else None), values[1], epoch=values[2])
    if system.name == "fk4" and system.equinox not in {None, 1950.0}:
        system = ReferenceSystem()
    if not system.name.startswith("fk4"):
        return SkyPosition(turn(ra), dec)
    found = system.to_icrs([(turn(ra), dec)])
    return found[0] if found is not None else None

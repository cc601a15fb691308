"""Raw frames of some nights as arrays: who took them, when, of what, and where the telescope pointed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.population.network import FILTERS, IMAGE_TYPES, INSTRUMENTS, SITES
from tests.population.schedule import FIRST_NIGHT, Schedule
from tests.population.sky import Floats, horizontal, night_half, sidereal_time
from tests.population.targets import Targets

__all__ = ["BIAS", "DARK", "EPOCH_DAYS", "FLAT", "NO_FILTER", "Exposures", "Integers", "make_exposures"]

Integers = NDArray[np.int64]

_TYPES = tuple(IMAGE_TYPES)
OBJECT, STANDARD, BIAS, DARK, FLAT = (_TYPES.index(kind) for kind in ("object", "standard", "bias", "dark", "skyflat"))
NO_FILTER = -1

EPOCH_DAYS = np.datetime64(FIRST_NIGHT, "D").astype(np.int64) - np.datetime64("2000-01-01", "D").astype(np.int64) - 0.5
"""Days from J2000 to 0 h UTC of the date of the first night."""

_UNREDUCED = {"object": 0.1, "bias": 0.21, "dark": 0.15, "skyflat": 0.27, "focus": 0.09, "acquisition": 0.09}
_UNREDUCED["guiding"] = 1.0 - sum(_UNREDUCED.values())
_VISIT = 6
_LONGEST_PAUSE = 0.5 / 24.0
_CANDIDATES = 16
_LOWEST = 25.0
_TIMES = np.array([1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 240.0, 300.0, 600.0, 900.0])
_DARK_TIMES = np.array([60.0, 300.0, 900.0])
_ARCSEC = 1.0 / 3600.0
_SITE = np.array([instrument.site for instrument in INSTRUMENTS])
_LONGITUDE = np.array([site.longitude for site in SITES])
_LATITUDE = np.array([site.latitude for site in SITES])
_WHEELS = [[FILTERS.index(name) for name in instrument.filters] or [NO_FILTER] for instrument in INSTRUMENTS]
_WHEEL_SIZES = np.array([len(wheel) for wheel in _WHEELS])
_WHEEL = np.array([wheel + [NO_FILTER] * (len(FILTERS) - len(wheel)) for wheel in _WHEELS])
_BINNINGS = np.array([len(instrument.binnings) for instrument in INSTRUMENTS])


@dataclass(frozen=True, slots=True)
class Exposures:
    """Raw frames by night, instrument and time; ``days`` since J2000 in UTC, angles in degrees.

    ``number`` counts the frames of an instrument in a night from 1, ``visit`` the stays at one object. ``target`` is
    -1 for what shows no object, which has no position either (NaN). ``binning`` is a choice among the instrument's.
    """

    night: Integers
    instrument: Integers
    kind: Integers
    is_reduced: NDArray[np.bool_]
    days: Floats
    number: Integers
    visit: Integers
    target: Integers
    filter: Integers
    binning: Integers
    exposure: Floats
    ra: Floats
    dec: Floats


def make_exposures(
    random: np.random.Generator, schedule: Schedule, targets: Targets, nights: range, reduced: int
) -> Exposures:
    """Take the frames of some nights; ``reduced`` of them are to be reduced."""
    counts = schedule.counts[nights.start : nights.stop]
    instrument = np.tile(np.arange(len(INSTRUMENTS)), len(nights)).repeat(counts.ravel())
    night = np.arange(nights.start, nights.stop).repeat(counts.sum(axis=1))
    number = _ranks(night * len(INSTRUMENTS) + instrument)
    is_needed = (night == schedule.first[instrument]) & (number < 3)
    is_reduced = np.zeros(len(night), dtype=np.bool_)
    is_reduced[random.permutation(np.flatnonzero(~is_needed))[:reduced]] = True
    unreduced = [_TYPES.index(kind) for kind in _UNREDUCED]
    kind = np.where(is_reduced, OBJECT, random.choice(unreduced, len(night), p=list(_UNREDUCED.values())))
    kind[is_needed] = np.array([BIAS, DARK, FLAT])[number[is_needed]]
    days = _begin(random, night, instrument, kind)
    order = np.lexsort((days, instrument, night))
    kind, days, is_reduced = kind[order], days[order], is_reduced[order]
    visit, target = _visits(random, night * len(INSTRUMENTS) + instrument, days, _SITE[instrument], targets)
    is_calibration = (kind == BIAS) | (kind == DARK) | (kind == FLAT)
    kind[(kind == OBJECT) & targets.is_standard[target]] = STANDARD
    ra, dec = _pointings(random, visit, target, targets)
    ra[is_calibration], dec[is_calibration] = np.nan, np.nan
    return Exposures(
        night=night,
        instrument=instrument,
        kind=kind,
        is_reduced=is_reduced,
        days=days,
        number=number + 1,
        visit=visit,
        target=np.where(is_calibration, -1, target),
        filter=_filters(random, visit, instrument),
        binning=np.floor(_by_visit(random, visit) ** 2 * _BINNINGS[instrument]).astype(np.int64),
        exposure=_exposure_times(random, visit, kind),
        ra=ra,
        dec=dec,
    )


def _ranks(groups: Integers) -> Integers:
    """Return the place of each element among its neighbours of the same group, from 0."""
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    return np.arange(len(groups)) - starts.repeat(np.diff(starts, append=len(groups)))


def _by_visit(random: np.random.Generator, visit: Integers) -> Floats:
    """Return a random number from 0 to 1 that the frames of a visit share."""
    shared: Floats = random.random(int(visit[-1]) + 1)[visit]
    return shared


def _begin(random: np.random.Generator, night: Integers, instrument: Integers, kind: Integers) -> Floats:
    """Return when frames begin: bias and dark in the afternoon, flats at dusk, all else while it is dark."""
    midnight: Floats = EPOCH_DAYS + night + 1.0 - _LONGITUDE[_SITE[instrument]] / 360.0
    half = night_half(midnight, _LATITUDE[_SITE[instrument]])
    share = random.random(len(night))
    hours = (half - 1.2) * (2.0 * share - 1.0)
    hours = np.where(kind == FLAT, -half - 0.1 + 0.6 * share, hours)
    hours = np.where((kind == BIAS) | (kind == DARK), -half - 0.5 - 2.5 * share, hours)
    return midnight + hours / 24.0


def _visits(
    random: np.random.Generator, groups: Integers, days: Floats, site: Integers, targets: Targets
) -> tuple[Integers, Integers]:
    """Return the visit of each frame, and its target: the first of some candidates that stands high enough."""
    is_other = (np.diff(groups, prepend=-1) != 0) | (np.diff(days, prepend=0.0) > _LONGEST_PAUSE)
    begins = is_other | (random.random(len(groups)) < 1.0 / _VISIT)
    visit = np.cumsum(begins) - 1
    sidereal = sidereal_time(days[begins], _LONGITUDE[site[begins]])
    drawn = np.searchsorted(targets.cumulated, random.random((len(sidereal), _CANDIDATES)))
    candidates = np.minimum(drawn, len(targets.names) - 1)
    latitude = _LATITUDE[site[begins]]
    altitude, _ = horizontal(
        sidereal[:, np.newaxis], latitude[:, np.newaxis], targets.ra[candidates], targets.dec[candidates]
    )
    is_high = altitude > _LOWEST
    best = np.where(is_high.any(axis=1), is_high.argmax(axis=1), altitude.argmax(axis=1))
    return visit, candidates[np.arange(len(best)), best][visit]


def _pointings(
    random: np.random.Generator, visit: Integers, target: Integers, targets: Targets
) -> tuple[Floats, Floats]:
    """Return positions around the target: a visit is off by an arcminute or so, and dithers by arcseconds."""
    visits = int(visit[-1]) + 1
    east, north = (random.normal(0.0, 60.0 * _ARCSEC, visits)[visit] for _ in range(2))
    east += random.normal(0.0, 12.0 * _ARCSEC, len(visit))
    north += random.normal(0.0, 12.0 * _ARCSEC, len(visit))
    dec = np.clip(targets.dec[target] + north, -89.9, 89.9)
    return (targets.ra[target] + east / np.cos(np.radians(dec))) % 360.0, dec


def _filters(random: np.random.Generator, visit: Integers, instrument: Integers) -> Integers:
    """Return filters: a visit begins with any, and changes to the next one after some frames."""
    place = np.floor(_by_visit(random, visit) * 100).astype(np.int64) + _ranks(visit) // 3
    found: Integers = _WHEEL[instrument, place % _WHEEL_SIZES[instrument]]
    return found


def _exposure_times(random: np.random.Generator, visit: Integers, kind: Integers) -> Floats:
    """Return seconds: round ones for most, any for some and for flats."""
    visits = int(visit[-1]) + 1
    usual = random.choice(_TIMES, visits)
    any_time = np.round(random.lognormal(3.5, 1.0, visits), 3)
    seconds = np.where(random.random(visits) < 0.85, usual, any_time)[visit]
    seconds = np.where(kind == FLAT, np.round(random.uniform(1.0, 45.0, len(visit)), 3), seconds)
    seconds = np.where(kind == DARK, random.choice(_DARK_TIMES, len(visit)), seconds)
    return np.where(kind == BIAS, 0.0, seconds)

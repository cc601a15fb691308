"""A night's schedule: calibrations by day, flats at dusk, targets by altitude, reduction in the morning."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from shared.simulator.exposure import Exposure
from shared.simulator.fields import FIELDS, FILTERS, Field
from shared.simulator.frame import SimulatedFrame, finished
from shared.simulator.reduction import Master, make_master, reduce_frame
from shared.simulator.site import Site

__all__ = ["schedule", "simulate_night"]

READOUT = dt.timedelta(seconds=12.415)
SLEW = dt.timedelta(seconds=48.207)
EXPOSURES = {"B": 180.0, "V": 120.0, "R": 120.0}
FLATS = 3
VISITS = 5
VISIT = dt.timedelta(minutes=9)
FIRST_REQUEST = 1700


def simulate_night(
    *, night: dt.date, seed: int = 0, shape: tuple[int, int] = (512, 512), site: Site | None = None
) -> Iterator[SimulatedFrame]:
    """Simulate a night, frame by frame in the order in which a telescope and its pipeline would write them.

    Raw biases, darks, sky flats in three filters, a focus frame and five targets in three filters; then the master
    calibrations and the reduced frames (RLEVEL 91) with their catalogues. The same arguments give the same bytes.

    Parameters
    ----------
    night
        Date of the evening.
    seed
        Of the noise.
    shape
        Rows and columns of the frames without overscan; the field is always 10.24 arcmin wide.
    site
        Where the telescope stands; by default 28.8 deg north, 17.9 deg west.
    """
    groups: dict[tuple[str, str], list[tuple[Exposure, Any]]] = {}
    for exposure in schedule(night=night, seed=seed, shape=shape, site=site or Site()):
        raw = exposure.raw()
        band = exposure.filter_name if exposure.image_type not in ("bias", "dark") else ""
        groups.setdefault((exposure.image_type, band), []).append((exposure, raw))
        yield finished(raw, exposure.cards(), f"{exposure.basename}.fits.fz")
    masters: dict[tuple[str, str], Master] = {}
    for kind in ("bias", "dark", "skyflat"):
        for group in [key for key in groups if key[0] == kind]:
            exposures, raws = zip(*groups[group], strict=True)
            masters[group] = make_master(exposures, raws, masters.get(("bias", "")))
            yield masters[group].frame
    science = [pair for key, pairs in groups.items() if key[0] == "object" for pair in pairs]
    for exposure, raw in sorted(science, key=lambda pair: pair[0].number):
        flat = masters["skyflat", exposure.filter_name]
        yield reduce_frame(exposure, raw, masters["bias", ""], masters["dark", ""], flat)


def schedule(*, night: dt.date, seed: int, shape: tuple[int, int], site: Site) -> Iterator[Exposure]:
    """Plan the exposures of a night in the order of time."""
    noon = site.noon(night)
    common: dict[str, Any] = {
        "site": site,
        "night": night,
        "shape": shape,
        "overscan": max(2, shape[1] // 16),
        "seed": seed,
    }
    number, time = 0, noon + dt.timedelta(hours=3, minutes=10, microseconds=183_000 + seed % 1000)

    def take(image_type: str, seconds: float, filter_name: str = "V", **more: Any) -> Exposure:
        nonlocal number, time
        number += 1
        start, time = time, time + dt.timedelta(seconds=seconds) + READOUT
        details = {"field": None, **more}
        return Exposure(
            number=number,
            start=start,
            image_type=image_type,
            filter_name=filter_name,
            seconds=seconds,
            **details,
            **common,
        )

    for _ in range(5):
        yield take("bias", 0.0)
    for _ in range(3):
        yield take("dark", 300.0)
    time = _when_sun_is_below(site, -4.0, time)
    for index, band in enumerate(FILTERS):
        for repeat in range(FLATS):
            yield take("skyflat", round(1.2 * 1.5 ** (FLATS * index + repeat), 1), band)
    time = _when_sun_is_below(site, -12.0, time)
    target = _highest(site, time, set())
    yield take("focus", 20.0, field=target, defocus=max(1.0, 6.0 * max(shape) / 512), request=FIRST_REQUEST)
    done: set[str] = set()
    dark_until = _when_sun_is_above(site, -14.0, noon + dt.timedelta(hours=12))
    pause = (dark_until - time - VISIT) / (VISITS - 1)
    dusk = time
    for visit in range(VISITS):
        time = max(time, dusk + visit * pause) + SLEW
        target = _highest(site, time, done)
        done.add(target.name)
        for band, seconds in EXPOSURES.items():
            yield take("object", seconds, band, field=target, request=FIRST_REQUEST + visit + 1)


def _highest(site: Site, time: dt.datetime, done: set[str]) -> Field:
    """Return the field that stands highest among those not yet observed."""
    return max((field for field in FIELDS if field.name not in done), key=lambda field: _altitude(site, field, time))


def _altitude(site: Site, field: Field, time: dt.datetime) -> float:
    return site.horizontal(field.ra, field.dec, time).altitude


def _when_sun_is_below(site: Site, altitude: float, time: dt.datetime) -> dt.datetime:
    """Return the first minute from then on; after a day of search the time itself (polar summer)."""
    minutes = (time + dt.timedelta(minutes=count) for count in range(1440))
    return next((minute for minute in minutes if site.sun_altitude(minute) < altitude), time)


def _when_sun_is_above(site: Site, altitude: float, time: dt.datetime) -> dt.datetime:
    """Return the last moment of darkness; eight hours on where there is none (polar winter)."""
    minutes = (time + dt.timedelta(minutes=count) for count in range(1440))
    later = time + dt.timedelta(hours=8)
    return next((minute for minute in minutes if site.sun_altitude(minute) > altitude), later)

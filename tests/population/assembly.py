"""From exposures to the rows of an archive: names, keys, links, and all that headers say besides."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.population.batch import Batch
from tests.population.exposures import BIAS, DARK, FLAT, NO_FILTER, Exposures, Integers
from tests.population.names import CODES, lco_name, maxim_name, nina_name
from tests.population.network import FILTERS, IMAGE_TYPES, INSTRUMENTS, SITES
from tests.population.schedule import FIRST_NIGHT, NIGHTS
from tests.population.sky import Floats, horizontal, moon, separation, sidereal_time, sun
from tests.population.targets import Targets

__all__ = ["Assembler"]

_REDUCED_LEVEL = 91
_TYPES = tuple(IMAGE_TYPES)
_CALIBRATIONS = (BIAS, DARK, FLAT)
_DATES = [(FIRST_NIGHT + dt.timedelta(days=night)) for night in range(NIGHTS)]
_DATE_TEXTS = [f"{date:%Y%m%d}" for date in _DATES]
_J2000 = np.datetime64("2000-01-01T12:00:00", "us")
_DAY = 86_400_000_000
_PROPOSALS = [f"LCO{2015 + number // 8}{'AB'[number % 2]}-{number % 40 + 1:03d}" for number in range(80)]
_IS_OWN = np.array([instrument.naming == "lco" for instrument in INSTRUMENTS])
_SITE = np.array([instrument.site for instrument in INSTRUMENTS])
_CORNERS = ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5))


class Assembler:
    """Makes batches one after another; remembers what later ones refer to."""

    def __init__(self, seed: int, targets: Targets) -> None:
        self._next_id = 1
        self._visits = 0
        self._latest: dict[tuple[int, int], tuple[int, str]] = {}
        self._targets = targets
        random = np.random.default_rng([seed, 4])
        self._proposal_of_target = random.integers(0, len(_PROPOSALS), len(targets.names))
        self._focus = random.uniform(-2.0, 2.0, len(INSTRUMENTS))

    def assemble(self, random: np.random.Generator, raw: Exposures) -> Batch:
        """Return the frames as they come into the archive: night by night, the raw before the reduced ones."""
        reduced = np.flatnonzero(raw.is_reduced)
        row = np.concatenate([np.arange(len(raw.night)), reduced])
        is_reduced = np.arange(len(row)) >= len(raw.night)
        order = np.lexsort((raw.days[row], is_reduced, raw.night[row]))
        row, is_reduced = row[order], is_reduced[order]
        level = np.where(is_reduced, _REDUCED_LEVEL, 0)
        columns = self._who_and_what(random, raw, row, level)
        columns |= self._where(random, raw, row, is_reduced)
        columns |= self._circumstances(random, raw, row)
        columns |= self._file(random, raw, row, level, columns)
        columns |= _constants(raw, row, is_reduced)
        linking, targets, target_ids = self._links(raw, row, is_reduced, columns["basename"])
        batch = Batch(self._next_id, columns, linking, targets, target_ids)
        self._next_id += len(row)
        self._visits += int(raw.visit[-1]) + 1
        return batch

    def _who_and_what(
        self, random: np.random.Generator, raw: Exposures, row: Integers, level: Integers
    ) -> dict[str, list[Any]]:
        instrument, kind, visit = raw.instrument[row], raw.kind[row], raw.visit[row]
        is_own = _IS_OWN[instrument]
        target = raw.target[row]
        is_sky = target >= 0
        named = is_sky & (_per_raw(random, raw)[row] > 0.01)
        has_filter = (raw.filter[row] != NO_FILTER) & ((kind == FLAT) | is_sky | (_per_raw(random, raw)[row] < 0.4))
        dated = is_own | ~is_sky | (_per_raw(random, raw)[row] > 0.05)
        requests, observations = visit // 3, visit
        proposed = is_sky & is_own
        date_obs = _microseconds(raw.days[row])
        released = proposed & (level > 0)
        return {
            "site": _pick([SITES[i.site].code for i in INSTRUMENTS], instrument),
            "telescope": _pick([i.telescope for i in INSTRUMENTS], instrument),
            "instrument": _pick([i.name for i in INSTRUMENTS], instrument),
            "image_type": _pick(_TYPES, kind),
            "image_class": _pick(list(IMAGE_TYPES.values()), kind),
            "object_name": _where(named, _pick(self._targets.names, target)),
            "filter_name": _where(has_filter, _pick(FILTERS, raw.filter[row])),
            "exposure_time": raw.exposure[row].tolist(),
            "date_obs": _where(dated, date_obs.tolist()),
            "night": _where(dated, _pick(_DATES, raw.night[row])),
            "reduction_level": level.tolist(),
            "proposal_id": _where(proposed, _pick(_PROPOSALS, self._proposal_of_target[target])),
            "public_date": _where(released, (date_obs + np.timedelta64(365, "D")).tolist()),
            "request_number": _where(proposed, [f"{n + self._visits // 3:010d}" for n in requests.tolist()]),
            "observation_number": _where(proposed, [str(n + self._visits) for n in observations.tolist()]),
        }

    def _where(
        self, random: np.random.Generator, raw: Exposures, row: Integers, is_reduced: NDArray[np.bool_]
    ) -> dict[str, list[Any]]:
        has_position = (raw.target >= 0) & (random.random(len(raw.night)) > 0.02)
        size = np.array([13.0 if i.width < 4000 else 26.5 for i in INSTRUMENTS])[raw.instrument[row]] / 60.0
        ra, dec = raw.ra[row], raw.dec[row]
        solved = np.where(is_reduced, 1.0 / 3600.0, 0.0) * random.normal(0.0, 1.0, len(row))
        ra, dec = np.round((ra + solved) % 360.0, 6) % 360.0, np.round(dec + solved, 6)
        scale = 1.0 / np.cos(np.radians(dec))
        corners = [
            ((np.round((ra + x * size * scale) % 360.0, 6)).tolist(), np.round(dec + y * size, 6).tolist())
            for x, y in _CORNERS
        ]
        boxes = list(zip(*(zip(east, north, strict=True) for east, north in corners), strict=True))
        there = has_position[row]
        return {
            "ra": _where(there, ra.tolist()),
            "dec": _where(there, dec.tolist()),
            "footprint": _where(there & is_reduced, boxes),
        }

    def _circumstances(self, random: np.random.Generator, raw: Exposures, row: Integers) -> dict[str, list[Any]]:
        instrument = raw.instrument
        site = _SITE[instrument]
        latitude = np.array([place.latitude for place in SITES])[site]
        sidereal = sidereal_time(raw.days, np.array([place.longitude for place in SITES])[site])
        altitude, azimuth = horizontal(sidereal, latitude, raw.ra, raw.dec)
        sun_ra, sun_dec = sun(raw.days)
        moon_ra, moon_dec = moon(raw.days)
        sun_altitude, _ = horizontal(sidereal, latitude, sun_ra, sun_dec)
        moon_altitude, _ = horizontal(sidereal, latitude, moon_ra, moon_dec)
        fraction = (1.0 - np.cos(np.radians(separation(sun_ra, sun_dec, moon_ra, moon_dec)))) / 2.0
        focus = self._focus[instrument] + random.normal(0.0, 0.05, len(site))
        own = _IS_OWN[instrument]
        pointed = raw.target >= 0
        return {
            "altitude": _rounded(altitude, pointed, row),
            "azimuth": _rounded(azimuth, pointed, row),
            "focus": _rounded(focus, random.random(len(site)) > 0.1, row),
            "sun_altitude": _rounded(sun_altitude, own, row),
            "sun_distance": _rounded(separation(sun_ra, sun_dec, raw.ra, raw.dec), own & pointed, row),
            "moon_altitude": _rounded(moon_altitude, own, row),
            "moon_fraction": _rounded(fraction, own, row),
            "moon_distance": _rounded(separation(moon_ra, moon_dec, raw.ra, raw.dec), own & pointed, row),
        }

    def _file(
        self, random: np.random.Generator, raw: Exposures, row: Integers, level: Integers, known: dict[str, list[Any]]
    ) -> dict[str, list[Any]]:
        instrument = raw.instrument[row].tolist()
        dates = _pick(_DATE_TEXTS, raw.night[row])
        numbers = raw.number[row].tolist()
        described = (known["object_name"], known["image_type"], known["filter_name"], known["exposure_time"])
        names, raw_names = (
            [
                _name(which, date, number, depth, name, kind, colour, seconds)
                for which, date, number, depth, name, kind, colour, seconds in zip(
                    instrument, dates, numbers, levels, *described, strict=True
                )
            ]
            for levels in (level.tolist(), [0] * len(row))
        )
        folders = [f"{SITES[i.site].code}/{i.name}" for i in INSTRUMENTS]
        filenames = [f"{name}.fits.fz" for name in names]
        kept = _IS_OWN[raw.instrument[row]]
        latency = np.where(level > 0, random.uniform(6 * 3600.0, 30 * 3600.0, len(row)), 20.0)
        latency += random.exponential(30.0, len(row)) + raw.exposure[row]
        modified = _microseconds(raw.days[row] + latency / 86400.0).astype("datetime64[s]")
        return {
            "basename": names,
            "filename": filenames,
            "origin_name": _where(kept, [f"{name}.fits" for name in raw_names]),
            "key": [
                f"{folders[which]}/{date}/{'processed' if depth else 'raw'}/{filename}"
                for which, date, depth, filename in zip(instrument, dates, level.tolist(), filenames, strict=True)
            ],
            "last_modified": modified.tolist(),
            "crc32": random.integers(0, 2**32, len(row)).tolist(),
            "sha256": _hex(random, len(row), 32),
            "etag": _hex(random, len(row), 16),
            "digest": [
                f"{place}/{state}"
                for place, state in zip(_hex(random, len(row), 32), _hex(random, len(row), 8), strict=True)
            ],
        } | _pixels(random, raw, row)

    def _links(
        self, raw: Exposures, row: Integers, is_reduced: NDArray[np.bool_], names: Sequence[str]
    ) -> tuple[list[int], list[tuple[str, str, str]], list[tuple[int, int, int]]]:
        linking = np.flatnonzero(is_reduced)
        instrument = raw.instrument[row]
        kind = np.where(is_reduced, -1, raw.kind[row])
        found: list[list[tuple[int, str]]] = [[(0, "")] * len(linking) for _ in _CALIBRATIONS]
        for which in range(len(INSTRUMENTS)):
            mine = np.flatnonzero(instrument[linking] == which)
            for column, calibration in enumerate(_CALIBRATIONS):
                places = np.flatnonzero((instrument == which) & (kind == calibration))
                known = [(self._next_id + place, names[place]) for place in places.tolist()]
                earlier = self._latest.get((which, calibration))
                for at, before in zip(mine.tolist(), np.searchsorted(places, linking[mine]).tolist(), strict=True):
                    latest = known[before - 1] if before else earlier
                    assert latest is not None
                    found[column][at] = latest
                if known:
                    self._latest[which, calibration] = known[-1]
        triples = list(zip(*found, strict=True))
        return (
            linking.tolist(),
            [(bias[1], dark[1], flat[1]) for bias, dark, flat in triples],
            [(bias[0], dark[0], flat[0]) for bias, dark, flat in triples],
        )


def _name(
    which: int, date: str, number: int, level: int, target: str | None, kind: str, colour: str | None, seconds: float
) -> str:
    instrument = INSTRUMENTS[which]
    match instrument.naming:
        case "nina":
            word = "LIGHT" if target else kind.upper()
            return nina_name((target or "", word, colour or ""), date, number, seconds, level)
        case "maxim":
            return maxim_name((target or kind, colour or ""), date, number, level)
        case _:
            place = f"{SITES[instrument.site].code}{instrument.telescope}-{instrument.name}"
            return lco_name(place, date, number, CODES.get(kind, "e"), level)


def _pixels(random: np.random.Generator, raw: Exposures, row: Integers) -> dict[str, list[Any]]:
    instrument = raw.instrument[row]
    choices = [[i.binnings[min(n, len(i.binnings) - 1)] for n in range(3)] for i in INSTRUMENTS]
    x, y = np.moveaxis(np.array(choices)[instrument, raw.binning[row]], -1, 0)
    told = _per_raw(random, raw)[row] > np.where(_IS_OWN[instrument], 0.0, 0.03)
    width = np.array([i.width for i in INSTRUMENTS])[instrument] // x
    height = np.array([i.height for i in INSTRUMENTS])[instrument] // y
    size = (width * height * random.uniform(0.8, 1.4, len(row))).astype(np.int64) // 2880 * 2880 + 5760
    windowed = _per_raw(random, raw)[row] < 0.05
    mean = random.lognormal(5.5, 1.2, len(row))
    return {
        "size": size.tolist(),
        "x_binning": _where(told, x.tolist()),
        "y_binning": _where(told, y.tolist()),
        "x_origin": _where(_IS_OWN[instrument], np.where(windowed, width // 4, 0).tolist()),
        "y_origin": _where(_IS_OWN[instrument], np.where(windowed, height // 4, 0).tolist()),
        "width": np.where(windowed, width // 2, width).tolist(),
        "height": np.where(windowed, height // 2, height).tolist(),
        "data_mean": _where(random.random(len(row)) > 0.02, np.round(mean, 4).tolist()),
    }


def _constants(raw: Exposures, row: Integers, is_reduced: NDArray[np.bool_]) -> dict[str, list[Any]]:
    rows = len(row)
    lists = {True: ("image", "compressed-image", "table"), False: ("image", "compressed-image")}
    return {
        "bucket": ["frames"] * rows,
        "version_id": [None] * rows,
        "hdu_count": np.where(is_reduced, 3, 2).tolist(),
        "hdu_kinds": [lists[has_catalog] for has_catalog in is_reduced.tolist()],
        "science_hdu": [1] * rows,
        "container": ["none"] * rows,
        "checksum": _pick(("verified", "absent"), np.where(_IS_OWN[raw.instrument[row]], 0, 1)),
        "notes": [()] * rows,
        "catalog_rows": _where(is_reduced, (raw.number[row] * 37 % 4000).tolist()),
    }


def _per_raw(random: np.random.Generator, raw: Exposures) -> Floats:
    """Return a random number for each raw frame, which a reduced one is to share."""
    return random.random(len(raw.night))


def _pick(values: Sequence[Any], places: NDArray[Any]) -> list[Any]:
    table = np.empty(len(values), dtype=object)
    table[:] = values
    chosen: list[Any] = table[places].tolist()
    return chosen


def _where(mask: NDArray[np.bool_], values: list[Any]) -> list[Any]:
    return [value if there else None for there, value in zip(mask.tolist(), values, strict=True)]


def _rounded(values: Floats, mask: NDArray[np.bool_], row: Integers) -> list[Any]:
    return _where(mask[row], np.round(values, 4)[row].tolist())


def _microseconds(days: Floats) -> NDArray[np.datetime64]:
    """Return times of days since J2000; at this distance a double tells some tenths of a microsecond apart."""
    return _J2000 + np.round(days * _DAY).astype("timedelta64[us]")


def _hex(random: np.random.Generator, rows: int, size: int) -> list[str]:
    digits = random.bytes(rows * size).hex()
    return [digits[place : place + 2 * size] for place in range(0, len(digits), 2 * size)]

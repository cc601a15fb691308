"""The index as a plain list: random frames, and what each query must answer, worked out without a database."""

import datetime as dt
import math
import random
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from shared.index.record import FrameRecord
from tests.index.factory import make_record

__all__ = ["SORT_KEYS", "aggregate", "facet_counts", "matching", "random_records", "separation", "sorted_ids"]

Row = tuple[int, FrameRecord]

OBJECTS = ("M42", "m 42", "NGC 7000", "100%_done\\now", "STRASSE", "straße 7", "Ångström", "None", "ALL", "", None)
FILTERS = ("Red", "red", "V", "None", "u'", None)
START = dt.datetime.fromisoformat("2024-01-15T18:00:00")


def random_records(count: int, seed: int) -> list[FrameRecord]:
    """Return frames that share few values, so that every filter leaves some; about one in ten values is missing."""
    rng = random.Random(seed)
    return [_random_record(rng, number) for number in range(count)]


def _random_record(rng: random.Random, number: int) -> FrameRecord:
    def some(*values: Any) -> Any:
        return rng.choice(values) if rng.random() > 0.1 else None

    date_obs = START + dt.timedelta(hours=rng.randrange(72), microseconds=rng.choice((0, 1, 123_456)))
    ra, dec = _random_position(rng)
    has_position = rng.random() > 0.1
    stem = rng.choice(("e00", "E91", "50%", "flat_x", "ÄÖ"))
    return make_record(
        key=f"{rng.choice('abc')}/{number:04}-{stem}.fits",
        site=some("sutherland", "Sutherland", "mcdonald"),
        telescope=some("0m5", "1m0"),
        instrument=some("kb03", "ZWO ASI294MC Pro"),
        image_type=some("object", "bias", "Light Frame"),
        object_name=rng.choice(OBJECTS),
        filter_name=rng.choice(FILTERS),
        exposure_time=some(0.0, 0.1, 30.0, 30.000001, 600.0),
        date_obs=date_obs if rng.random() > 0.1 else None,
        night=some(dt.date(2024, 1, 15), dt.date(2024, 1, 16)),
        x_binning=some(1, 2, 10),
        y_binning=some(1, 2),
        reduction_level=rng.choice((0, 0, 1, 91)),
        request_number=some("12", "0012", "7"),
        observation_number=some("1", "2"),
        ra=ra if has_position else None,
        dec=dec if has_position else None,
        altitude=some(30.0, 45.5, -1.0),
        sun_altitude=some(-18.0, -30.0),
        moon_fraction=some(0.0, 0.5, 1.0),
        x_origin=some(0, 16),
        width=some(1024, 2**40),
        data_mean=some(1234.5, -3.0),
    )


def _random_position(rng: random.Random) -> tuple[float, float]:
    around_ra, around_dec = rng.choice(((0.0, 0.0), (0.0, 90.0), (0.0, -90.0), (83.8, -5.4), (180.0, 60.0)))
    dec = around_dec + rng.uniform(-1.0, 1.0)
    if abs(dec) > 90.0:
        dec = math.copysign(180.0, dec) - dec
    ra = rng.uniform(0.0, 360.0) if abs(around_dec) == 90.0 else around_ra + rng.uniform(-1.0, 1.0)
    return rng.choice((ra, round(ra))) % 360.0, dec


def separation(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Return the angle between two positions in degrees, by Vincenty's formula."""
    (alpha, delta), (beta, gamma) = (tuple(map(math.radians, position)) for position in (one, other))
    shift = beta - alpha
    across = math.cos(gamma) * math.sin(shift)
    along = math.cos(delta) * math.sin(gamma) - math.sin(delta) * math.cos(gamma) * math.cos(shift)
    dot = math.sin(delta) * math.sin(gamma) + math.cos(delta) * math.cos(gamma) * math.cos(shift)
    return math.degrees(math.atan2(math.hypot(across, along), dot))


def _contains(part: str, text: str | None) -> bool:
    return text is not None and _same_case(part.strip()) in _same_case(text)


def _same_case(text: str) -> str:
    return unicodedata.normalize("NFC", text.casefold())


def _near(value: tuple[str, str, str], record: FrameRecord) -> bool:
    ra, dec, radius = map(float, value)
    if record.ra is None or record.dec is None:
        return False
    return separation((ra, dec), (record.ra, record.dec)) <= radius / 60.0


PREDICATES: dict[str, Callable[[Any, FrameRecord], bool]] = {
    "IMAGETYPE": lambda value, record: record.image_type == value,
    "SITE": lambda value, record: record.site == value,
    "TELESCOPE": lambda value, record: record.telescope == value,
    "INSTRUMENT": lambda value, record: record.instrument == value,
    "FILTER": lambda value, record: (record.filter_name or "None") == value,
    "binning": lambda value, record: _binning(record) == value,
    "RLEVEL": lambda value, record: record.reduction_level == int(value),
    "OBJECT": lambda value, record: _contains(value, record.object_name),
    "basename": lambda value, record: _contains(value, record.basename),
    "EXPTIME": lambda value, record: record.exposure_time is not None and record.exposure_time >= float(value),
    "night": lambda value, record: record.night == dt.date.fromisoformat(value),
    "REQNUM": lambda value, record: record.request_number == value,
    "OBSNUM": lambda value, record: record.observation_number == value,
    "start": lambda value, record: record.date_obs is not None and record.date_obs >= dt.datetime.fromisoformat(value),
    "end": lambda value, record: record.date_obs is not None and record.date_obs <= dt.datetime.fromisoformat(value),
    "cone": _near,
}


def _binning(record: FrameRecord) -> str:
    return f"{record.x_binning or 1}x{record.y_binning or 1}"


def matching(rows: Sequence[Row], wanted: dict[str, Any], *, undated: bool = False) -> list[Row]:
    """Return the frames that meet all conditions; ``cone`` stands for (RA, DEC, radius)."""
    return [
        (frame_id, record)
        for frame_id, record in rows
        if (undated or record.date_obs is not None)
        and all(PREDICATES[name](value, record) for name, value in wanted.items())
    ]


SORT_KEYS: dict[str, Callable[[FrameRecord], Any]] = {
    "basename": lambda record: record.basename,
    "path": lambda record: record.key,
    "SITEID": lambda record: record.site,
    "TELID": lambda record: record.telescope,
    "INSTRUME": lambda record: record.instrument,
    "IMAGETYP": lambda record: record.image_type,
    "OBSTYPE": lambda record: record.image_type,
    "RLEVEL": lambda record: record.reduction_level,
    "DATE_OBS": lambda record: record.date_obs,
    "night": lambda record: record.night,
    "OBJECT": lambda record: record.object_name or None,
    "TEL_RA": lambda record: record.ra,
    "TEL_DEC": lambda record: record.dec,
    "TEL_ALT": lambda record: record.altitude,
    "TEL_AZ": lambda record: record.azimuth,
    "TEL_FOCU": lambda record: record.focus,
    "SUNALT": lambda record: record.sun_altitude,
    "SUNDIST": lambda record: record.sun_distance,
    "MOONALT": lambda record: record.moon_altitude,
    "MOONFRAC": lambda record: record.moon_fraction,
    "MOONDIST": lambda record: record.moon_distance,
    "EXPTIME": lambda record: record.exposure_time,
    "FILTER": lambda record: record.filter_name,
    "XBINNING": lambda record: record.x_binning,
    "YBINNING": lambda record: record.y_binning,
    "binning": _binning,
    "XORGSUBF": lambda record: record.x_origin,
    "YORGSUBF": lambda record: record.y_origin,
    "width": lambda record: record.width,
    "height": lambda record: record.height,
    "DATAMEAN": lambda record: record.data_mean,
    "REQNUM": lambda record: record.request_number,
    "OBSNUM": lambda record: record.observation_number,
}


def sorted_ids(rows: Sequence[Row], sort: str, *, descending: bool) -> list[int]:
    """Return the ids in order: nulls last, or first if descending; ties by ascending id."""
    by_id = sorted(rows, key=lambda row: row[0])
    if sort == "id":
        return [frame_id for frame_id, _ in (reversed(by_id) if descending else by_id)]
    key = SORT_KEYS[sort]
    known = sorted((row for row in by_id if key(row[1]) is not None), key=lambda row: key(row[1]), reverse=descending)
    unknown = [row for row in by_id if key(row[1]) is None]
    return [frame_id for frame_id, _ in (unknown + known if descending else known + unknown)]


def aggregate(rows: Sequence[Row]) -> dict[str, tuple[str, ...]]:
    """Return the distinct values of each facet."""
    records = [record for _, record in rows]

    def distinct(values: Sequence[str | None]) -> tuple[str, ...]:
        return tuple(sorted({value for value in values if value}))

    return {
        "imagetypes": distinct([record.image_type for record in records]),
        "sites": distinct([record.site for record in records]),
        "telescopes": distinct([record.telescope for record in records]),
        "instruments": distinct([record.instrument for record in records]),
        "filters": distinct([record.filter_name or "None" for record in records]),
        "binnings": distinct([_binning(record) for record in records]),
    }


FACETS: dict[str, tuple[str, Callable[[FrameRecord], Any]]] = {
    "imagetypes": ("IMAGETYPE", lambda record: record.image_type),
    "sites": ("SITE", lambda record: record.site),
    "telescopes": ("TELESCOPE", lambda record: record.telescope),
    "instruments": ("INSTRUMENT", lambda record: record.instrument),
    "filters": ("FILTER", lambda record: record.filter_name or "None"),
    "binnings": ("binning", _binning),
    "reduction_levels": ("RLEVEL", lambda record: record.reduction_level),
}
"""The facets: the parameter that each is asked for by, and a frame's value."""


def facet_counts(rows: Sequence[Row], wanted: dict[str, Any], *, undated: bool = False) -> dict[str, dict[Any, int]]:
    """Return for each facet its values, sorted, with the frames that they leave beside the other conditions."""
    found = {}
    for facet, (parameter, value_of) in FACETS.items():
        others = {name: value for name, value in wanted.items() if name != parameter}
        values = Counter(value_of(record) for _, record in matching(rows, others, undated=undated))
        found[facet] = {value: values[value] for value in sorted(value for value in values if value is not None)}
    return found

"""The questions of the benchmark: what a client sends, with other values each time where the question has values."""

import datetime as dt
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Engine, select

from shared.database import make_session_factory, read
from shared.index.cursor import Cursor, Position, write_cursor
from shared.index.models import Frame
from shared.index.selection import SORT_COLUMNS
from tests.population.network import INSTRUMENTS, SITES
from tests.population.sky import separation
from tests.population.stream import Population
from tests.population.targets import ABSENT

__all__ = ["Facts", "Question", "Request", "find_facts", "questions", "sort_questions"]

Parameters = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Request:
    """One request: a path of the API with its parameters."""

    path: str
    parameters: Parameters


@dataclass(frozen=True, slots=True)
class Question:
    """A kind of request; targets are of median and 95th percentile over HTTP, in ms."""

    name: str
    ask: Callable[[random.Random], Request]
    median_target: float = 30.0
    p95_target: float = 60.0
    has_baseline: bool = True


@dataclass(frozen=True, slots=True)
class Facts:
    """What is in an index, for questions that have answers: some frames, spread evenly."""

    population: Population
    frames: tuple[tuple[int, str, dt.datetime], ...]
    reduced: tuple[int, ...]


def find_facts(engine: Engine, population: Population) -> Facts:
    """Look at some hundred frames."""
    chance = random.Random(population.seed)
    ids = sorted(chance.sample(range(1, population.frames + 1), 400))
    columns = (Frame.id, Frame.basename, Frame.date_obs, Frame.reduction_level)
    with read(make_session_factory(engine)) as session:
        rows = session.execute(select(*columns).where(Frame.id.in_(ids), Frame.date_obs.is_not(None))).all()
    return Facts(
        population,
        tuple((row.id, row.basename, row.date_obs) for row in rows),
        tuple(row.id for row in rows if row.reduction_level),
    )


def questions(facts: Facts) -> tuple[Question, ...]:
    """Return the questions but for those by sorted column. Offset skips half at most."""
    targets = facts.population.targets
    names = targets.names
    parts = {
        "frequent": ("ngc", "M42", "zTf", "feige 1", "m 31", "2mass"),
        "rare": tuple(names[3000::37]),
        "absent": (ABSENT, "zaphod", "ngc 99999", "Žižkov"),
    }
    offset = min(500_000, facts.population.frames // 2)
    return (
        Question("page of 25", _list(limit="25")),
        Question("page of 100", _list(limit="100")),
        Question("page of 1000", _list(limit="1000"), 100.0, 200.0),
        Question("night, page of 25", lambda chance: _frames(night=_night(chance), limit="25")),
        Question("night of up to 1000", lambda chance: _frames(night=_night(chance), limit="1000"), 100.0, 200.0),
        *(
            Question(f"object, {kind}", lambda chance, among=among: _frames(OBJECT=chance.choice(among), limit="25"))  # type: ignore[misc]
            for kind, among in parts.items()
        ),
        Question(
            "basename, one frame",
            lambda chance: _frames(basename=_basename(facts, chance).upper(), limit="25"),
            100.0,
            200.0,
        ),
        Question(
            "basename, a night", lambda chance: _frames(basename=_night_part(facts, chance), limit="25"), 100.0, 200.0
        ),
        Question(
            "basename, frequent",
            lambda chance: _frames(basename=chance.choice(("E91", "-e00", "coj1m", "kb2", "light")), limit="25"),
            100.0,
            200.0,
        ),
        Question(
            "basename, absent",
            lambda chance: _frames(basename=f"zz9-{chance.randrange(10**6)}", limit="25"),
            100.0,
            200.0,
        ),
        Question("site", lambda chance: _frames(SITE=_site(chance.randrange(6)), limit="25")),
        Question("site, instrument, filter, 90 days", _ninety_days),
        Question("cone 10′, popular", lambda chance: _cone(facts, chance, range(8), 10.0)),
        Question("cone 10′, average", lambda chance: _cone(facts, chance, range(300, 3000), 10.0)),
        Question("cone 10′, empty sky", lambda chance: _empty(facts, chance, 10.0)),
        Question("cone 1°, popular", lambda chance: _cone(facts, chance, range(8), 60.0)),
        Question("cone 1°, average", lambda chance: _cone(facts, chance, range(300, 3000), 60.0)),
        Question("cone 1°, empty sky", lambda chance: _empty(facts, chance, 60.0)),
        Question("offset 500,000", _list(limit="25", offset=str(offset)), 100.0, 200.0),
        Question("keyset page of 100, first", _list(limit="100", cursor="")),
        Question("keyset page of 100, deep", lambda chance: _frames(limit="100", cursor=_deep(facts, chance))),
        Question("aggregate", lambda chance: Request("/frames/aggregate/", {})),
        Question("aggregate, site and year", _site_year),
        Question(
            "aggregate, object", lambda chance: Request("/frames/aggregate/", {"OBJECT": chance.choice(names[:2000])})
        ),
        Question("aggregate, night", lambda chance: Request("/frames/aggregate/", {"night": _night(chance)})),
        *_overviews(facts),
        Question("one frame", lambda chance: Request(f"/frames/{chance.choice(facts.frames)[0]}/", {})),
        Question("related", lambda chance: Request(f"/frames/{chance.choice(facts.reduced)}/related/", {})),
    )


def _overviews(facts: Facts) -> tuple[Question, ...]:
    """Return what the predecessor has not: counts of options, nights of a year, and a map of the sky."""
    names = facts.population.targets.names
    filters: dict[str, Callable[[random.Random], Parameters]] = {
        "all": lambda _chance: {},
        "instrument and filter": _instrument_and_filter,
        "object": lambda chance: {"OBJECT": chance.choice(names[:2000])},
        "night": lambda chance: {"night": _night(chance)},
        "90 days": lambda chance: _only(_ninety_days(chance), "start", "end"),
        "cone 10′, popular": lambda chance: _only(_cone(facts, chance, range(8), 10.0), "RA", "DEC", "radius"),
        "cone 10′, average": lambda chance: _only(_cone(facts, chance, range(300, 3000), 10.0), "RA", "DEC", "radius"),
        "part of basename": lambda chance: {"basename": chance.choice(("E91", "-e00", "coj1m", "kb2", "light"))},
    }
    return tuple(
        Question(
            f"{path}, {name}",
            lambda chance, path=path, given=given: Request(f"/frames/{path}/", given(chance)),  # type: ignore[misc]
            60.0,
            120.0,
            has_baseline=False,
        )
        for path in ("facets", "nights", "sky")
        for name, given in filters.items()
    )


def _only(request: Request, *names: str) -> Parameters:
    return {name: request.parameters[name] for name in names}


def _instrument_and_filter(chance: random.Random) -> Parameters:
    return _only(_ninety_days(chance), "INSTRUMENT", "FILTER")


def sort_questions() -> tuple[Question, ...]:
    """Return a question for each column to sort by, up and down."""
    return tuple(
        Question(f"sort by {column} {order}", _list(sort=column, order=order, limit="25"))
        for column in SORT_COLUMNS
        for order in ("asc", "desc")
    )


def _frames(**parameters: str) -> Request:
    return Request("/frames/", parameters)


def _list(**parameters: str) -> Callable[[random.Random], Request]:
    return lambda _chance: _frames(**parameters)


def _night(chance: random.Random) -> str:
    return (dt.date(2016, 1, 1) + dt.timedelta(days=chance.randrange(3000))).isoformat()


def _basename(facts: Facts, chance: random.Random) -> str:
    return chance.choice(facts.frames)[1]


def _night_part(facts: Facts, chance: random.Random) -> str:
    """Return what the names of one instrument in one night have in common."""
    names = [name for _, name, _ in facts.frames if name.count("-") == 4]
    return "-".join(chance.choice(names)[5:].split("-")[:3])


def _ninety_days(chance: random.Random) -> Request:
    instrument = chance.choice([one for one in INSTRUMENTS if one.filters])
    start = dt.datetime(2016, 1, 1) + dt.timedelta(days=chance.randrange(3000))
    return _frames(
        SITE=_site(instrument.site),
        INSTRUMENT=instrument.name,
        FILTER=chance.choice(instrument.filters),
        start=start.isoformat(),
        end=(start + dt.timedelta(days=90)).isoformat(),
        limit="25",
    )


def _site_year(chance: random.Random) -> Request:
    year = chance.randrange(2015, 2025)
    parameters = {"SITE": _site(chance.randrange(6)), "start": f"{year}-01-01", "end": f"{year}-12-31T23:59:59"}
    return Request("/frames/aggregate/", parameters)


def _site(number: int) -> str:
    return SITES[number].code


def _cone(facts: Facts, chance: random.Random, ranks: range, radius: float) -> Request:
    targets = facts.population.targets
    rank = chance.choice(ranks)
    return _frames(RA=f"{targets.ra[rank]:.5f}", DEC=f"{targets.dec[rank]:.5f}", radius=str(radius), limit="25")


def _empty(facts: Facts, chance: random.Random, radius: float) -> Request:
    targets = facts.population.targets
    while True:
        ra, dec = chance.uniform(0.0, 360.0), chance.uniform(-75.0, 75.0)
        distance = separation(np.array(ra), np.array(dec), targets.ra, targets.dec).min()
        if distance > radius / 60.0 + 0.3:
            return _frames(RA=f"{ra:.5f}", DEC=f"{dec:.5f}", radius=str(radius), limit="25")


def _deep(facts: Facts, chance: random.Random) -> str:
    frame_id, _, date_obs = chance.choice(facts.frames)
    return write_cursor(Cursor(Position(date_obs, frame_id), facts.population.frames), "DATE_OBS", descending=False)

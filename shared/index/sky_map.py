"""Where on the sky the frames of a filter are: marks for a map, each with its frames."""

import datetime as dt
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.orm import Session

from shared.index.among import among
from shared.index.bounded import MOST_ROWS, driving, passing
from shared.index.days import days_of, midnight
from shared.index.models import Frame
from shared.index.scope import Scope, scope_of
from shared.index.selection import FrameFilter
from shared.index.sky import STRIDE, ZONES, cells_in
from shared.index.sky_tiles import COARSEST, SkyMark, Tile, marks_of, tiles_in
from shared.index.tally_models import NO_DAY, TallyChange, TallySky

__all__ = ["MOST_MARKS", "MOST_NEWEST", "SkyMap", "SkyMark", "sky_map"]

MOST_MARKS = 2000

MOST_NEWEST = 10_000
"""Frames that are looked at where all of them are too many."""

_FEW_CELLS = 5000
_SPREAD = 8
"""How many times as many frames of any place may be as new as those that are looked at around a position."""

_TILES = """
SELECT zone / :height AS band, place * tiles / cells AS tile, CAST(sum(n) AS bigint), sum(n * (place + 0.5) / cells),
 sum(n * (zone + 0.5)), min(1.0 * place / cells), max((place + 1.0) / cells), min(zone), max(zone)
FROM (SELECT zone, packed / 256 AS cells, packed % 256 AS tiles, cell - zone * :stride AS place,
 dated + undated * :undated AS n FROM {zones} JOIN tally_sky
 ON cell BETWEEN zone * :stride AND zone * :stride + :stride - 1) AS placed WHERE n > 0 GROUP BY 1, 2
"""
_IN_TILES = {
    "postgresql": text(
        _TILES.format(
            zones="(SELECT CAST(number - 1 AS int) AS zone, packed"
            " FROM unnest(CAST(:zones AS int[])) WITH ORDINALITY AS every (packed, number)) AS zones"
        )
    ),
    "sqlite": text(_TILES.format(zones="(SELECT key AS zone, value AS packed FROM json_each(:zones)) AS zones")),
}


@dataclass(frozen=True, slots=True)
class SkyMap:
    """Marks, from south to north; if not ``complete``, those of the newest frames, ``of`` which so many were read."""

    complete: bool
    of: int | None
    marks: tuple[SkyMark, ...]


def sky_map(session: Session, frame_filter: FrameFilter) -> SkyMap:
    """Return where the frames of a filter are; those without position are nowhere.

    From counts by cell of the sky where nothing but a position is asked for; else no more than `MOST_ROWS` frames are
    read.
    """
    scope = scope_of(session, frame_filter)
    if scope.is_empty:
        return SkyMap(complete=True, of=None, marks=())
    if frame_filter == FrameFilter(undated=frame_filter.undated):
        return SkyMap(complete=True, of=None, marks=_whole_sky(session, undated=frame_filter.undated))
    if scope.is_position_alone:
        return SkyMap(complete=True, of=None, marks=marks_of(_around(session, scope).items(), MOST_MARKS))
    where = driving(session, scope, MOST_ROWS)
    if where is not None:
        found, read = _looked_at(session, scope, where, MOST_ROWS + 1)
        if read <= MOST_ROWS:
            return SkyMap(complete=True, of=None, marks=marks_of(found.items(), MOST_MARKS))
    found, read = _looked_at(session, scope, _newest(session, scope), MOST_NEWEST)
    return SkyMap(complete=False, of=read, marks=marks_of(found.items(), MOST_MARKS))


def _whole_sky(session: Session, *, undated: bool) -> tuple[SkyMark, ...]:
    frames = TallySky.dated + TallySky.undated if undated else TallySky.dated
    few = session.execute(select(TallySky.cell, frames).limit(_FEW_CELLS + 1)).all()
    changes = _changed(session, undated=undated)
    if len(few) <= _FEW_CELLS:
        changes.update({row[0]: row[1] for row in few})
        return marks_of(changes.items(), MOST_MARKS)
    tiles = _gathered(session, undated=undated)
    for cell, count in changes.items():
        zone, place = divmod(cell, STRIDE)
        cells, band = cells_in(zone), zone // COARSEST
        key = band, place * tiles_in(band, COARSEST) // cells
        tiles.setdefault(key, Tile()).add(count, zone, place / cells, (place + 1) / cells)
    return tuple(tiles[key].mark() for key in sorted(tiles) if tiles[key].frames > 0)


def _gathered(session: Session, *, undated: bool) -> dict[tuple[int, int], Tile]:
    dialect = session.get_bind().dialect.name
    zones = _packed() if dialect == "postgresql" else _packed_text()
    values = {"zones": zones, "height": COARSEST, "stride": STRIDE, "undated": int(undated)}
    rows = session.execute(_IN_TILES[dialect], values)
    return {
        (band, tile): Tile(int(frames), float(turns), float(zone), float(west), float(east), south, north)
        for band, tile, frames, turns, zone, west, east, south, north in rows
    }


@cache
def _packed() -> list[int]:
    """Return for each zone how many cells, and its band how many tiles, it has."""
    return [256 * cells_in(zone) + tiles_in(zone // COARSEST, COARSEST) for zone in range(ZONES)]


@cache
def _packed_text() -> str:
    return json.dumps(_packed())


def _changed(session: Session, *, undated: bool, cells: Sequence[int] | None = None) -> Counter[int]:
    """Return the changes that were not gathered yet, by cell."""
    where: list[ColumnElement[bool]] = [TallyChange.sky_cell.is_not(None)]
    if not undated:
        where.append(TallyChange.day != NO_DAY)
    if cells is not None:
        where.append(among(TallyChange.sky_cell, cells))
    changes = select(TallyChange.sky_cell, func.sum(TallyChange.frames)).where(*where).group_by(TallyChange.sky_cell)
    return Counter({row[0]: int(row[1]) for row in session.execute(changes) if row[0] is not None})


def _around(session: Session, scope: Scope) -> Counter[int]:
    """Count by cell around a position: cells within by their counts, others, and parts of the time, by an index."""
    found: Counter[int] = Counter()
    cells = scope.cells
    if cells is None:
        return found
    edge = cells.every if scope.days is not None else cells.edge
    if scope.days is None and cells.within:
        frames = TallySky.dated + TallySky.undated if scope.has_undated else TallySky.dated
        within = session.execute(select(TallySky.cell, frames).where(among(TallySky.cell, cells.within)))
        found.update({row[0]: row[1] for row in within})
        found.update(_changed(session, undated=scope.has_undated, cells=cells.within))
    rows = select(Frame.sky_cell, func.count()).where(among(Frame.sky_cell, edge), *scope.rows(by_index=False))
    found.update({row[0]: row[1] for row in session.execute(rows.group_by(Frame.sky_cell)) if row[0] is not None})
    return found


def _looked_at(
    session: Session, scope: Scope, where: Sequence[ColumnElement[bool]], most: int
) -> tuple[Counter[int], int]:
    """Return how many frames of a scope are in each cell, of some rows, and how many rows those were."""
    read = select(Frame.sky_cell, passing(scope).label("frames")).where(*where).limit(most).subquery()
    summed = select(read.c.sky_cell, func.sum(read.c.frames), func.count()).group_by(read.c.sky_cell)
    rows = session.execute(summed).all()
    return Counter({row[0]: int(row[1]) for row in rows if row[0] is not None}), sum(int(row[2]) for row in rows)


def _newest(session: Session, scope: Scope) -> list[ColumnElement[bool]]:
    """Return conditions that an index serves, on about as many of the newest frames as may be read."""
    wanted = scope.wanted
    if wanted.night is not None:
        return [Frame.night == wanted.night]
    times = FrameFilter(start=wanted.start, end=wanted.end)
    most, where, combinations = MOST_NEWEST, list[ColumnElement[bool]](), scope.combinations
    if scope.cells is not None:
        most, combinations = _SPREAD * MOST_NEWEST, None
        where.append(among(Frame.sky_cell, scope.cells.every))
    elif scope.objects is not None:
        most, combinations = _SPREAD * MOST_NEWEST, None
        where.append(among(Frame.object_id, scope.objects))
    elif combinations is not None:
        where.append(among(Frame.combination_id, combinations))
    since = _since(session, Scope(times, combinations, None, scope.days, None), most)
    if since is not None:
        where.append(Frame.date_obs >= (since if wanted.start is None else max(since, wanted.start)))
    if wanted.end is not None:
        where.append(Frame.date_obs <= wanted.end)
    return where


def _since(session: Session, scope: Scope, most: int) -> dt.datetime | None:
    """Return the first moment of the days behind which there are no more frames of a scope; one day at least."""
    frames, first = 0, None
    for day, count, _ in days_of(session, scope, descending=True, near=True):
        frames += count
        if first is not None and frames > most:
            break
        first = day if count else first
    return midnight(first) if first is not None else None

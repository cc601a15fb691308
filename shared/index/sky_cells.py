"""Which cells of the sky have frames: what a search by position looks at, of the thousands of cells that it touches."""

import json
from dataclasses import dataclass

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from shared.index.cone import Cone
from shared.index.sky import cover
from shared.index.tally_models import NO_DAY, TallyChange

__all__ = ["SkyCells", "find_cells"]

_WIDEST = 2.0
"""Degrees of the widest cone for which cells serve."""

_IN_RANGES = {
    "postgresql": text(
        "SELECT cell, dated, undated FROM unnest(CAST(:firsts AS int[]), CAST(:lasts AS int[])) AS ranges (first, last)"
        " JOIN tally_sky ON cell BETWEEN first AND last"
    ),
    "sqlite": text(
        "SELECT cell, dated, undated FROM json_each(:firsts) AS first JOIN json_each(:lasts) AS last USING (key)"
        " JOIN tally_sky ON cell BETWEEN first.value AND last.value"
    ),
}


@dataclass(frozen=True, slots=True)
class SkyCells:
    """Cells with frames: those wholly within a cone, and those on its edge.

    ``dated`` and ``undated`` are how many frames there are in those within.
    """

    within: tuple[int, ...]
    edge: tuple[int, ...]
    dated: int
    undated: int

    @property
    def every(self) -> tuple[int, ...]:
        """All of them."""
        return self.within + self.edge


def find_cells(session: Session, cone: Cone) -> SkyCells | None:
    """Look up the cells of a cone that may have frames, by two statements; None if it is too wide for cells."""
    if cone.radius > _WIDEST:
        return None
    covered = cover(cone)
    found = _counted(session, covered.ranges)
    for cell, dated, undated in _changed(session, covered.ranges):
        before = found.get(cell, (0, 0))
        found[cell] = (before[0] + dated, before[1] + undated)
    within, edge = covered.within & found.keys(), covered.edge & found.keys()
    return SkyCells(
        within=tuple(sorted(within)),
        edge=tuple(sorted(edge)),
        dated=sum(found[cell][0] for cell in within),
        undated=sum(found[cell][1] for cell in within),
    )


def _counted(session: Session, ranges: tuple[tuple[int, int], ...]) -> dict[int, tuple[int, int]]:
    """Return the counts of cells in ranges, first and last inclusive."""
    dialect = session.get_bind().dialect.name
    firsts, lasts = [first for first, _ in ranges], [last for _, last in ranges]
    values = (firsts, lasts) if dialect == "postgresql" else (json.dumps(firsts), json.dumps(lasts))
    rows = session.execute(_IN_RANGES[dialect], dict(zip(("firsts", "lasts"), values, strict=True)))
    return {cell: (dated, undated) for cell, dated, undated in rows if dated or undated}


def _changed(session: Session, ranges: tuple[tuple[int, int], ...]) -> list[tuple[int, int, int]]:
    """Return what was not gathered yet, and lies between the first cell and the last."""
    total = func.sum(TallyChange.frames)
    dated = func.coalesce(total.filter(TallyChange.day != NO_DAY), 0)
    undated = func.coalesce(total.filter(TallyChange.day == NO_DAY), 0)
    between = TallyChange.sky_cell.between(ranges[0][0], ranges[-1][1])
    rows = session.execute(select(TallyChange.sky_cell, dated, undated).where(between).group_by(TallyChange.sky_cell))
    return [(int(cell), int(more), int(less)) for cell, more, less in rows if cell is not None]

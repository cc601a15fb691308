"""Keeping the counts: changes are gathered into the tables of counts now and then, and all can be proved and rebuilt.

A frame that comes or goes leaves a row in ``tally_changes`` in its own transaction, by a trigger: no two writers ever
wait for one count. Whoever asks adds the changes that are not gathered yet. So a count is exact in every transaction,
whatever is written, gathered or killed meanwhile.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import (
    CompoundSelect,
    Select,
    Table,
    bindparam,
    case,
    column,
    delete,
    func,
    insert,
    literal,
    select,
    table,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from shared.database import Base
from shared.index.models import Combination, NameShape, ObjectName
from shared.index.tally_models import NO_DAY, TallyChange, TallyDay, TallyMonth, TallyName, TallyPair, TallySky

__all__ = ["ALL", "gather", "has_many_changes", "rebuild", "wrong_counts"]

ALL = 0
"""What stands for all combinations in ``tally_days``."""

_MANY = 1000
_MOST = 20_000
_LOCK = 0x66697475
_COUNTED = ("combination_id", "object_id", "day", "night", "month", "sky_cell", "shape_id")
_NAMED = (Combination, ObjectName, NameShape)
"""What is counted in its own table."""


def has_many_changes(session: Session) -> bool:
    """Whether it is time to gather."""
    first = session.scalar(select(func.min(TallyChange.id)))
    last = session.scalar(select(func.max(TallyChange.id)))
    return first is not None and last is not None and last - first >= _MANY


def gather(session: Session) -> int:
    """Move up to 20,000 changes into the tables of counts; return how many. Needs a transaction that writes."""
    if session.get_bind().dialect.name == "postgresql" and not session.scalar(
        select(func.pg_try_advisory_xact_lock(_LOCK))
    ):
        return 0
    some = select(TallyChange.id).order_by(TallyChange.id).limit(_MOST)
    returned = (
        TallyChange.combination_id,
        TallyChange.object_id,
        TallyChange.day,
        TallyChange.night,
        TallyChange.month,
        TallyChange.sky_cell,
        TallyChange.shape_id,
        TallyChange.frames,
    )
    changes = session.execute(delete(TallyChange).where(TallyChange.id.in_(some)).returning(*returned)).all()
    if changes:
        _Sums.of(changes).write(session)
    return len(changes)


@dataclass(frozen=True, slots=True)
class _Sums:
    days: Counter[tuple[int, int, int]]
    months: Counter[tuple[int, int]]
    pairs: Counter[tuple[int, int, bool]]
    sky: Counter[tuple[int, bool]]
    combinations: Counter[tuple[int, bool]]
    objects: Counter[tuple[int, bool]]
    shapes: Counter[tuple[int, bool]]
    names: Counter[tuple[int, int, bool]]

    @classmethod
    def of(cls, changes: Sequence[Any]) -> "_Sums":
        sums = cls(*(Counter() for _ in range(8)))
        for combination, object_, day, night, month, cell, shape, frames in changes:
            is_dated = day != NO_DAY
            sums.days[ALL, day, night] += frames
            if combination is not None:
                sums.days[combination, day, night] += frames
                sums.combinations[combination, is_dated] += frames
            if object_ is not None:
                sums.objects[object_, is_dated] += frames
                if is_dated:
                    sums.months[object_, month] += frames
                if combination is not None:
                    sums.pairs[object_, combination, is_dated] += frames
            if shape is not None:
                sums.shapes[shape, is_dated] += frames
                if combination is not None:
                    sums.names[shape, combination, is_dated] += frames
            if cell is not None:
                sums.sky[cell, is_dated] += frames
        return sums

    def write(self, session: Session) -> None:
        days = [
            dict(zip(("combination_id", "day", "night"), key, strict=True)) | {"frames": n}
            for key, n in _set(self.days)
        ]
        _add(session, TallyDay, days)
        _add(session, TallyMonth, [{"object_id": key[0], "month": key[1], "frames": n} for key, n in _set(self.months)])
        _add(session, TallyPair, _by_date(self.pairs, ("object_id", "combination_id")))
        _add(session, TallyName, _by_date(self.names, ("shape_id", "combination_id")))
        _add(session, TallySky, _by_date(self.sky, ("cell",)))
        for model, counter in ((Combination, self.combinations), (ObjectName, self.objects), (NameShape, self.shapes)):
            named = cast("Table", model.__table__)
            rows = [{f"of_{name}": count for name, count in row.items()} for row in _by_date(counter, ("id",))]
            if rows:
                added = {name: named.c[name] + bindparam(f"of_{name}") for name in ("dated", "undated")}
                session.connection().execute(update(named).where(named.c.id == bindparam("of_id")).values(added), rows)


def _set(counter: Counter[Any]) -> list[tuple[Any, int]]:
    return sorted((key, frames) for key, frames in counter.items() if frames)


def _by_date(counter: Counter[Any], names: Sequence[str]) -> list[dict[str, int]]:
    """Return rows with a column for the frames with date, and one for those without."""
    rows: dict[tuple[int, ...], dict[str, int]] = {}
    for (*key, is_dated), frames in _set(counter):
        row = rows.setdefault(tuple(key), dict(zip(names, key, strict=True)) | {"dated": 0, "undated": 0})
        row["dated" if is_dated else "undated"] += frames
    return list(rows.values())


def _add(session: Session, model: type[Base], rows: Sequence[Mapping[str, int]]) -> None:
    """Add to counts, and drop those that are 0 then."""
    if not rows:
        return
    connection, counted = session.connection(), cast("Table", model.__table__)
    module = postgresql if connection.dialect.name == "postgresql" else sqlite
    keys = [part.name for part in counted.primary_key]
    counts = [name for name in rows[0] if name not in keys]
    statement = module.insert(counted)
    summed = {name: counted.c[name] + statement.excluded[name] for name in counts}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=summed), rows)
    fewer = [{f"of_{name}": row[name] for name in keys} for row in rows if any(row[name] < 0 for name in counts)]
    if fewer:
        is_it = [counted.c[name] == bindparam(f"of_{name}") for name in keys]
        connection.execute(delete(counted).where(*is_it, *(counted.c[name] == 0 for name in counts)), fewer)


def _truth() -> dict[type[Any], Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]]]:
    """Return for each table of counts the statement that counts anew, with columns in the table's order."""
    frames = table("tally_frames", *map(column, _COUNTED))
    n = func.count()
    dated = func.coalesce(func.sum(case((frames.c.day != NO_DAY, 1), else_=0)), 0)
    undated = func.coalesce(func.sum(case((frames.c.day == NO_DAY, 1), else_=0)), 0)
    by_day = select(frames.c.combination_id, frames.c.day, frames.c.night, n).where(
        frames.c.combination_id.is_not(None)
    )
    every = select(literal(ALL), frames.c.day, frames.c.night, n)

    def by_date(*keys: Any) -> Select[*tuple[Any, ...]]:
        return select(*keys, dated, undated).where(*(key.is_not(None) for key in keys)).group_by(*keys)

    return {
        TallyDay: by_day.group_by(frames.c.combination_id, frames.c.day, frames.c.night).union_all(
            every.group_by(frames.c.day, frames.c.night)
        ),
        TallyMonth: select(frames.c.object_id, frames.c.month, n)
        .where(frames.c.object_id.is_not(None), frames.c.day != NO_DAY)
        .group_by(frames.c.object_id, frames.c.month),
        TallyPair: by_date(frames.c.object_id, frames.c.combination_id),
        TallyName: by_date(frames.c.shape_id, frames.c.combination_id),
        TallySky: by_date(frames.c.sky_cell),
        Combination: by_date(frames.c.combination_id),
        ObjectName: by_date(frames.c.object_id),
        NameShape: by_date(frames.c.shape_id),
    }


def wrong_counts(session: Session) -> dict[str, int]:
    """Count all frames anew, and return for each table how many of its counts are wrong; empty if none is.

    One full scan of the frames for each table. Gathers the changes first, so it needs a transaction that writes; who
    else wants to write about frames waits until it ends.
    """
    _keep_writers_out(session)
    while gather(session):
        pass
    wrong = {}
    for model, statement in _truth().items():
        truth = {tuple(row) for row in session.execute(statement)}
        names = _count_columns(model)
        held = {
            tuple(row)
            for row in session.execute(select(*(getattr(model, name) for name in names)))
            if any(row[len(names) - _counts_of(model) :])
        }
        if differing := len({row[: len(names) - _counts_of(model)] for row in truth ^ held}):
            wrong[model.__tablename__] = differing
    return wrong


def rebuild(session: Session) -> None:
    """Count all frames anew, and write the counts. Needs a transaction that writes; others wait until it ends."""
    _keep_writers_out(session)
    session.execute(delete(TallyChange))
    for model, statement in _truth().items():
        names = _count_columns(model)
        if model in _NAMED:
            session.execute(update(model).values(dated=0, undated=0))
            counts = [dict(zip(names, row, strict=True)) for row in session.execute(statement)]
            if counts:
                session.execute(update(model), counts)
        else:
            session.execute(delete(model))
            session.execute(insert(model).from_select(names, statement))


def _keep_writers_out(session: Session) -> None:
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE frames IN SHARE MODE"))
        session.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def _count_columns(model: type[Base]) -> list[str]:
    return ["id", "dated", "undated"] if model in _NAMED else [part.name for part in model.__table__.columns]


def _counts_of(model: type[Base]) -> int:
    return 1 if model in (TallyDay, TallyMonth) else 2

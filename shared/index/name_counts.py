"""Counts of frames by a part of their basenames: those of shapes that surely have it, and rows of shapes that may."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, literal, null, or_, select
from sqlalchemy.orm import Session

from shared.index.among import among
from shared.index.conditions import TextPosition
from shared.index.models import Frame, NameShape
from shared.index.scope import Scope
from shared.index.shapes import Sought, sought
from shared.index.tally_models import NO_DAY, TallyChange, TallyName

__all__ = ["combinations_by_name", "is_by_name", "parts_by_name"]

_FEW = 20_000
"""Frames whose names are looked at one by one, rather than to look the part up among all names."""

Statement = Select[*tuple[Any, ...]]


def is_by_name(scope: Scope) -> bool:
    """Whether a scope asks for a part of basenames, and else for nothing but what combinations tell."""
    wanted = replace(scope.wanted, basename_part=None)
    return (
        scope.wanted.basename_part is not None
        and scope.objects is None
        and scope.days is None
        and (replace(scope, wanted=wanted).is_countable and wanted.night is None)
    )


def parts_by_name(session: Session, scope: Scope, *, by_combination: bool) -> list[Statement] | None:
    """Return statements that give combinations with numbers of frames, for a scope that `is_by_name`.

    None where only rows can tell. Without ``by_combination`` the combinations may be null.
    """
    part = sought(scope.wanted.basename_part or "")
    if part.sure is None or part.possible is None:
        return None
    possible = _possible(session, part.sure, part)
    if possible is None:
        return None
    is_sure = TextPosition(NameShape.shape, part.sure) > 0
    is_plain = scope.combinations is None and not by_combination
    gathered = _summed(scope, is_sure) if is_plain else _gathered(scope, is_sure)
    return [gathered, _changed(scope, is_sure), *_rows(session, scope, possible)]


def combinations_by_name(session: Session, scope: Scope) -> Sequence[int] | None:
    """Return the combinations that frames of a scope that `is_by_name` may have; None where only rows can tell."""
    if not is_by_name(scope):
        return None
    part = sought(scope.wanted.basename_part or "")
    if part.sure is None or part.possible is None or _has_shapeless(session):
        return None
    ways = or_(*(TextPosition(NameShape.shape, way) > 0 for way in (part.sure, *part.possible)))
    gathered = select(TallyName.combination_id).join(NameShape, NameShape.id == TallyName.shape_id).where(ways)
    recent = select(TallyChange.combination_id).join(NameShape, NameShape.id == TallyChange.shape_id).where(ways)
    return session.scalars(gathered.union(recent.where(TallyChange.combination_id.is_not(None)))).all()


def _possible(session: Session, sure: str, part: Sought) -> Sequence[int] | None:
    """Return the shapes of which only rows can tell; None if these have too many frames."""
    if not part.possible:
        return ()
    may_be = or_(*(TextPosition(NameShape.shape, way) > 0 for way in part.possible))
    frames = NameShape.dated + NameShape.undated
    found = session.execute(select(NameShape.id, frames).where(may_be, TextPosition(NameShape.shape, sure) == 0)).all()
    return tuple(row[0] for row in found) if sum(row[1] for row in found) <= _FEW else None


def _summed(scope: Scope, is_sure: ColumnElement[bool]) -> Statement:
    frames = NameShape.dated + NameShape.undated if scope.has_undated else NameShape.dated
    return select(null().label("combination_id"), frames.label("frames")).where(is_sure)


def _gathered(scope: Scope, is_sure: ColumnElement[bool]) -> Statement:
    frames = TallyName.dated + TallyName.undated if scope.has_undated else TallyName.dated
    statement = select(TallyName.combination_id, frames.label("frames"))
    return _joined(statement.join(NameShape, NameShape.id == TallyName.shape_id), TallyName, scope, is_sure)


def _changed(scope: Scope, is_sure: ColumnElement[bool]) -> Statement:
    statement = select(TallyChange.combination_id, TallyChange.frames)
    if not scope.has_undated:
        statement = statement.where(TallyChange.day != NO_DAY)
    return _joined(statement.join(NameShape, NameShape.id == TallyChange.shape_id), TallyChange, scope, is_sure)


def _joined(
    statement: Statement, model: type[TallyName | TallyChange], scope: Scope, is_sure: ColumnElement[bool]
) -> Statement:
    statement = statement.where(is_sure)
    return statement if scope.combinations is None else statement.where(among(model.combination_id, scope.combinations))


def _rows(session: Session, scope: Scope, possible: Sequence[int]) -> list[Statement]:
    """Return statements on rows: those of shapes that may have the part, and those that have no shape."""
    each = select(Frame.combination_id, literal(1).label("frames"))
    found = []
    if possible:
        found.append(each.where(among(Frame.shape_id, possible), *scope.rows(by_index=False)))
    if _has_shapeless(session):
        found.append(each.where(Frame.shape_id.is_(None), *scope.rows()))
    return found


def _has_shapeless(session: Session) -> bool:
    return bool(session.scalar(select(exists().where(Frame.shape_id.is_(None)))))

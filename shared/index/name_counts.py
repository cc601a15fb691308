"""Counts of frames by a part of their basenames: those of shapes that surely have it, and rows of shapes that may."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, literal, null, select
from sqlalchemy.orm import Session

from shared.index.among import among
from shared.index.models import Frame, NameShape
from shared.index.name_lookup import NameLookup
from shared.index.scope import Scope
from shared.index.tally_models import NO_DAY, TallyChange, TallyName

__all__ = ["combinations_by_name", "parts_by_name"]

_FEW = 20_000
"""Frames whose names are looked at one by one, rather than to look the part up among all names."""

Statement = Select[*tuple[Any, ...]]


def parts_by_name(scope: Scope, *, by_combination: bool) -> list[Statement] | None:
    """Return statements that give combinations with numbers of frames, for a scope that is by name.

    None where only rows can tell. Without ``by_combination`` the combinations may be null.
    """
    names = scope.names
    if names is None or sum(dated + undated for _, dated, undated in names.possible) > _FEW:
        return None
    is_plain = scope.combinations is None and not by_combination
    gathered = _summed(scope, names) if is_plain else _gathered(scope, names)
    return [gathered, _changed(scope, names), *_rows(scope, names)]


def combinations_by_name(session: Session, scope: Scope) -> Sequence[int] | None:
    """Return the combinations that frames of a scope that is by name may have; None where only rows can tell."""
    names = scope.names
    if names is None or names.has_shapeless:
        return None
    gathered, recent = select(TallyName.combination_id), select(TallyChange.combination_id)
    if names.sure is None:
        gathered = gathered.join(NameShape, NameShape.id == TallyName.shape_id).where(names.may_be)
        recent = recent.join(NameShape, NameShape.id == TallyChange.shape_id).where(names.may_be)
    else:
        shapes = [row[0] for row in (*names.sure, *names.possible)]
        gathered = gathered.where(among(TallyName.shape_id, shapes))
        recent = recent.where(among(TallyChange.shape_id, shapes))
    return session.scalars(gathered.union(recent.where(TallyChange.combination_id.is_not(None)))).all()


def _summed(scope: Scope, names: NameLookup) -> Statement:
    if names.sure is not None:
        total = sum(dated + undated * scope.has_undated for _, dated, undated in names.sure)
        return select(null().label("combination_id"), literal(total).label("frames"))
    frames = NameShape.dated + NameShape.undated if scope.has_undated else NameShape.dated
    return select(null().label("combination_id"), frames.label("frames")).where(names.is_sure)


def _gathered(scope: Scope, names: NameLookup) -> Statement:
    frames = TallyName.dated + TallyName.undated if scope.has_undated else TallyName.dated
    return _of_shapes(select(TallyName.combination_id, frames.label("frames")), TallyName, scope, names)


def _changed(scope: Scope, names: NameLookup) -> Statement:
    statement = select(TallyChange.combination_id, TallyChange.frames)
    if not scope.has_undated:
        statement = statement.where(TallyChange.day != NO_DAY)
    return _of_shapes(statement, TallyChange, scope, names)


def _of_shapes(
    statement: Statement, model: type[TallyName | TallyChange], scope: Scope, names: NameLookup
) -> Statement:
    if names.sure is None:
        statement = statement.join(NameShape, NameShape.id == model.shape_id).where(names.is_sure)
    else:
        statement = statement.where(among(model.shape_id, [row[0] for row in names.sure]))
    return statement if scope.combinations is None else statement.where(among(model.combination_id, scope.combinations))


def _rows(scope: Scope, names: NameLookup) -> list[Statement]:
    """Return statements on rows: those of shapes that may have the part, and those that have no shape."""
    each = select(Frame.combination_id, literal(1).label("frames"))
    found: list[Statement] = []
    if names.possible:
        found.append(each.where(among(Frame.shape_id, [row[0] for row in names.possible]), *scope.rows(by_index=False)))
    if names.has_shapeless:
        found.append(each.where(Frame.shape_id.is_(None), *scope.rows()))
    return found

"""Filters as conditions on rows."""

from sqlalchemy import ColumnElement, and_, or_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Integer

from shared.index.cone import Cone, bounds, chord_squared, unit_vector
from shared.index.models import Frame
from shared.index.selection import NO_FILTER, FrameFilter

__all__ = ["TextPosition", "conditions", "is_within"]

_MAX_LISTED_ZONES = 32


class TextPosition(FunctionElement[int]):
    """Where one text begins in another, from 1; 0 if it is not there. No wildcards, no limit on length."""

    name = "text_position"
    type = Integer()
    inherit_cache = True


@compiles(TextPosition)
def _strpos(element: TextPosition, compiler: SQLCompiler, **options: object) -> str:
    return f"strpos({compiler.process(element.clauses, **options)})"


@compiles(TextPosition, "sqlite")
def _instr(element: TextPosition, compiler: SQLCompiler, **options: object) -> str:
    return f"instr({compiler.process(element.clauses, **options)})"


def conditions(wanted: FrameFilter) -> list[ColumnElement[bool]]:
    """Return the conditions of a filter, all of which a row must meet."""
    equal = (
        (Frame.image_type, wanted.image_type),
        (Frame.binning, wanted.binning),
        (Frame.site, wanted.site),
        (Frame.telescope, wanted.telescope),
        (Frame.instrument, wanted.instrument),
        (Frame.reduction_level, wanted.reduction_level),
        (Frame.night, wanted.night),
        (Frame.request_number, wanted.request_number),
        (Frame.observation_number, wanted.observation_number),
    )
    found: list[ColumnElement[bool]] = [column == value for column, value in equal if value is not None]
    if wanted.filter_name is not None:
        found.append(_has_filter(wanted.filter_name))
    if wanted.object_part is not None:
        found.append(TextPosition(Frame.object_folded, wanted.object_part) > 0)
    if wanted.basename_part is not None:
        found.append(TextPosition(Frame.basename_folded, wanted.basename_part) > 0)
    if wanted.min_exposure is not None:
        found.append(Frame.exposure_time >= wanted.min_exposure)
    if wanted.start is not None:
        found.append(Frame.date_obs >= wanted.start)
    if wanted.end is not None:
        found.append(Frame.date_obs <= wanted.end)
    if not wanted.undated:
        found.append(Frame.date_obs.is_not(None))
    if wanted.cone is not None:
        found += _within(wanted.cone)
    return found


def _has_filter(name: str) -> ColumnElement[bool]:
    if name == NO_FILTER:
        return or_(Frame.filter_name.is_(None), Frame.filter_name == name)
    return Frame.filter_name == name


def is_within(cone: Cone) -> ColumnElement[bool]:
    """Return the condition on a row's position alone."""
    x, y, z = unit_vector(cone.ra, cone.dec)
    dx, dy, dz = Frame.vector_x - x, Frame.vector_y - y, Frame.vector_z - z
    return dx * dx + dy * dy + dz * dz <= chord_squared(cone.radius)


def _within(cone: Cone) -> list[ColumnElement[bool]]:
    limits = bounds(cone)
    zones = range(limits.first_zone, limits.last_zone + 1)
    in_zone = (
        Frame.dec_zone.in_(zones)
        if len(zones) <= _MAX_LISTED_ZONES
        else Frame.dec_zone.between(limits.first_zone, limits.last_zone)
    )
    ranges = [and_(in_zone, Frame.ra.between(west, east)) for west, east in limits.ra_ranges]
    return [or_(*ranges) if ranges else in_zone, is_within(cone)]

"""What the ways to look at the frames found need beside a page of them: the map of the sky, the calendar of nights."""

from typing import Any

from sqlalchemy.orm import Session

from functions.api.web.calendar import year_of
from functions.api.web.chart import Position, WholeSky, ZoomedSky, draw_chart
from functions.api.web.search import Search
from shared.index.query import FramePage
from shared.index.selection import FrameQuery
from shared.index.sky_map import sky_map
from shared.index.years import year_of_nights

__all__ = ["view_values"]

_SMALLEST = 0.05
_WIDEST = 30.0


def view_values(session: Session, search: Search, query: FrameQuery, page: FramePage) -> dict[str, Any]:
    """Return what the template of the search's view needs."""
    if search.view == "sky":
        return _sky(session, query, page)
    if search.view == "nights":
        return _nights(session, search, query)
    return {}


def _sky(session: Session, query: FrameQuery, page: FramePage) -> dict[str, Any]:
    sky, cone = sky_map(session, query.filter), query.filter.cone
    is_zoomed = cone is not None and cone.radius <= _WIDEST
    if cone is None or not is_zoomed:
        return {"sky": sky, "chart": draw_chart(WholeSky(), sky.marks), "zoomed": False, "place_of": _place_of}
    footprints = [(row.frame.id, row.frame.footprint) for row in page.rows if row.frame.footprint]
    near = ZoomedSky(cone.ra, cone.dec, max(cone.radius, _SMALLEST), reach=cone.radius)
    projection = near.holding(corner for _, corners in footprints for corner in corners if len(corner) == 2)
    return {"sky": sky, "chart": draw_chart(projection, sky.marks, footprints), "zoomed": True, "place_of": _place_of}


def _place_of(position: Position) -> dict[str, str | None]:
    """Return what changes in a search that goes to a place: its position, and how it is shown."""
    radius = f"{max(position.radius, 1.0):.4g}"
    return {"RA": f"{position.ra:.5f}", "DEC": f"{position.dec:.5f}", "radius": radius, "view": None}


def _nights(session: Session, search: Search, query: FrameQuery) -> dict[str, Any]:
    asked = int(search.given["year"]) if search.given.get("year", "0000") != "0000" else None
    found = year_of_nights(session, query.filter, asked)
    counts = {item.night: item.count for item in found.nights}
    return {
        "years": found.years,
        "shown_year": found.year,
        "months": year_of(found.year, counts) if found.year is not None else [],
        "nights_complete": found.complete,
    }

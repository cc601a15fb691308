"""Targets that a search names: looked up, and their position put in the place of the name."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

from functions.api.resolving import can_look_up, look_up
from shared.errors import InvalidParameterError

__all__ = ["Sought", "look_up_target"]

_FIELD = "resolve"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What came of it: nothing was sought, a position as parameters of a search, or a problem and its status."""

    is_possible: bool
    name: str = ""
    position: tuple[tuple[str, str], ...] | None = None
    problem: str = ""
    status: int = 200

    @property
    def values(self) -> dict[str, Any]:
        """What the form shows of it."""
        return {"can_resolve": self.is_possible, "resolve": self.name, "resolve_problem": self.problem}


def look_up_target(request: Request, pairs: Iterable[tuple[str, str]]) -> Sought:
    """Look up the target that the form of the search page names, if it names one."""
    name = dict(pairs).get(_FIELD, "").strip()
    if not can_look_up(request) or not name:
        return Sought(is_possible=can_look_up(request))
    try:
        found = look_up(request, name, parameter=_FIELD)
    except InvalidParameterError as error:
        return Sought(is_possible=True, name=name[:200], problem=error.detail, status=400)
    except HTTPException as error:
        status = 200 if error.status_code == 404 else error.status_code  # the page is there, all the same
        return Sought(is_possible=True, name=name, problem=error.detail, status=status)
    position = (("RA", f"{found.ra:.6f}"), ("DEC", f"{found.dec:+.6f}"))
    return Sought(is_possible=True, name=name, position=position)

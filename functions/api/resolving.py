"""Names of targets that are looked up for whoever may search."""

from functools import lru_cache

from starlette.exceptions import HTTPException
from starlette.requests import Request

from functions.api.dependencies import get_services
from shared.errors import InvalidParameterError, ResolverError, UnknownTargetError
from shared.resolver.answers import Position
from shared.resolver.client import Resolver

__all__ = ["can_look_up", "look_up"]

_LONGEST_NAME = 100
_LATER = {"Retry-After": "5"}


def can_look_up(request: Request) -> bool:
    """Tell whether this archive looks up names."""
    return get_services(request).settings.name_resolver_url is not None


def look_up(request: Request, name: str, *, parameter: str = "name") -> Position:
    """Return the position of a target.

    Raises
    ------
    InvalidParameterError
        Nothing has such a name.
    HTTPException
        404: the name is not known, or names are not looked up here; 503: the resolver does not answer.
    """
    url = get_services(request).settings.name_resolver_url
    if url is None:
        raise HTTPException(404, "This archive looks up no names.")
    name = name.strip()
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise InvalidParameterError(parameter, f"A name has 1 to {_LONGEST_NAME} printable characters.")
    try:
        return _resolver(url).look_up(name)
    except UnknownTargetError as error:
        raise HTTPException(404, f"No position is known by the name “{name}”.") from error
    except ResolverError as error:
        raise HTTPException(503, "The name resolver does not answer as it should. Try again later.", _LATER) from error


@lru_cache(maxsize=4)
def _resolver(url: str) -> Resolver:
    return Resolver(url)

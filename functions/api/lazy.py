"""Routes that are imported part by part, each when a path of its own is first asked for."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence

from starlette.datastructures import URLPath
from starlette.routing import BaseRoute, Match, NoMatchFound
from starlette.types import Receive, Scope, Send

from functions.api.dependencies import Services

__all__ = ["LazyRoutes", "Load", "key_of"]

Load = Callable[[Services], Sequence[BaseRoute]]
"""Imports a part, and returns its routes in the order in which they are to be tried."""

_SELECTED = "fitsvault.route"
"""Key in the scope under which the route stands that `LazyRoutes.matches` has found."""


class LazyRoutes(BaseRoute):
    """Stands in the application for the routes of all its parts.

    Which part a path belongs to, its first and last segment say (`key_of`), or its first alone. All routes that take a
    path must be in that one part, so that answers with 404, 405 or a redirect need no other. Safe to share between
    threads.

    Parameters
    ----------
    parts
        How each part is loaded, by its keys such as ``frames`` or ``frames/headers``. One part may have several.
    """

    def __init__(self, parts: Mapping[str, Load], services: Services) -> None:
        self._parts = parts
        self._services = services
        self._lock = threading.RLock()
        self._routes: dict[Load, tuple[BaseRoute, ...]] = {}

    def all(self) -> list[BaseRoute]:
        """Load whatever is not loaded yet, and return all routes, in the order of the parts."""
        return [route for load in dict.fromkeys(self._parts.values()) for route in self._loaded(load)]

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return how the best route of the path's part takes the request."""
        partial: tuple[Match, Scope] = (Match.NONE, {})
        for route in self._of_path(_path_of(scope)):
            match, child_scope = route.matches(scope)
            if match is Match.FULL:
                return match, {**child_scope, _SELECTED: route}
            if match is Match.PARTIAL and partial[0] is Match.NONE:
                partial = (match, {**child_scope, _SELECTED: route})
        return partial

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have the route answer that was found."""
        await scope[_SELECTED].handle(scope, receive, send)

    def url_path_for(self, name: str, /, **path_params: object) -> URLPath:
        """Return the path of a route by its name, looking where something is loaded already first.

        Raises
        ------
        NoMatchFound
            No route has this name and these parameters.
        """
        for routes in (self._known(), self.all()):
            for route in routes:
                try:
                    return route.url_path_for(name, **path_params)
                except NoMatchFound:
                    continue
        raise NoMatchFound(name, dict(path_params))

    def _known(self) -> Iterable[BaseRoute]:
        return [route for routes in list(self._routes.values()) for route in routes]

    def _of_path(self, path: str) -> Sequence[BaseRoute]:
        first, key = key_of(path)
        load = self._parts.get(key) or self._parts.get(first)
        return () if load is None else self._loaded(load)

    def _loaded(self, load: Load) -> Sequence[BaseRoute]:
        routes = self._routes.get(load)
        if routes is None:
            with self._lock:
                routes = self._routes.get(load)
                if routes is None:
                    routes = self._routes[load] = tuple(load(self._services))
        return routes


def _path_of(scope: Scope) -> str:
    """Return the path asked for, without the prefix that a gateway or a mount has put before it."""
    path, prefix = str(scope["path"]), str(scope.get("root_path", ""))
    return path.removeprefix(prefix) if path == prefix or path.startswith(f"{prefix}/") else path


def key_of(path: str) -> tuple[str, str]:
    """Return the first segment of a path, and with it the last: ``frames`` and ``frames/headers``, slash or not."""
    first, *rest = path.removeprefix("/").removesuffix("/").split("/")
    return first, f"{first}/{rest[-1]}" if rest else first

"""A name resolver behind a URL: asked within seconds, its answers kept for a while."""

import http.client
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from shared.errors import ResolverError, UnknownTargetError
from shared.exchange import Answer, exchange
from shared.resolver.answers import Position, position_in

__all__ = ["PLACE", "Resolver"]

PLACE = "{name}"
"""Where the name goes in a resolver's URL."""

_SECONDS = 5.0
_LONGEST_ANSWER = 64 << 10
_MOST_REDIRECTS = 3
_AT_ONCE = 4
_MOST_KEPT = 500
_KNOWN_SECONDS, _UNKNOWN_SECONDS = 86400.0, 600.0
_REDIRECTS = frozenset({301, 302, 303, 307, 308})

_log = logging.getLogger(__name__)


class Resolver:
    """Looks up names by one URL. Safe to share between threads.

    Redirects are followed on the host of the URL only, and a few of them.

    Parameters
    ----------
    url
        With ``{name}`` in its path or query.
    seconds
        Limit of one look-up, with all of its redirects.
    clock
        Seconds that only grow.
    """

    def __init__(self, url: str, *, seconds: float = _SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._seconds = seconds
        self._clock = clock
        self._host = urlsplit(url.replace(PLACE, "x")).hostname or ""
        self._free = threading.BoundedSemaphore(_AT_ONCE)
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[float, Position | None]] = OrderedDict()

    def look_up(self, name: str) -> Position:
        """Return the position of a target.

        Raises
        ------
        UnknownTargetError
            The resolver does not know the name.
        ResolverError
            It cannot be asked, or is not understood.
        """
        key = " ".join(name.split())
        kept = self._recall(key)
        if kept is not None:
            return _known(kept[1])
        if not self._free.acquire(timeout=self._seconds):
            raise ResolverError("too many look up names at once")
        try:
            position = self._ask(key)
        except UnknownTargetError:
            self._keep(key, None)
            raise
        except ResolverError as error:
            _log.warning("name not looked up", extra={"resolver": self._host, "reason": str(error)})
            raise
        finally:
            self._free.release()
        self._keep(key, position)
        return position

    def _recall(self, key: str) -> tuple[float, Position | None] | None:
        with self._lock:
            kept = self._kept.get(key)
            return kept if kept is not None and kept[0] > self._clock() else None

    def _keep(self, key: str, position: Position | None) -> None:
        life = _UNKNOWN_SECONDS if position is None else _KNOWN_SECONDS
        with self._lock:
            self._kept[key] = (self._clock() + life, position)
            self._kept.move_to_end(key)
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)

    def _ask(self, name: str) -> Position:
        url, end = self._url.replace(PLACE, quote(name, safe="")), time.monotonic() + self._seconds
        for _ in range(_MOST_REDIRECTS + 1):
            answer = _answer(urlsplit(url), end)
            if answer.status in _REDIRECTS:
                url = self._followed(url, answer.headers.get("Location", ""))
            elif answer.status == 404:
                raise UnknownTargetError("no such name")
            elif answer.status == 200:
                return position_in(answer.body)
            else:
                raise ResolverError(f"it answered {answer.status}")
        raise ResolverError("it redirects again and again")

    def _followed(self, url: str, target: str) -> str:
        """Return where a redirect leads; not to other hosts, and not from TLS to none."""
        before, after = urlsplit(url), urlsplit(urljoin(url, target))
        is_safe = after.scheme == "https" or (after.scheme, before.scheme) == ("http", "http")
        if not target or after.hostname != self._host or not is_safe:
            raise ResolverError("it redirects to another place, which is not followed")
        return after._replace(fragment="").geturl()


def _answer(url: SplitResult, end: float) -> Answer:
    """Return an answer that is whole before ``end``."""
    left = end - time.monotonic()
    if left <= 0:
        raise ResolverError("no answer in time")
    try:
        answer = exchange("GET", url, seconds=left, headers={"User-Agent": "fitsvault"}, longest=_LONGEST_ANSWER + 1)
    except TimeoutError as error:
        raise ResolverError("no answer in time") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise ResolverError(type(error).__name__) from error
    if len(answer.body) > _LONGEST_ANSWER:
        raise ResolverError("its answer is too long")
    return answer


def _known(position: Position | None) -> Position:
    if position is None:
        raise UnknownTargetError("no such name")
    return position

"""A remote archive, asked over its REST interface. The token goes to the archive alone, never to its store."""

import ipaddress
import re
import time
from collections.abc import Iterator, Mapping
from itertools import islice
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from shared.errors import RemoteError, RemoteRefusedError, RemoteUnavailableError

__all__ = ["Remote", "patient_client"]

_PAGE = 1000
_TRIES = 4
_LONGEST_WAIT = 30.0
_TRANSIENT = frozenset({502, 503, 504})
_TIMEOUT = httpx.Timeout(60.0, connect=10.0)
_SHA256 = re.compile(r"[0-9a-f]{64}")

Json = dict[str, Any]


class Remote:
    """An archive at ``url``. Safe to share between threads.

    Every method raises RemoteRefusedError for a token that does not let in, RemoteUnavailableError when the archive is
    away after some tries, and RemoteError for what else it refuses.
    """

    def __init__(self, url: str, token: str | None) -> None:
        self.url = url.rstrip("/")
        if token and not (token.isascii() and token.isalnum()):
            raise RemoteError("the token is none: it has letters and digits only")
        headers = {"Authorization": f"Token {token}"} if token else {}
        try:
            self._http = patient_client(self.url, headers=headers)
        except httpx.InvalidURL as error:
            raise RemoteError(f"not an address of an archive: {url}: {error}") from None
        self._has_token = bool(token)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self._http.close()

    def frames(self, filters: Mapping[str, str], limit: int | None = None) -> Iterator[Json]:
        """Yield the frames that the filters leave, page by page, at most ``limit`` of them."""
        return islice(self._pages(filters, limit), limit)

    def count(self, filters: Mapping[str, str]) -> int:
        """Return how many frames the filters leave."""
        return self._number(self._ask("GET", "frames/", {**filters, "limit": "0"}), "count")

    def frame(self, frame_id: int) -> Json:
        """Return one frame."""
        return self._ask("GET", f"frames/{frame_id}/")

    def headers(self, frame_id: int, *, full: bool = False) -> list[Json]:
        """Return the cards of a frame's science header, or all HDUs with theirs."""
        found = self._ask("GET", f"frames/{frame_id}/headers/", {"format": "full"} if full else {})
        rows = self._rows(found, "results")
        cards = [card for hdu in rows for card in self._rows(hdu, "cards")] if full else rows
        if not all({"key", "value"} <= card.keys() for card in cards) or not all(
            "index" in hdu for hdu in rows if full
        ):
            raise self._strange("results")
        return rows

    def link(self, frame_id: int) -> Json:
        """Return a link to a frame's bytes with their size and checksums; the link needs no token."""
        found = self._ask("GET", f"frames/{frame_id}/download/", {"redirect": "false"})
        if not isinstance(found.get("url"), str):
            raise self._strange("url")
        if found.get("sha256") is not None and not _SHA256.fullmatch(str(found["sha256"])):
            raise self._strange("sha256")
        return found | {"size": self._number(found, "size")}

    def order_bundle(self, order: Mapping[str, object]) -> Json:
        """Have a bundle built, or find the one that was built of the same order, and return what it is."""
        return self._bundle(self._read(self._send("POST", "bundles/", json=order)))

    def bundle(self, bundle_id: str) -> Json:
        """Return how far a bundle is; once it is ready, with a link that needs no token."""
        return self._bundle(self._ask("GET", f"bundles/{quote(bundle_id, safe='')}/"))

    def _bundle(self, document: Json) -> Json:
        for name in ("id", "state", "filename"):
            if not isinstance(document.get(name), str):
                raise self._strange(name)
        for name in ("frames", "bytes", "bytes_done"):
            self._number(document, name)
        self._rows(document, "left_out")
        return document

    def delete(self, frame_id: int) -> None:
        """Delete a frame and its object."""
        self._ask("DELETE", f"frames/{frame_id}/delete/")

    def log_in(self, username: str, password: str) -> str:
        """Return a new token."""
        form = {"username": username, "password": password}
        answer = self._send("POST", "api-token-auth/", data=form)
        if answer.status_code == 400:
            raise RemoteRefusedError(f"{self.url} knows no such name and password")
        return str(self._read(answer)["token"])

    def _pages(self, filters: Mapping[str, str], limit: int | None) -> Iterator[Json]:
        """Walk by cursor where the archive has one, else by offset."""
        size = str(_PAGE if limit is None else min(limit, _PAGE))
        offset = int(filters["offset"]) if filters.get("offset", "").isdecimal() else 0
        place = {"offset": str(offset)} if "offset" in filters else {"cursor": ""}
        rest = {name: value for name, value in filters.items() if name not in ("offset", "limit")}
        while True:
            page = self._ask("GET", "frames/", {**rest, **place, "limit": size})
            frames = self._rows(page, "results")
            yield from frames
            offset += len(frames)
            if "next" in page:
                if page["next"] is None:
                    return
                place = {"cursor": str(page["next"])}
            elif not frames or offset >= self._number(page, "count"):
                return
            else:
                place = {"offset": str(offset)}

    def _ask(self, method: str, path: str, parameters: Mapping[str, str] | None = None) -> Json:
        return self._read(self._send(method, path, params=parameters))

    def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Send a request; try again what a busy archive or a network did not take."""
        url = f"{self.url}/{path}"
        for tried in range(1, _TRIES + 1):
            try:
                answer = self._http.request(method, url, **request)
            except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
                raise RemoteError(f"not an address of an archive: {self.url}: {error}") from None
            except httpx.TransportError as error:
                if tried == _TRIES or not _may_repeat(method, error):
                    reason = str(error) or type(error).__name__
                    raise RemoteUnavailableError(f"no archive answers at {self.url}: {reason}") from None
                time.sleep(_wait(tried))
                continue
            if answer.status_code not in _TRANSIENT or tried == _TRIES or method == "POST":
                return answer
            time.sleep(_wait(tried, answer.headers.get("retry-after", "")))
        raise AssertionError("unreachable")

    def _read(self, answer: httpx.Response) -> Json:
        if answer.is_success:
            return self._json(answer)
        detail = _detail(answer)
        status = answer.status_code
        if status == 401 and not self._has_token:
            raise RemoteRefusedError(f"{self.url} wants a token: use fitsvault login, --token or FITSVAULT_TOKEN")
        if status in (401, 403):
            raise RemoteRefusedError(f"{self.url} refuses the token: {detail}")
        if status == 429:
            later = answer.headers.get("retry-after", "")
            when = f" in {later} s" if later.isdecimal() else ""
            raise RemoteUnavailableError(f"{self.url} has had too many requests; try again{when}")
        if status in _TRANSIENT:
            raise RemoteUnavailableError(f"{self.url} answers {status}: {detail}")
        if answer.is_redirect:
            raise RemoteError(f"{self.url} sends on to {answer.headers.get('location')}; give that address as --url")
        raise RemoteError(f"{answer.request.url.path}: {detail}" if status < 500 else f"{self.url} failed ({status})")

    def _json(self, answer: httpx.Response) -> Json:
        if not answer.content:
            return {}
        try:
            document = answer.json()
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise RemoteError(f"{self.url} is no archive: {answer.request.url.path} answers with something else")
        return document

    def _rows(self, document: Json, name: str) -> list[Json]:
        rows = document.get(name)
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise self._strange(name)
        return rows

    def _number(self, document: Json, name: str) -> int:
        number = document.get(name)
        if type(number) is not int or number < 0:
            raise self._strange(name)
        return number

    def _strange(self, name: str) -> RemoteError:
        return RemoteError(f"{self.url} is no archive: its {name} cannot be read")


def patient_client(url: str, **options: Any) -> httpx.Client:
    """Return an HTTP client; addresses of this machine are not asked for through a proxy."""
    return httpx.Client(timeout=_TIMEOUT, trust_env=not _is_here(httpx.URL(url).host), **options)


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _may_repeat(method: str, error: httpx.TransportError) -> bool:
    return method == "GET" or isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)


def _wait(tried: int, retry_after: str = "") -> float:
    """Return seconds before the next try: what the archive asks for, or twice as long each time."""
    return min(float(retry_after) if retry_after.isdecimal() else 0.25 * 2.0**tried, _LONGEST_WAIT)


def _detail(answer: httpx.Response) -> str:
    try:
        document = answer.json()
    except (ValueError, RecursionError):
        return f"status {answer.status_code}"
    detail = document.get("detail") if isinstance(document, dict) else None
    return str(detail) if detail else f"status {answer.status_code}"

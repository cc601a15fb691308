"""Fetching one file: by a link into the store, resumed where it broke off, verified before it has its name."""

import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import httpx

from shared.checksums import Checksums
from shared.errors import RemoteError

__all__ = ["FetchState", "Fetched", "Fetcher", "Wanted"]

_TRIES = 5


@dataclass(frozen=True, slots=True)
class Wanted:
    """A frame, or a bundle, and where its file shall be; checksums as far as they are known."""

    id: int
    target: Path
    size: int
    sha256: str | None = None
    crc32: str | None = None


class FetchState(StrEnum):
    """What became of a frame."""

    DOWNLOADED = "downloaded"
    COMPLETE = "complete"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Fetched:
    """A frame's end."""

    wanted: Wanted
    state: FetchState
    problem: str | None = None


class Fetcher:
    """Fetches files; safe to share between threads. ``stop`` ends what is under way, to be resumed later.

    ``link`` signs a link to one, and tells its size and checksums.
    """

    def __init__(
        self,
        link: Callable[[Wanted], dict[str, Any]],
        store: httpx.Client,
        *,
        overwrite: bool,
        progress: Callable[[int], None],
        stop: threading.Event,
    ) -> None:
        self._link = link
        self._store = store
        self._overwrite = overwrite
        self._progress = progress
        self._stop = stop

    def fetch(self, wanted: Wanted) -> Fetched:
        """Fetch a frame unless its file is there and whole; a file that differs is left alone."""
        try:
            if wanted.target.exists():
                if _are_told(Checksums.of_file(wanted.target), asdict(wanted)):
                    self._progress(wanted.size)
                    return Fetched(wanted, FetchState.COMPLETE)
                if not self._overwrite:
                    return Fetched(wanted, FetchState.FAILED, "a file that differs is there; --overwrite replaces it")
            wanted.target.parent.mkdir(parents=True, exist_ok=True)
            return self._try(wanted)
        except (RemoteError, OSError) as error:
            return Fetched(wanted, FetchState.FAILED, str(error))

    def _try(self, wanted: Wanted) -> Fetched:
        """Fetch a frame; tries that bring nothing are counted, those that bring something are not."""
        fruitless, problem = 0, ""
        while fruitless < _TRIES:
            if fruitless:
                self._stop.wait(0.25 * 2.0**fruitless)
            link = self._link(wanted)
            part = wanted.target.with_name(f".{wanted.target.name}.{_digest(link)[:12]}.part")
            before = _length(part)
            try:
                sums = self._complete(part, link)
            except _StoreAnswerError as error:
                problem = str(error)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                problem = f"the store broke off: {str(error) or type(error).__name__}"
            else:
                if _are_told(sums, link):
                    part.replace(wanted.target)
                    return Fetched(wanted, FetchState.DOWNLOADED)
                problem = "the bytes that came do not have its checksum"
                part.unlink()
            fruitless = 0 if _length(part) > before else fruitless + 1
        return Fetched(wanted, FetchState.FAILED, problem)

    def _complete(self, part: Path, link: dict[str, Any]) -> Checksums:
        """Fetch what ``part`` lacks, and return the checksums of the whole."""
        size = int(link["size"])
        sums = Checksums.of_file(part) if _length(part) <= size and part.exists() else Checksums()
        if sums.size == size and part.exists():
            return sums
        headers = {"Accept-Encoding": "identity"}
        if sums.size:
            headers["Range"] = f"bytes={sums.size}-"
        with self._store.stream("GET", str(link["url"]), headers=headers) as answer:
            _check(answer)
            if answer.status_code != 206:
                sums = Checksums()
            with part.open("ab" if sums.size else "wb") as file:
                for chunk in answer.iter_raw():
                    self._check_going_on(sums.size + len(chunk), size)
                    file.write(chunk)
                    sums.add(chunk)
                    self._progress(len(chunk))
        return sums

    def _check_going_on(self, length: int, size: int) -> None:
        if self._stop.is_set():
            raise InterruptedError("interrupted")
        if length > size:
            raise _StoreAnswerError(f"the store sends more than the {size} bytes of the file")


class _StoreAnswerError(Exception):
    """The store answers with something else than the bytes."""


def _check(answer: httpx.Response) -> None:
    if answer.status_code not in (200, 206):
        raise _StoreAnswerError(f"the store answers {answer.status_code}")


def _digest(link: dict[str, Any]) -> str:
    return str(link.get("sha256") or link.get("crc32") or "")


def _length(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _are_told(sums: Checksums, link: dict[str, Any]) -> bool:
    """Tell whether these are length and checksums that a link comes with, as far as it tells them."""
    told = (link["size"], link.get("crc32"), link.get("sha256"))
    mine = (sums.size, f"{sums.crc32:08x}", sums.sha256)
    return all(theirs in (None, own) for theirs, own in zip(told, mine, strict=True))

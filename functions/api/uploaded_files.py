"""The files of a multipart body, written to disk as they come: never a file in memory, never a body whole."""

import errno
import shutil
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request

from shared.settings import Settings

__all__ = ["UploadedFile", "uploaded_files"]

_MAX_FILES = 1000
_FLUSH = 1 << 20
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NO_ROOM = HTTPException(507, "The archive has no room for this upload just now.")
_BROKEN = HTTPException(400, "Multipart form parse error.")


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file on disk, in a folder of its own, and what its sender calls it."""

    path: Path
    filename: str


@asynccontextmanager
async def uploaded_files(request: Request, settings: Settings) -> AsyncIterator[list[UploadedFile]]:
    """Read the body, and give its files for the length of the block, in the order in which they came.

    Whatever has a file name is a file, under any field name; other fields are dropped.

    Raises
    ------
    HTTPException
        400: the body cannot be read or ends early. 413: it is longer than the settings allow. 507: the disk is full.
    """
    _check_length(request, settings.max_upload_bytes)
    folder = Path(await run_in_threadpool(_make_folder, settings.work_dir))
    try:
        _check_room(request, folder)
        body = _Body(folder, _boundary(request))
        await body.read(_limited(request.stream(), settings.max_upload_bytes))
        yield body.files
    except OSError as error:
        if error.errno in _FULL:
            raise _NO_ROOM from error
        raise
    finally:
        await run_in_threadpool(shutil.rmtree, folder, ignore_errors=True)


class _Body:
    """A multipart parser that notes what to write, and writes it in a thread when there is enough."""

    def __init__(self, folder: Path, boundary: bytes) -> None:
        self.files: list[UploadedFile] = []
        self._folder = folder
        self._header, self._value, self._disposition = b"", b"", b""
        self._is_file = self._has_ended = False
        self._pending: list[tuple[Path, bytes]] = []
        self._pending_bytes = 0
        self._open: tuple[Path, BinaryIO] | None = None
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin_part,
                "on_header_field": self._add_header,
                "on_header_value": self._add_value,
                "on_header_end": self._end_header,
                "on_headers_finished": self._begin_data,
                "on_part_data": self._add_data,
                "on_end": self._end,
            },
        )

    async def read(self, stream: AsyncGenerator[bytes, None]) -> None:
        is_empty = True
        try:
            async for chunk in stream:
                is_empty = is_empty and not chunk
                self._parser.write(chunk)
                if self._pending_bytes >= _FLUSH:
                    await run_in_threadpool(self._flush)
            await run_in_threadpool(self._flush)
        except FormParserError as error:
            raise _BROKEN from error
        finally:
            if self._open is not None:
                self._open[1].close()
        if not is_empty and not self._has_ended:
            raise _BROKEN

    def _begin_part(self) -> None:
        self._header, self._value, self._disposition = b"", b"", b""
        self._is_file = False

    def _add_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _add_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header, self._value = b"", b""

    def _begin_data(self) -> None:
        _, options = parse_options_header(self._disposition)
        filename = options.get(b"filename", b"").decode(errors="replace")
        self._is_file = bool(filename)
        if not self._is_file:
            return
        if len(self.files) == _MAX_FILES:
            raise HTTPException(400, f"More than {_MAX_FILES} files.")
        place = self._folder / str(len(self.files))
        place.mkdir()
        self.files.append(UploadedFile(place / "upload", filename))
        self._pending.append((self.files[-1].path, b""))

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self._pending.append((self.files[-1].path, data[start:end]))
            self._pending_bytes += end - start

    def _end(self) -> None:
        self._has_ended = True

    def _flush(self) -> None:
        for path, data in self._pending:
            if self._open is None or self._open[0] != path:
                if self._open is not None:
                    self._open[1].close()
                self._open = (path, path.open("wb"))
            self._open[1].write(data)
        self._pending.clear()
        self._pending_bytes = 0


def _make_folder(work_dir: Path | None) -> str:
    if work_dir is not None:
        work_dir.mkdir(parents=True, exist_ok=True)
    return tempfile.mkdtemp(prefix="fitsvault-upload-", dir=work_dir)


def _boundary(request: Request) -> bytes:
    _, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary", b"")
    if not 0 < len(boundary) <= 200:
        raise _BROKEN
    return boundary


def _check_length(request: Request, limit: int) -> None:
    if _length(request) > limit:
        raise _too_long(limit)


def _check_room(request: Request, folder: Path) -> None:
    if _length(request) > shutil.disk_usage(folder).free:
        raise _NO_ROOM


def _length(request: Request) -> int:
    length = request.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() and len(length) < 20 else 0


async def _limited(stream: AsyncGenerator[bytes, None], limit: int) -> AsyncGenerator[bytes, None]:
    length = 0
    async for chunk in stream:
        length += len(chunk)
        if length > limit:
            raise _too_long(limit)
        yield chunk


def _too_long(limit: int) -> HTTPException:
    return HTTPException(413, f"The request body is longer than {limit} bytes.")

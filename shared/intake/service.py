"""Receiving frames, and deleting them."""

import logging
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from shared.database import read
from shared.errors import (
    FitsError,
    MissingKeywordError,
    NamingError,
    StoreError,
    StoreUnavailableError,
    UploadError,
)
from shared.fits.model import Container
from shared.index.replacing import frames_named
from shared.intake.extension import kept_extension
from shared.intake.locks import NamedLocks
from shared.intake.placing import Placer
from shared.intake.reading import check_keywords, read_upload
from shared.intake.waiting import await_absence
from shared.naming.frame_names import FrameNames
from shared.settings import Settings
from shared.store.client import Store
from shared.store.naming import basename_of

__all__ = ["Intake"]

_log = logging.getLogger("fitsvault.intake")
_SHOWN = 120


class Intake:
    """What receives and deletes frames for the API. Safe to share between threads.

    Parameters
    ----------
    forget
        Takes an object that is gone out of the index.
    replica
        Where frames are listed from, if not from the index itself; it is waited for, too, but not for long.

    Raises
    ------
    BadTemplateError
        A template of the settings cannot be used.
    ValueError
        Uploads are to be packed, and astropy is not there.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        sessions: sessionmaker[Session],
        forget: Callable[[str], object],
        *,
        replica: sessionmaker[Session] | None = None,
    ) -> None:
        self._settings = settings
        self._store = store
        self._sessions = sessions
        self._forget = forget
        self._replica = replica
        if settings.compress_uploads and find_spec("astropy") is None:
            raise ValueError("FITSVAULT_COMPRESS_UPLOADS needs astropy, which is not installed here")
        self._names = FrameNames.parse(settings.path_formatter, settings.filename_formatter)
        self._placer = Placer(settings, store, sessions, forget, replica)
        self._locks = NamedLocks()

    def receive(self, path: Path, filename: str) -> str:
        """Store an uploaded file, wait until it is a frame, and return its basename.

        The folder of ``path`` is free for temporary files. ``filename`` is what the sender calls the file. A frame
        of that basename is replaced and keeps its id and its key.

        Raises
        ------
        UploadError
            The file does not become a frame. The message is for its sender.
        """
        try:
            return self._receive(path, filename)
        except MissingKeywordError as error:
            raise UploadError(str(error)) from error
        except (FitsError, NamingError) as error:
            raise UploadError(f"{_shown(filename)}: {error}") from error
        except (StoreError, DBAPIError) as error:
            _log.error("upload failed", extra={"reason": _reason(error)})
            raise UploadError(f"{_shown(filename)}: {_excuse(error)}") from error

    def delete(self, basename: str, key: str) -> None:
        """Delete a frame's object and take it out of the index; on a versioned bucket older versions stay.

        Raises
        ------
        StoreError
            The store failed.
        """
        with self._locks.hold(basename):
            self._store.delete(self._settings.bucket, (key,))
            self._forget(key)
        if self._replica is not None:
            await_absence(self._replica, self._settings.bucket, key)

    def _receive(self, path: Path, filename: str) -> str:
        frame = read_upload(path, work_dir=path.parent, limit=self._settings.max_unpacked_bytes)
        check_keywords(frame.header, needs_name=self._names.needs_name)
        basename = basename_of(self._names.stem(frame.header))
        extension = kept_extension(filename, frame.container, is_tiled=frame.is_tiled)
        if self._settings.compress_uploads and not frame.is_tiled:
            path, extension = self._packed(path, filename, extension)
        key = self._names.key(frame.header, basename + extension)
        with self._locks.hold(basename):
            target = self._key_of(basename, key)
            try:
                state = self._placer.place(path, target)
            except UploadError as error:
                raise UploadError(f"{_shown(filename)}: {error}") from error
        _log.info("received", extra={"bucket": state.bucket, "key": state.key, "size": state.size})
        return basename

    def _packed(self, path: Path, filename: str, extension: str) -> tuple[Path, str]:
        """Return the file in tiles and its extension; file and extension as they are where packing is not exact."""
        from shared.intake.packing import pack_file  # noqa: PLC0415 - brings astropy, which the API does without

        packed = pack_file(path, limit=self._settings.max_unpacked_bytes)
        if packed is None:
            return path, extension
        return packed, kept_extension(filename, Container.NONE, is_tiled=False) + ".fz"

    def _key_of(self, basename: str, key: str) -> str:
        """Return the key under which a frame of that name stands already, ``key`` before others; else ``key``."""
        with read(self._sessions) as session:
            keys = [found for _, found in frames_named(session, self._settings.bucket, basename)]
        return key if key in keys or not keys else keys[0]


def _shown(filename: str) -> str:
    """Return a sender's file name as an answer can show it."""
    name = "".join(char if char.isprintable() else "?" for char in filename[:_SHOWN])
    return name.encode("utf-8", "replace").decode() or "a file without a name"


def _reason(error: StoreError | DBAPIError) -> str:
    return str(error if isinstance(error, StoreError) or error.orig is None else error.orig)[:500]


def _excuse(error: StoreError | DBAPIError) -> str:
    if isinstance(error, StoreUnavailableError):
        return "the object store is not available; try again later"
    if isinstance(error, StoreError):
        return "the object store refused"
    return "the index is not available; try again later"

"""Backups in the derived bucket: made, listed, and the oldest of them removed.

A backup is as secret as the database: who reads it has hashes of passwords and tokens. No link to one is ever signed.
"""

import datetime as dt
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from sqlalchemy.orm import Session, sessionmaker

from shared.backup.format import Header
from shared.backup.writing import write_backup
from shared.database import utc_now
from shared.errors import BackupError
from shared.settings import Settings
from shared.store.client import Store
from shared.store.model import ObjectState

__all__ = ["Kept", "backups", "drop_backups", "keep_backup", "made_at", "opened_backup"]

_PREFIX = "backups/"
_KEY = re.compile(r"backups/fitsvault-(\d{8}T\d{6})Z\.jsonl\.gz")
_TYPE = "application/gzip"


@dataclass(frozen=True, slots=True)
class Kept:
    """A backup that was made: its key, its bytes, and rows by table."""

    key: str
    size: int
    rows: Mapping[str, int]


def keep_backup(settings: Settings, store: Store, sessions: sessionmaker[Session], schema: str) -> Kept:
    """Make a backup in the derived bucket; ``schema`` is the version of the database's."""
    now = utc_now()
    key = f"{_PREFIX}fitsvault-{now:%Y%m%dT%H%M%SZ}.jsonl.gz"
    with _scratch(settings) as file:
        rows = write_backup(sessions, file, Header(schema, now, settings.bucket))
        size = file.tell()
        file.seek(0)
        store.upload(settings.derived_bucket, key, file, ExtraArgs={"ContentType": _TYPE})
    return Kept(key, size, rows)


def backups(settings: Settings, store: Store) -> Sequence[ObjectState]:
    """Return all backups, the oldest first."""
    found = store.walk(settings.derived_bucket, prefix=_PREFIX)
    return [state for state in found if _KEY.fullmatch(state.key)]


def made_at(key: str) -> dt.datetime:
    """Return when a backup was made (naive UTC), as its key says."""
    return dt.datetime.strptime(key, f"{_PREFIX}fitsvault-%Y%m%dT%H%M%SZ.jsonl.gz")  # noqa: DTZ007


def drop_backups(settings: Settings, store: Store, keep: int) -> Sequence[str]:
    """Delete all but the ``keep`` latest backups; return the keys of those that are gone."""
    keys = [state.key for state in backups(settings, store)]
    old = keys[: max(0, len(keys) - keep)]
    store.delete(settings.derived_bucket, tuple(old))
    return old


@contextmanager
def opened_backup(settings: Settings, store: Store, name: str | None) -> Iterator[tuple[str, BinaryIO]]:
    """Give the key and the bytes of a backup, by key or its last part; without a name of the latest one.

    Raises
    ------
    BackupError
        There is none.
    """
    there = backups(settings, store)
    wanted = [state for state in there if name is None or name in (state.key, state.key.removeprefix(_PREFIX))]
    if not wanted:
        raise BackupError(f"no backup {name or 'at all'} in the bucket {settings.derived_bucket}")
    with _scratch(settings) as file:
        for chunk in store.stream(wanted[-1]):
            file.write(chunk)
        file.seek(0)
        yield wanted[-1].key, file


@contextmanager
def _scratch(settings: Settings) -> Iterator[BinaryIO]:
    """Give a file without a name, which nobody else can open."""
    if settings.work_dir is not None:
        settings.work_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=settings.work_dir) as file:
        yield file

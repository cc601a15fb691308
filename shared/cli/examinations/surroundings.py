"""Settings, the folder to work in, and the clock."""

import datetime as dt
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime

from botocore.exceptions import BotoCoreError, ClientError
from sqlalchemy.orm import Session, sessionmaker

from shared.cli.examinations.finding import Finding, note, ok, wrong
from shared.database import DATABASE_TROUBLE, database_time, read, utc_now
from shared.errors import BadTemplateError
from shared.fits.keywords import extended
from shared.naming.frame_names import FrameNames
from shared.settings import Settings, unknown_variables
from shared.store.client import Store

__all__ = ["examine_clock", "examine_room", "examine_settings"]

_SETTINGS, _ROOM, _CLOCK = "settings", "work folder", "clock"
_LITTLE = 2 << 30
_LATE, _TOO_LATE = 5.0, 300.0
"""Seconds that clocks may differ: times in the index are off then; stores refuse requests at 15 minutes."""


def examine_settings(settings: Settings, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Look for settings that are none, and for those that parts will refuse."""
    found = [note(_SETTINGS, told) for told in unknown_variables(environment)]
    try:
        extended(settings.keyword_synonyms)
    except ValueError as error:
        found.append(wrong(_SETTINGS, f"FITSVAULT_KEYWORD_SYNONYMS: {error}"))
    try:
        FrameNames.parse(settings.path_formatter, settings.filename_formatter)
    except BadTemplateError as error:
        found.append(wrong(_SETTINGS, f"FITSVAULT_{error}"))
    if settings.bucket == settings.derived_bucket:
        found.append(
            wrong(_SETTINGS, "FITSVAULT_BUCKET and FITSVAULT_DERIVED_BUCKET are the same: ingest feeds itself")
        )
    yield from found or [ok(_SETTINGS, "all of them can be used")]


def examine_room(settings: Settings) -> Iterator[Finding]:
    """Look whether ingest can put an object's bytes down."""
    folder = settings.work_dir or tempfile.gettempdir()
    while not os.path.exists(folder):  # noqa: PTH110 - ingest makes it
        folder = os.path.dirname(folder) or "."  # noqa: PTH120
    if not os.access(folder, os.W_OK):
        yield wrong(_ROOM, f"{folder} cannot be written; FITSVAULT_WORK_DIR names another")
        return
    free = shutil.disk_usage(folder).free
    words = f"{free / 2**30:.1f} GiB are free in {folder}"
    yield ok(_ROOM, words) if free >= _LITTLE else note(_ROOM, f"only {words}: larger files cannot be read")


def examine_clock(
    settings: Settings, store: Store, sessions: sessionmaker[Session], now: dt.datetime | None = None
) -> Iterator[Finding]:
    """Compare this machine's clock with those of store and database; ``now`` is what it shows (naive UTC)."""
    others = {"the store's": _store_time(store, settings.bucket), "the database's": _database_time(sessions)}
    known = {whose: moment for whose, moment in others.items() if moment is not None}
    if not known:
        yield note(_CLOCK, "nobody answers to compare it with")
    for whose, moment in known.items():
        apart = ((now or utc_now()) - moment).total_seconds()
        words = f"it is {abs(apart):.0f} s {'ahead of' if apart > 0 else 'behind'} {whose}"
        if abs(apart) < _LATE:
            yield ok(_CLOCK, f"it agrees with {whose}")
        elif abs(apart) < _TOO_LATE:
            yield note(_CLOCK, f"{words}: let NTP set all clocks")
        else:
            yield wrong(
                _CLOCK, f"{words}: stores refuse requests and links that are so far off. Let NTP set all clocks"
            )


def _store_time(store: Store, bucket: str) -> dt.datetime | None:
    """Return the store's time; it tells that even to whom it refuses because of the time."""
    try:
        headers = store.s3.head_bucket(Bucket=bucket)["ResponseMetadata"]["HTTPHeaders"]
    except ClientError as error:
        headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    except BotoCoreError:
        return None
    date = headers.get("date")
    return parsedate_to_datetime(date).astimezone(dt.UTC).replace(tzinfo=None) if date else None


def _database_time(sessions: sessionmaker[Session]) -> dt.datetime | None:
    """Return the time of a database that has a clock of its own."""
    if sessions.kw["bind"].dialect.name != "postgresql":
        return None
    try:
        with read(sessions) as session:
            return database_time(session)
    except DATABASE_TROUBLE:
        return None

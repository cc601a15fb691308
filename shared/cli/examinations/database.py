"""The database: whether it answers, its tables, sweeps and failures; and the backups of it."""

import datetime as dt
from collections.abc import Iterator

from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from shared.backup.keeping import backups, made_at
from shared.cli.examinations.finding import Finding, note, ok, wrong
from shared.database import DATABASE_TROUBLE, database_time, make_engine, read, reason_of, utc_now
from shared.errors import SchemaError, StoreError
from shared.index.state import IndexState, index_state, last_sweep
from shared.ingest.brake import advice
from shared.schema import REVISIONS, check_schema
from shared.settings import Settings
from shared.store.client import Store

__all__ = ["examine_backups", "examine_database", "examine_replica", "examine_work"]

_DATABASE, _REPLICA, _SWEEPS, _OBJECTS, _BACKUPS = "database", "replica", "sweeps", "objects", "backups"
_LATE = 600.0


def examine_database(sessions: sessionmaker[Session]) -> Iterator[Finding]:
    """Look whether it answers and has the tables of this version."""
    engine = sessions.kw["bind"]
    try:
        check_schema(engine)
        yield ok(_DATABASE, f"{engine.dialect.name} answers, with schema {REVISIONS[-1]}")
    except SchemaError as error:
        yield wrong(_DATABASE, str(error))
    except (*DATABASE_TROUBLE, OSError) as error:
        yield wrong(_DATABASE, f"no answer: {reason_of(error)}. Does it run, is FITSVAULT_DATABASE_URL right?")


def examine_replica(settings: Settings) -> Iterator[Finding]:
    """Look whether the replica answers, if there is one."""
    if settings.database_read_url is None:
        return
    engine = make_engine(settings.database_read_url.get_secret_value(), name="fitsvault-cli")
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT id FROM frames LIMIT 1")).all()
        yield ok(_REPLICA, "it answers")
    except (*DATABASE_TROUBLE, OSError) as error:
        yield wrong(_REPLICA, f"no answer: {reason_of(error)}. Without FITSVAULT_DATABASE_READ_URL the index is read")
    finally:
        engine.dispose()


def examine_work(settings: Settings, sessions: sessionmaker[Session]) -> Iterator[Finding]:
    """Look whether sweeps are made, and what became of objects."""
    try:
        with read(sessions) as session:
            swept, now = last_sweep(session, settings.bucket), database_time(session)
            state = index_state(session, settings.bucket)
    except DATABASE_TROUBLE as error:
        yield wrong(_OBJECTS, f"the index cannot be read: {reason_of(error)}")
        return
    yield _sweeps(settings, swept, now)
    if state.missing is not None:
        yield wrong(_OBJECTS, advice(state.missing))
    yield from _objects(state)


def examine_backups(settings: Settings, store: Store) -> Iterator[Finding]:
    """Look how old the latest backup is."""
    try:
        made = [made_at(state.key) for state in backups(settings, store)]
    except StoreError:
        return
    if not made:
        words = "there is none in the derived bucket: `fitsvault backup`, or FITSVAULT_BACKUP_SECONDS"
        yield note(_BACKUPS, words)
        return
    age = (utc_now() - made[-1]).total_seconds()
    words = f"the latest is {_time(age)} old, of {len(made)}"
    is_late = settings.backup_seconds and age > 2 * settings.backup_seconds + _LATE
    yield wrong(_BACKUPS, f"{words}: does the ingest host run?") if is_late else ok(_BACKUPS, words)


def _sweeps(settings: Settings, swept: dt.datetime | None, now: dt.datetime) -> Finding:
    if swept is None:
        return note(_SWEEPS, "there was none yet: does the ingest host run?")
    age = (now - swept).total_seconds()
    is_late = settings.reconcile_seconds and age > 2 * settings.reconcile_seconds + _LATE
    if is_late:
        return wrong(_SWEEPS, f"the last one began {_time(age)} ago: does the ingest host run?")
    return ok(_SWEEPS, f"the last one began {_time(age)} ago")


def _objects(state: IndexState) -> Iterator[Finding]:
    if state.unsettled:
        waits = f"{state.unsettled} could not be settled yet, the oldest for {_time(state.oldest_unsettled or 0.0)}"
        yield note(_OBJECTS, f"{waits}: `fitsvault failures --kind unavailable`")
    if state.messages_given_up:
        yield note(_OBJECTS, f"{state.messages_given_up} notifications were given up: `fitsvault notifications`")
    failed = sum(state.failures.values())
    yield ok(_OBJECTS, f"{state.frames} frames; {failed} failures, which `fitsvault failures` lists")


def _time(seconds: float) -> str:
    for unit, length in (("days", 172800.0), ("hours", 7200.0), ("minutes", 120.0)):
        if seconds >= length:
            return f"{seconds / {'days': 86400, 'hours': 3600, 'minutes': 60}[unit]:.0f} {unit}"
    return f"{seconds:.0f} s"

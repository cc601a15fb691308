"""Backups by the clock, in a thread of the ingest host."""

import datetime as dt
from collections.abc import Callable

import pytest

from localstack.backups import BackupThread
from shared.backup.keeping import backups, made_at
from shared.database import utc_now
from tests.archive import wait_until
from tests.ingest.conftest import Room, make_room

__all__ = ["make_room"]


@pytest.mark.parametrize("server", [None, "postgres"])
def test_one_of_many_hosts_backs_up_and_old_ones_go(
    make_room: Callable[..., Room], server: str | None, request: pytest.FixtureRequest
) -> None:
    room = make_room(request.getfixturevalue(server) if server else None)
    settings = room.settings.model_copy(update={"backup_seconds": 3600.0, "backup_keep": 2})
    hosts = [BackupThread(settings, room.sessions) for _ in range(2 if server else 1)]
    for host in hosts:
        host.start()
    try:
        wait_until("there is a backup", lambda: len(backups(settings, room.store)) > 0)
        for _ in range(3):
            for host in hosts:
                host.wake()
    finally:
        for host in hosts:
            host.stop()
    (first,) = backups(settings, room.store)
    assert utc_now() - first.last_modified < dt.timedelta(minutes=5)
    for day in (1, 2):
        room.store.write_bytes(settings.derived_bucket, f"backups/fitsvault-2020010{day}T000000Z.jsonl.gz", b"", "x")
    room.store.delete(settings.derived_bucket, (first.key,))
    for _ in range(2):
        hosts[0].work()
        kept = [made_at(state.key) for state in backups(settings, room.store)]
        assert [moment.year for moment in kept[:-1]] == [2020]
        assert utc_now() - kept[-1] < dt.timedelta(minutes=5)


def test_nothing_is_done_where_none_are_wanted(make_room: Callable[..., Room]) -> None:
    room = make_room()
    host = BackupThread(room.settings, room.sessions)
    host.start()
    host.stop()
    assert backups(room.settings, room.store) == []

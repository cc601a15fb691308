"""The suite: archive and store are stopped, killed, and started again."""

import os
import signal
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from shared.simulator import simulate_frame
from tests.archive import wait_until
from tests.stores.stored import StoredArchive

__all__ = ["Restarts"]


def process_of(home: Path, word: bytes) -> int:
    """Return the process below ``home`` whose command line has the word."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command, cwd = (entry / "cmdline").read_bytes(), (entry / "cwd").resolve()
        except OSError:
            continue
        if word in command and home in (cwd, *cwd.parents):
            return int(entry.name)
    raise AssertionError(f"no process {word!r} below {home}")


class Restarts:
    """What a store keeps is found again, and what it forgets is taken out of the index."""

    program: bytes
    """A word of the store's command line."""
    keeps: bool = True
    """Whether the store has its objects after it was stopped."""

    def test_a_second_start_finds_everything(self, stored: StoredArchive) -> None:
        stored.put("restarts/kept.fits", simulate_frame(OBJECT="kept").data)
        before = stored.agree()
        stored.stop()
        stored.start()
        after = stored.agree(deep=True)
        if self.keeps:
            assert after.fingerprint == before.fingerprint
        else:
            assert not after.objects
            assert not after.frames
        stored.put("restarts/new.fits", simulate_frame(OBJECT="new").data)
        assert stored.agree().frames["restarts/new.fits"].object_name == "new"

    def test_a_store_that_is_killed_comes_back(self, stored: StoredArchive) -> None:
        stored.put("restarts/before.fits", simulate_frame(OBJECT="before").data)
        before = stored.agree()
        os.kill(process_of(stored.home / "conf", self.program), signal.SIGKILL)
        wait_until("the store is started again", lambda: "object store has ended" in stored.output)
        key = "restarts/after.fits"
        wait_until("the store takes objects again", lambda: self.is_put(stored, key))
        after = stored.agree(deep=True)
        kept = set(before.frames) if self.keeps else set()
        assert set(after.frames) == kept | {key}

    @staticmethod
    def is_put(stored: StoredArchive, key: str) -> bool:
        try:
            stored.put(key, simulate_frame(OBJECT="after").data)
        except (BotoCoreError, ClientError):
            return False
        return True

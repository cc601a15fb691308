"""A dispatcher that is killed between sending and forgetting sends again: twice, never not at all."""

import signal
import subprocess
import sys
from pathlib import Path

from sqlalchemy.orm import Session, sessionmaker

from shared.notify.dispatch import Dispatcher, Pace
from shared.notify.webhook import Webhook
from tests.archive import wait_until
from tests.notify.outbox import left, put
from tests.notify.receiver import Receiver

REPOSITORY = Path(__file__).resolve().parents[2]
SECRET = "a secret of the two of us"
KILLED = """
import os, signal, sys
from shared.database import make_engine, make_session_factory
from shared.notify.dispatch import Dispatcher, Pace
from shared.notify.webhook import Webhook

class Dying(Webhook):
    def send(self, parcel):
        super().send(parcel)
        os.kill(os.getpid(), signal.SIGKILL)

sessions = make_session_factory(make_engine(sys.argv[1]))
Dispatcher(sessions, {"webhook": Dying(sys.argv[2], sys.argv[3])}, Pace(claim=float(sys.argv[4]))).dispatch()
"""


def dispatch_and_die(database_url: str, receiver: Receiver, *, claim: float) -> None:
    command = [sys.executable, "-c", KILLED, database_url, receiver.url, SECRET, str(claim)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


def test_killed_between_sending_and_forgetting(
    sessions: sessionmaker[Session], database_url: str, receiver: Receiver
) -> None:
    put(sessions, ["a.fits"])
    put(sessions, ["a.fits"], etag="e2")
    dispatch_and_die(database_url, receiver, claim=0.01)
    assert len(left(sessions)) == 2
    dispatch_and_die(database_url, receiver, claim=600)
    next_one = Dispatcher(sessions, {"webhook": Webhook(receiver.url, SECRET)}, Pace())
    assert not next_one.dispatch(), "the claim of the dead is respected until it runs out"
    assert [payload["etag"] for payload in receiver.payloads] == ["e1", "e1"]


def test_nothing_is_lost_over_many_deaths(
    sessions: sessionmaker[Session], database_url: str, receiver: Receiver
) -> None:
    put(sessions, ["a.fits", "b.fits"])
    put(sessions, ["a.fits"], etag="e2")
    for _ in range(2):
        dispatch_and_die(database_url, receiver, claim=0.01)
    last = Dispatcher(sessions, {"webhook": Webhook(receiver.url, SECRET)}, Pace())
    wait_until("all is sent", lambda: (last.dispatch(), not left(sessions))[1])
    told = [(payload["key"], payload["etag"]) for payload in receiver.payloads]
    assert set(told) == {("a.fits", "e1"), ("a.fits", "e2"), ("b.fits", "e1")}
    assert told.index(("a.fits", "e2")) > max(index for index, one in enumerate(told) if one == ("a.fits", "e1"))
    ids = {payload["id"] for payload in receiver.payloads}
    assert len(ids) == 3
    assert len(told) > 3

"""Messages are sent at least once, in the order of their object, and tried again until they are given up."""

import datetime as dt
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from shared.database import make_engine, make_session_factory, utc_now, write
from shared.errors import DeliveryRefusedError, NotDeliveredError
from shared.index.frames import put_frame
from shared.index.models import OutboxMessage
from shared.index.outbox import announcing, claim, delivered, not_delivered
from shared.index.undelivered import Backlog, count_messages, drop_old, retry_given_up
from shared.notify.dispatch import Dispatcher, Fate, Pace
from shared.notify.target import Parcel
from shared.notify.webhook import Webhook
from tests.archive import wait_until
from tests.index.factory import make_record
from tests.notify.outbox import left, put, remove
from tests.notify.receiver import Receiver

Sessions = sessionmaker[Session]
SECRET = "a secret of the two of us"
QUICK = Pace(base=0.001, cap=0.002, pause=0.002, batch=8, at_once=4)


class Witness:
    """A target that keeps what it is sent, and fails as it is told to."""

    def __init__(self, troubles: Mapping[str, list[Exception]] | None = None) -> None:
        self.sent: list[Parcel] = []
        self.troubles = dict(troubles or {})
        self._lock = threading.Lock()

    def send(self, parcel: Parcel) -> None:
        with self._lock:
            self.sent.append(parcel)
            troubles = self.troubles.get(parcel.subject)
            if troubles:
                raise troubles.pop(0)

    def types(self, subject: str) -> list[str]:
        return [parcel.type for parcel in self.sent if parcel.subject == subject]


def drained(dispatcher: Dispatcher, sessions: Sessions) -> Counter[Fate]:
    """Dispatch until nothing waits any more; what was put back meanwhile does not count."""
    fates: Counter[Fate] = Counter()

    def is_done() -> bool:
        fates.update(dispatcher.dispatch())
        return all(message.due_at is None for message in left(sessions))

    wait_until("nothing waits", is_done)
    del fates[Fate.PUT_BACK]
    return fates


def test_nothing_to_do_without_targets(sessions: Sessions) -> None:
    put(sessions, ["a.fits"])
    assert not Dispatcher(sessions, {}).has_targets
    assert Dispatcher(sessions, {}).dispatch() == Counter()
    assert len(left(sessions)) == 1


def test_500_then_200(sessions: Sessions, receiver: Receiver) -> None:
    put(sessions, ["a.fits"])
    receiver.script = [500, 200]
    dispatcher = Dispatcher(sessions, {"webhook": Webhook(receiver.url, SECRET)}, QUICK)
    assert drained(dispatcher, sessions) == {Fate.TO_RETRY: 1, Fate.DELIVERED: 1}
    first, second = receiver.received
    assert first.body == second.body
    assert [one.headers["X-Fitsvault-Attempt"] for one in (first, second)] == ["1", "2"]
    assert left(sessions) == []


def test_each_target_has_its_own_copy(sessions: Sessions) -> None:
    put(sessions, ["a.fits"], targets=("webhook", "queue", "topic"))
    works, fails = Witness(), Witness({"frames/a.fits": [DeliveryRefusedError("no")]})
    drained(Dispatcher(sessions, {"webhook": works, "queue": fails}, QUICK), sessions_without(sessions, "topic"))
    assert [(message.target, message.reason) for message in left(sessions)] == [("queue", "no"), ("topic", None)]
    assert works.sent[0].event_id == fails.sent[0].event_id


def sessions_without(sessions: Sessions, target: str) -> Sessions:
    """Let messages to a target that nobody has be no matter for `drained`."""
    with write(sessions) as session:
        session.execute(update(OutboxMessage).where(OutboxMessage.target == target).values(due_at=None))
    return sessions


def test_an_objects_messages_keep_their_order(sessions: Sessions) -> None:
    witness = Witness({"frames/a.fits": [NotDeliveredError("away") for _ in range(4)]})
    for turn in range(3):
        put(sessions, ["a.fits", "b.fits"], etag=f"e{turn}")
    remove(sessions, "a.fits")
    drained(Dispatcher(sessions, {"webhook": witness}, QUICK), sessions)
    assert witness.types("frames/a.fits") == ["frame.indexed"] * 7 + ["frame.removed"]
    for subject in ("frames/a.fits", "frames/b.fits"):
        numbers = [int(parcel.body.rpartition(":")[2][:-1]) for parcel in witness.sent if parcel.subject == subject]
        assert numbers == sorted(numbers)


def test_others_do_not_wait_for_one_that_fails(sessions: Sessions) -> None:
    put(sessions, ["a.fits", "b.fits", "c.fits"])
    witness = Witness({"frames/a.fits": [NotDeliveredError("away")]})
    slow = replace(QUICK, base=3600, cap=3600)
    dispatcher = Dispatcher(sessions, {"webhook": witness}, slow)
    wait_until("two are sent", lambda: (dispatcher.dispatch(), len(left(sessions)) == 1)[1])
    (waiting,) = left(sessions)
    assert (waiting.key, waiting.attempts, waiting.reason) == ("a.fits", 1, "away")
    assert waiting.due_at is not None
    assert waiting.due_at > utc_now() + dt.timedelta(seconds=1700)


def test_what_fails_too_often_is_given_up_and_can_be_asked_for(sessions: Sessions) -> None:
    put(sessions, ["a.fits"])
    remove(sessions, "a.fits")
    witness = Witness({"frames/a.fits": [NotDeliveredError("still away") for _ in range(5)]})
    dispatcher = Dispatcher(sessions, {"webhook": witness}, replace(QUICK, attempts=5))
    fates = drained(dispatcher, sessions)
    assert fates == {Fate.TO_RETRY: 4, Fate.GIVEN_UP: 1, Fate.DELIVERED: 1}
    (given_up,) = left(sessions)
    assert (given_up.due_at, given_up.attempts, given_up.reason) == (None, 5, "still away")
    assert dispatcher.dispatch() == Counter()
    with write(sessions) as session:
        assert count_messages(session) == [Backlog("webhook", 0, 1)]
        assert retry_given_up(session) == 1
    assert drained(dispatcher, sessions) == {Fate.DELIVERED: 1}
    assert witness.types("frames/a.fits") == ["frame.indexed"] * 5 + ["frame.removed", "frame.indexed"]


def test_a_refusal_is_final(sessions: Sessions) -> None:
    put(sessions, ["a.fits"])
    witness = Witness({"frames/a.fits": [DeliveryRefusedError("answered 410")]})
    assert Dispatcher(sessions, {"webhook": witness}, QUICK).dispatch() == {Fate.GIVEN_UP: 1}
    assert left(sessions)[0].reason == "answered 410"


def test_a_fault_of_our_own_loses_nothing(sessions: Sessions) -> None:
    put(sessions, ["a.fits", "b.fits"])
    witness = Witness({"frames/a.fits": [RuntimeError("hidden"), RuntimeError("hidden")]})
    dispatcher = Dispatcher(sessions, {"webhook": witness}, QUICK)
    assert drained(dispatcher, sessions) == {Fate.TO_RETRY: 2, Fate.DELIVERED: 2}


def test_a_target_that_is_away_is_left_alone(sessions: Sessions) -> None:
    keys = [f"{number}.fits" for number in range(40)]
    put(sessions, keys)
    witness = Witness({f"frames/{key}": [NotDeliveredError("away")] for key in keys})
    dispatcher = Dispatcher(sessions, {"webhook": witness}, replace(QUICK, pause=60, at_once=1))
    fates = dispatcher.dispatch()
    assert fates == {Fate.TO_RETRY: 1, Fate.PUT_BACK: 7}
    assert Counter(message.attempts for message in left(sessions)) == {1: 1, 0: 39}
    assert dispatcher.dispatch() == Counter()


def test_a_receiver_gets_the_time_it_asks_for(sessions: Sessions) -> None:
    put(sessions, ["a.fits"])
    witness = Witness({"frames/a.fits": [NotDeliveredError("busy", retry_after=600)]})
    Dispatcher(sessions, {"webhook": witness}, QUICK).dispatch()
    due_at = left(sessions)[0].due_at
    assert due_at is not None
    assert due_at > utc_now() + dt.timedelta(seconds=590)


def test_whoever_is_stopped_puts_back_what_he_has_not_sent(sessions: Sessions) -> None:
    put(sessions, [f"{number}.fits" for number in range(8)])
    witness = Witness()
    dispatcher = Dispatcher(sessions, {"webhook": witness}, replace(QUICK, at_once=1))
    fates = dispatcher.dispatch(stop=lambda: len(witness.sent) >= 3)
    assert fates == {Fate.DELIVERED: 3, Fate.PUT_BACK: 5}
    assert drained(Dispatcher(sessions, {"webhook": witness}, QUICK), sessions) == {Fate.DELIVERED: 5}
    assert {parcel.attempt for parcel in witness.sent} == {1}


def test_dispatchers_side_by_side_share_the_work(sessions: Sessions, database_url: str) -> None:
    keys = [f"{number:02d}.fits" for number in range(20)]
    for turn in range(3):
        put(sessions, keys, etag=f"e{turn}")
    witness = Witness()

    def work() -> None:
        with another(database_url) as mine:
            dispatcher = Dispatcher(mine, {"webhook": witness}, QUICK)
            wait_until("all is sent", lambda: (dispatcher.dispatch(), not left(mine))[1])

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert len(witness.sent) == len({parcel.event_id for parcel in witness.sent}) == 60
    for key in keys:
        numbers = [int(p.body.rpartition(":")[2][:-1]) for p in witness.sent if p.subject == f"frames/{key}"]
        assert numbers == sorted(numbers)


def test_a_claim_runs_out(sessions: Sessions) -> None:
    put(sessions, ["a.fits"])
    with write(sessions) as session:
        (first,) = claim(session, ["webhook"], limit=5, seconds=0)
    with write(sessions) as session:
        (second,) = claim(session, ["webhook"], limit=5, seconds=60)
        assert claim(session, ["webhook"], limit=5, seconds=60) == []
    assert (first.event_id, first.attempts, second.attempts) == (second.event_id, 1, 2)
    with write(sessions) as session:
        assert not not_delivered(session, first, "too slow", wait=0)
    assert left(sessions)[0].reason is None
    with write(sessions) as session:
        delivered(session, first)
    assert left(sessions) == []


def test_a_message_that_kills_its_dispatchers_is_given_up(sessions: Sessions) -> None:
    put(sessions, ["a.fits"])
    for _ in range(3):
        with write(sessions) as session:
            claim(session, ["webhook"], limit=1, seconds=0)
    witness = Witness()
    assert Dispatcher(sessions, {"webhook": witness}, replace(QUICK, attempts=3)).dispatch() == {Fate.GIVEN_UP: 1}
    assert witness.sent == []
    assert left(sessions)[0].reason == "none of 3 attempts came to an end"


def test_what_was_given_up_is_not_kept_for_ever(sessions: Sessions) -> None:
    put(sessions, ["a.fits", "b.fits"])
    with write(sessions) as session:
        for message in claim(session, ["webhook"], limit=1, seconds=60):
            not_delivered(session, message, "no", wait=None)
        assert drop_old(session, utc_now() - dt.timedelta(days=1)) == 0
        assert drop_old(session, utc_now() + dt.timedelta(days=1)) == 1
    assert [message.key for message in left(sessions)] == ["b.fits"]


def test_what_is_rolled_back_is_not_announced(sessions: Sessions) -> None:
    def break_off() -> None:
        with write(sessions) as session:
            with announcing(session, ["webhook"], "frames", "a.fits"):
                put_frame(session, make_record(key="a.fits"))
            raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        break_off()
    assert left(sessions) == []


@contextmanager
def another(url: str) -> Iterator[Sessions]:
    engine = make_engine(url)
    try:
        yield make_session_factory(engine)
    finally:
        engine.dispose()

"""`fitsvault notifications`: what waits, what was given up, and what becomes of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.orm import Session, sessionmaker

from shared.database import make_engine, make_session_factory, write
from shared.index.outbox import claim, not_delivered
from shared.migrations import upgrade
from shared.settings import settings
from tests.cli.conftest import Run
from tests.notify.outbox import left, put


@pytest.fixture
def sessions(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sessionmaker[Session]]:
    """An index of its own, which the commands look into."""
    monkeypatch.setenv("FITSVAULT_HOME", str(tmp_path / "home"))
    settings.cache_clear()
    engine = make_engine(f"sqlite:///{tmp_path / 'home' / 'index.sqlite'}")
    upgrade(engine)
    yield make_session_factory(engine)
    engine.dispose()


def give_up(sessions: sessionmaker[Session], count: int) -> list[int]:
    with write(sessions) as session:
        claimed = claim(session, ["webhook"], limit=count, seconds=60)
        for message in claimed:
            not_delivered(session, message, "http://pipeline.example.org answered \x1b[2J500", wait=None)
    return [message.id for message in claimed]


def test_nothing(run: Run, sessions: sessionmaker[Session]) -> None:
    assert run("notifications").out == "nothing waits, nothing was given up\n"


def test_what_waits_and_what_was_given_up(run: Run, sessions: sessionmaker[Session]) -> None:
    put(sessions, ["a.fits", "b.fits", "c.fits"])
    (number,) = give_up(sessions, 1)
    done = run("notifications")
    assert done.code == 0, done
    lines = done.out.splitlines()
    assert lines[0] == f"{number}  frame.indexed to webhook: frames/a.fits"
    assert lines[1] == "    http://pipeline.example.org answered \ufffd[2J500"
    assert "tried 1 time, given up" in lines[2]
    assert "b.fits" in lines[3]
    assert "tried 0 times, next attempt" in lines[4]
    assert lines[-1] == "webhook: 2 waiting, 1 given up"
    assert len(run("notifications", "--limit", "1").out.splitlines()) == 4


def test_try_again(run: Run, sessions: sessionmaker[Session]) -> None:
    put(sessions, ["a.fits", "b.fits", "c.fits"])
    give_up(sessions, 2)
    assert run("notifications", "--retry-all").out == "2 to be tried again\n"
    assert [message.attempts for message in left(sessions) if message.due_at is not None] == [0, 0, 0]


def test_forget(run: Run, sessions: sessionmaker[Session]) -> None:
    put(sessions, ["a.fits", "b.fits", "c.fits", "d.fits"])
    give_up(sessions, 2)
    waiting = left(sessions)[3].id
    done = run("notifications", "--drop", str(waiting), "999")
    assert (done.code, done.out) == (1, "1 dropped\n"), done
    assert "no message 999" in done.err
    assert run("notifications", "--drop-all").out == "2 dropped\n"
    assert [message.key for message in left(sessions)] == ["c.fits"]


@pytest.mark.parametrize(
    "words", [("--drop",), ("1",), ("--retry-all", "--drop-all"), ("--retry-all", "1"), ("--drop", "x")]
)
def test_wrong_words(run: Run, sessions: sessionmaker[Session], words: tuple[str, ...]) -> None:
    assert run("notifications", *words).code == 2

"""Log lines are JSON, and those of one request or event have one trace."""

import io
import json
import logging
import sys
import threading
from contextvars import copy_context
from typing import Any

import pytest

from shared.logs import clean_trace, configure_logs, current_trace, log_fields, traced


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Any:
    root, output = logging.getLogger(), io.StringIO()
    before, level = root.handlers[:], root.level
    monkeypatch.setattr(sys, "stderr", output)
    configure_logs("INFO")
    yield lambda: [json.loads(line) for line in output.getvalue().splitlines()]
    root.handlers[:] = before
    root.setLevel(level)


def test_a_line_shows_the_fields_of_its_block_and_its_own(lines: Any) -> None:
    log = logging.getLogger("fitsvault.test")
    with traced("abc"), log_fields(upload="def"):
        log.info("within", extra={"key": "k\n\x1b"})
        thread = threading.Thread(target=copy_context().run, args=(log.info, "beside"))
        thread.start()
        thread.join()
    log.info("behind")
    within, beside, behind = lines()
    assert (within["trace"], within["upload"], within["key"]) == ("abc", "def", "k\n\x1b")
    assert beside["trace"] == "abc"
    assert "trace" not in behind


def test_a_trace_is_kept_unless_there_is_a_better_one() -> None:
    with traced(None):
        made = current_trace()
        assert made
        with traced(None):
            assert current_trace() == made
        with traced("other"):
            assert current_trace() == "other"
    assert current_trace() is None


@pytest.mark.parametrize("text", ["", "a b", "a\nb", 'a"b', "x" * 129, "é", None, 7, {"a": 1}])
def test_what_could_forge_a_log_is_no_trace(text: object) -> None:
    assert clean_trace(text) is None

"""Whatever an event holds, it is read or refused; nothing else ever happens."""

import copy
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.events.fields import is_key
from shared.events.reader import queue_messages
from tests.events.cases import CASES, reading_of

_Path = tuple[str | int, ...]
_DEEP: Any = []
for _ in range(300):
    _DEEP = [_DEEP]
_HOSTILE = st.sampled_from(
    [
        None,
        True,
        0,
        -1.5,
        10**30,
        "",
        "\0",
        "\ud800",
        "\u202e\n\x1b[31m",
        "x" * 5000,
        "%",
        "{",
        "[" * 5000,
        [],
        {},
        _DEEP,
    ]
) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def paths_of(value: Any, path: _Path = ()) -> Iterator[_Path]:
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in items:
        yield from paths_of(inner, (*path, name))


_EVENTS = [(case.event, list(paths_of(case.event))) for case in CASES]


@st.composite
def mutated_events(draw: st.DrawFn) -> Any:
    event, paths = draw(st.sampled_from(_EVENTS))
    event = copy.deepcopy(event)
    for path in draw(st.lists(st.sampled_from(paths), min_size=1, max_size=3)):
        value = event
        try:
            for name in path[:-1]:
                value = value[name]
            value[path[-1]] = copy.deepcopy(draw(_HOSTILE))
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change has taken the place away
    return draw(st.sampled_from([event, {"Type": "Notification", "TopicArn": "x", "Message": json.dumps(event)}]))


@given(mutated_events() | _HOSTILE)
def test_hostile_events_are_read_or_refused(event: Any) -> None:
    reading = reading_of(event)
    for found in reading.events:
        assert is_key(found.key)
        assert found.raw_key is None or is_key(found.raw_key)
        f"{found.bucket}{found.version_id}{found.sequencer}".encode()
    for reason in reading.refused:
        assert reason.isprintable()
        assert len(reason) < 2000


@given(st.lists(mutated_events(), min_size=1, max_size=3))
def test_hostile_queue_messages_are_read_or_refused(events: list[Any]) -> None:
    records = [{"eventSource": "aws:sqs", "messageId": "m", "body": json.dumps(event)} for event in events]
    for message in queue_messages({"Records": records}) or ():
        reading_of(json.loads(message.body))
    reading_of({"Records": records})

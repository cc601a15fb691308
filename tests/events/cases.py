"""The corpus: events of every dialect as real servers sent them, and what they tell."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.errors import EventError
from shared.events.model import EventReading
from shared.events.reader import read_event

__all__ = ["CASES", "Case", "reading_of"]


@dataclass(frozen=True, slots=True)
class Case:
    """One event, the objects (kind, bucket, key) that it tells of, and what the reasons of refusals hold."""

    name: str
    event: dict[str, Any]
    objects: list[list[str]]
    refused: list[str]


def reading_of(event: Any) -> EventReading:
    """Return the reading also of an event in which nothing is understood."""
    try:
        return read_event(event)
    except EventError as error:
        return EventReading(refused=(str(error),))


def _case(path: Path) -> Case:
    case = json.loads(path.read_text())
    return Case(path.stem, case["event"], case["objects"], case.get("refused", []))


CASES = tuple(_case(path) for path in sorted(Path(__file__).with_name("corpus").glob("*.json")))

"""Ranges of time that people mean most."""

import datetime as dt
from dataclasses import dataclass

from functions.api.web.search import Search

__all__ = ["Preset", "presets"]

_TIMES = ("night", "start", "end")
_LONG_AGO = (("7 days", 7), ("30 days", 30), ("Year", 365))


@dataclass(frozen=True, slots=True)
class Preset:
    """A range of time by its name; ``url`` is the query string of the search in it."""

    label: str
    url: str
    is_chosen: bool


def presets(search: Search, now: dt.datetime, latest: dt.date | None) -> list[Preset]:
    """Return the ranges for a search.

    Parameters
    ----------
    now
        Naive UTC.
    latest
        The latest night of which there are frames.
    """
    ranges: list[tuple[str, dict[str, str]]] = [("Any time", {})]
    if latest is not None:
        ranges.append(("Latest night", {"night": latest.isoformat()}))
    ranges.append(("24 hours", {"start": (now - dt.timedelta(days=1)).isoformat(timespec="minutes")}))
    ranges += [(label, {"start": (now - dt.timedelta(days=days)).date().isoformat()}) for label, days in _LONG_AGO]
    return [_preset(search, label, times) for label, times in ranges]


def _preset(search: Search, label: str, times: dict[str, str]) -> Preset:
    chosen = {name: search.given[name] for name in _TIMES if name in search.given}
    return Preset(label, search.url(dict.fromkeys(_TIMES) | times), chosen == times)

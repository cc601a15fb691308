"""Ranges of time."""

import datetime as dt
from urllib.parse import parse_qsl

from functions.api.web.presets import presets
from functions.api.web.search import read_search

NOW = dt.datetime(2026, 11, 26, 2, 30, 15)
LATEST = dt.date(2026, 11, 24)


def test_presets_replace_each_other() -> None:
    search = read_search([("OBJECT", "M 51"), ("night", "2026-01-01"), ("offset", "50")])
    found = {preset.label: dict(parse_qsl(preset.url[1:])) for preset in presets(search, NOW, LATEST)}
    assert found == {
        "Any time": {"OBJECT": "M 51"},
        "Latest night": {"OBJECT": "M 51", "night": "2026-11-24"},
        "24 hours": {"OBJECT": "M 51", "start": "2026-11-25T02:30"},
        "7 days": {"OBJECT": "M 51", "start": "2026-11-19"},
        "30 days": {"OBJECT": "M 51", "start": "2026-10-27"},
        "Year": {"OBJECT": "M 51", "start": "2025-11-26"},
    }


def test_the_one_in_use_is_marked() -> None:
    for at, preset in enumerate(presets(read_search([]), NOW, LATEST)):
        again = presets(read_search(parse_qsl(preset.url[1:])), NOW, LATEST)
        assert [one.is_chosen for one in again] == [place == at for place in range(len(again))]


def test_an_empty_archive_has_no_latest_night() -> None:
    assert "Latest night" not in [preset.label for preset in presets(read_search([]), NOW, None)]

"""Any bytes as any parameter that the document names, and SQL's own characters as ordinary ones."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from functions.api.parameters import FILTER_PARAMETERS, LIST_PARAMETERS
from shared.accounts.account import Role
from shared.database import write
from shared.index.frames import put_frame
from tests.api.conftest import emptied, make_client, make_key
from tests.index.factory import make_record

METACHARACTERS = "'\"%_\\;-*?()[]{}|&/ <>=,.#`$:@!+~^"
NAMES = [
    "' OR 1=1 --",
    "'; DROP TABLE frames; --",
    '" OR ""="',
    "%",
    "_",
    "100%",
    "100_",
    "\\",
    "\\%",
    "a\\'b",
    "*",
    "?",
    "[a-z]",
    ") UNION SELECT key FROM tokens --",
    ":name",
    "%(name)s",
    "{x}",
    "ζ Oph",
    "NULL",
    "none",
]
EXACT = {"SITE": "site", "TELESCOPE": "telescope", "INSTRUMENT": "instrument", "IMAGETYPE": "image_type"}
EXACT |= {"FILTER": "filter_name", "REQNUM": "request_number", "OBSNUM": "observation_number"}

anything = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def inside(shared_app: FastAPI) -> Iterator[TestClient]:
    """A client of an index whose frames are named by what breaks careless queries."""
    sessions = emptied(shared_app).state.services.sessions
    with write(sessions) as session:
        for number, name in enumerate(NAMES):
            named: dict[str, Any] = dict.fromkeys(EXACT.values(), name)
            put_frame(session, make_record(key=f"any/frame-{number}.fits", object_name=name, **named))
    yield make_client(shared_app, make_key(sessions, "anyone", Role.USER))
    emptied(shared_app)


def quoted(raw: bytes) -> str:
    return "".join(f"%{byte:02x}" for byte in raw)


@anything
@given(
    name=st.sampled_from([parameter["name"] for parameter in LIST_PARAMETERS] + ["asc"]),
    raw=st.binary(max_size=60),
    more=st.sampled_from(["", "&RA=0&DEC=0", "&undated=true", "&sort=OBJECT&order=desc", "&limit=0"]),
)
@example(name="limit", raw=b"9" * 5000, more="")
@example(name="RA", raw=b"1e400", more="&DEC=0")
@example(name="night", raw=b"0000-00-00", more="")
@example(name="cursor", raw=b"\x00", more="")
def test_any_bytes_as_any_parameter_of_lists(inside: TestClient, name: str, raw: bytes, more: str) -> None:
    for path in ("/frames/", "/frames/aggregate/", "/frames/facets/", "/frames/nights/", "/frames/sky/"):
        answer = inside.get(f"{path}?{name}={quoted(raw)}{more}")
        assert answer.status_code in (200, 400), answer.text
        assert answer.headers["content-type"] == "application/json"
        assert list(answer.json()) == ["detail"] or answer.status_code == 200


@anything
@given(
    tail=st.sampled_from(["", "headers/", "preview/", "download/", "related/", "catalog/"]),
    name=st.sampled_from(["format", "size", "redirect", "x"]),
    raw=st.binary(max_size=60),
)
def test_any_bytes_as_any_parameter_of_a_frame(inside: TestClient, tail: str, name: str, raw: bytes) -> None:
    answer = inside.get(f"/frames/4711/{tail}?{name}={quoted(raw)}")
    assert answer.status_code in (400, 404)
    assert list(answer.json()) == ["detail"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("parameter", sorted(EXACT))
def test_an_exact_filter_takes_every_character_for_itself(inside: TestClient, parameter: str, name: str) -> None:
    found = inside.get("/frames/", params={parameter: name}).json()
    assert [frame["basename"] for frame in found["results"]] == [f"frame-{NAMES.index(name)}"]


@anything
@given(st.text(METACHARACTERS + "aOr1", max_size=8))
@example("%")
@example("_")
@example("\\")
@example("' OR 1=1 --")
def test_a_part_of_a_name_takes_every_character_for_itself(inside: TestClient, text: str) -> None:
    found = inside.get(f"/frames/?{urlencode({'OBJECT': text})}").json()
    part = text.strip().lower()
    assert [frame["OBJECT"] for frame in found["results"]] == [name for name in NAMES if part in name.lower()]
    options = inside.get(f"/frames/aggregate/?{urlencode({'OBJECT': text})}").json()
    assert options["sites"] == sorted(name for name in NAMES if part in name.lower())


@anything
@given(st.sampled_from(sorted(EXACT)), st.text(METACHARACTERS + "aOr1", min_size=1, max_size=8))
def test_an_exact_filter_finds_nothing_else(inside: TestClient, parameter: str, text: str) -> None:
    found = inside.get(f"/frames/?{urlencode({parameter: text})}")
    wanted = text.strip() if parameter in ("REQNUM", "OBSNUM") else text
    assert found.json()["count"] == (len(NAMES) if not wanted else NAMES.count(wanted))


def test_every_filter_of_the_document_was_among_them() -> None:
    assert set(EXACT) <= {parameter["name"] for parameter in FILTER_PARAMETERS}

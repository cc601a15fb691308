import datetime as dt
from urllib.parse import urlencode

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from functions.api.parameters import LIST_PARAMETERS
from shared.database import read, write
from shared.index.frames import put_frame
from shared.index.models import Frame
from shared.index.parameters import parse_query
from shared.index.query import list_frames
from shared.index.rows import frame_values
from tests.api.conftest import PutFrame, Sessions, emptied, make_client, make_key
from tests.index.factory import make_record

START = dt.datetime.fromisoformat("2024-01-15T18:00:00")


@pytest.fixture
def night(put: PutFrame) -> list[int]:
    return [
        put(
            key=f"n/frame-{n:02}.fits",
            date_obs=START + dt.timedelta(minutes=n) if n != 9 else None,
            night=START.date() if n != 9 else None,
            filter_name=("Red", "Blue", None)[n % 3],
            image_type="bias" if n == 4 else "object",
            object_name=f"M {n}",
        )
        for n in range(10)
    ]


def test_no_frames_are_an_empty_page(client: TestClient) -> None:
    assert client.get("/frames/").json() == {"count": 0, "results": []}
    empty: dict[str, list[str]] = {name: [] for name in ("imagetypes", "sites", "telescopes")}
    empty |= {name: [] for name in ("instruments", "filters", "binnings")}
    answer = client.get("/frames/aggregate/")
    assert (answer.status_code, answer.json()) == (200, empty)
    assert list(answer.json()) == list(empty)


def test_pages_by_date_leave_out_what_has_none(client: TestClient, night: list[int]) -> None:
    answer = client.get("/frames/").json()
    assert answer["count"] == 9
    assert [frame["id"] for frame in answer["results"]] == night[:9]
    pages = [client.get("/frames/", params={"limit": 4, "offset": offset}).json() for offset in (0, 4, 8, 12)]
    assert [page["count"] for page in pages] == [9] * 4
    assert [frame["id"] for page in pages for frame in page["results"]] == night[:9]
    assert client.get("/frames/?undated=true").json()["count"] == 10
    assert client.get(f"/frames/{night[9]}/").json()["DATE_OBS"] is None


def test_filters_and_sorting_reach_the_index(client: TestClient, night: list[int]) -> None:
    def ids(**parameters: object) -> list[int]:
        query = urlencode(parameters)
        return [frame["id"] for frame in client.get(f"/frames/?{query}").json()["results"]]

    assert ids(FILTER="Red", order="desc") == [night[6], night[3], night[0]]
    assert ids(FILTER="None") == [night[2], night[5], night[8]]
    assert ids(IMAGETYPE="bias") == [night[4]]
    assert ids(OBJECT="m 3") == [night[3]]
    assert ids(start="2024-01-15T18:06:00+00:00") == night[6:9]
    assert ids(sort="basename", order="desc", limit=2) == [night[8], night[7]]
    assert ids(RA="5h35m17.28s", DEC="-05:23:27.6", radius=1, limit=1) == [night[0]]
    assert ids(RA="180", DEC="0") == []


def test_options_ignore_paging_and_sorting_even_bad_ones(client: TestClient, night: list[int]) -> None:
    options = client.get("/frames/aggregate/?limit=x&offset=&sort=no&order=no").json()
    assert options["filters"] == ["Blue", "None", "Red"]
    assert options["imagetypes"] == ["bias", "object"]
    assert client.get("/frames/aggregate/?IMAGETYPE=bias").json()["filters"] == ["Blue"]


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("limit=", "Invalid values for offset/limit."),
        ("offset=1.5&sort=no", "Invalid values for offset/limit."),
        ("sort=no&order=no", "Invalid value for sort."),
        ("order=no&RLEVEL=x", "Invalid value for order."),
        ("RLEVEL=x", "Invalid value for RLEVEL."),
        ("night=2024-13-01", "Invalid value for night."),
        ("RA=x&DEC=0", "Invalid value for RA."),
        ("OBJECT=%00", "Invalid value for OBJECT."),
    ],
)
def test_what_cannot_be_read_is_named(client: TestClient, query: str, detail: str) -> None:
    answer = client.get(f"/frames/?{query}")
    assert (answer.status_code, answer.json()) == (400, {"detail": detail})


def test_of_a_repeated_parameter_the_last_counts(client: TestClient, night: list[int]) -> None:
    assert client.get("/frames/?limit=x&limit=3").json()["results"][2]["id"] == night[2]
    assert client.get("/frames/?FILTER=Red&FILTER=Blue").json()["count"] == 3


@pytest.mark.parametrize("tail", ["", "headers/", "preview/", "download/"])
@pytest.mark.parametrize("frame_id", ["0", "4711", "00", str(2**63 - 1), str(2**64), "9" * 5000])
def test_an_unknown_id_is_not_found(client: TestClient, frame_id: str, tail: str) -> None:
    answer = client.get(f"/frames/{frame_id}/{tail}")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not found."})


@pytest.mark.parametrize("frame_id", ["-1", "+1", "1.0", "1e3", "x", "%20", "%D9%A1", "1%0A", "1%00", "²"])
def test_ids_are_digits(client: TestClient, put: PutFrame, frame_id: str) -> None:
    put()
    answer = client.get(f"/frames/{frame_id}/")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not found."})


def test_leading_zeros_do_not_matter(client: TestClient, put: PutFrame) -> None:
    frame_id = put()
    assert client.get(f"/frames/{'0' * 4400}{frame_id}/").json()["id"] == frame_id


@pytest.mark.parametrize("path", ["/", "/health/", "/docs", "/frames/", "/frames/?limit=x", "/frames/aggregate/"])
def test_head_answers_like_get_without_a_body(client: TestClient, path: str) -> None:
    got, head = client.get(path), client.head(path)
    assert head.status_code == got.status_code
    assert head.content == b""
    assert {**head.headers, "x-request-id": ""} == {**got.headers, "x-request-id": ""}
    assert head.headers["x-request-id"] != got.headers["x-request-id"]


def test_a_page_of_a_thousand_is_one_answer(app: FastAPI, client: TestClient, sessions: Sessions) -> None:
    with sessions.begin() as session:
        for n in range(1001):
            session.add(_frame(n))
    answer = client.get("/frames/")
    assert answer.json()["count"] == 1001
    assert len(answer.json()["results"]) == 1000
    assert len(answer.content) < 6_000_000
    with read(sessions) as session:
        assert list_frames(session, parse_query([("limit", "0")])).count == 1001


def _frame(n: int) -> Frame:
    values = frame_values(make_record(key=f"many/{n:04}.fits"))
    return Frame(**values, ingested_at=START, updated_at=START)


NAMES = st.sampled_from([parameter["name"] for parameter in LIST_PARAMETERS] + ["asc", "cursor", "x"])
VALUES = st.one_of(st.text(max_size=30), st.integers().map(str), st.floats().map(str), st.datetimes().map(str))


class TestAnyQuery:
    @pytest.fixture(scope="class")
    @classmethod
    def inside(cls, shared_app: FastAPI) -> TestClient:
        sessions = emptied(shared_app).state.services.sessions
        with write(sessions) as session:
            for n in range(5):
                put_frame(session, make_record(key=f"any/{n}.fits"))
        return make_client(shared_app, make_key(sessions, "anyone"))

    @settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(st.tuples(NAMES, VALUES), max_size=6))
    @example([("RA", "0"), ("DEC", "90"), ("radius", "1e300")])
    @example([("start", "9999-12-31T23:59:59-23:59")])
    @example([("limit", "9" * 5000)])
    @example([("OBJECT", "%_\\'\"")])
    def test_is_answered_or_refused(self, inside: TestClient, parameters: list[tuple[str, str]]) -> None:
        query = urlencode(parameters, errors="surrogatepass")
        for path in ("/frames/", "/frames/aggregate/"):
            answer = inside.get(f"{path}?{query}")
            assert answer.status_code in (200, 400), answer.text
            assert "detail" in answer.json() or answer.status_code == 200

    @settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.binary(max_size=40).map(lambda raw: "".join(f"%{byte:02x}" for byte in raw)))
    def test_may_hold_any_bytes(self, inside: TestClient, raw: str) -> None:
        for query in (raw, f"OBJECT={raw}", f"{raw}=1", f"start={raw}"):
            assert inside.get(f"/frames/?{query}").status_code in (200, 400)

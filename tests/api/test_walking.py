"""Related frames, and walks by cursor, over HTTP."""

import pytest
from starlette.testclient import TestClient

from shared.index.record import LinkRecord
from tests.api.conftest import PutFrame


def links(*targets: str) -> tuple[LinkRecord, ...]:
    return tuple(LinkRecord(f"L1RAW{number}", target) for number, target in enumerate(targets))


def test_related_frames_are_a_bare_list_of_frame_objects(client: TestClient, put: PutFrame) -> None:
    later = put(key="b/flat.fits.fz", basename="flat", date_obs=None)
    frame_id = put(key="a/e91.fits", links=links("raw", "flat", "away", "e91"))
    raw = put(key="c/raw.fits", links=links("e91"))
    found = client.get(f"/frames/{frame_id}/related/").json()
    assert (
        [frame["id"] for frame in found] == [later, raw] == client.get(f"/frames/{frame_id}/").json()["related_frames"]
    )
    assert found[1] == client.get(f"/frames/{raw}/").json()
    assert found[0]["DATE_OBS"] is None
    assert client.get(f"/frames/{later}/related/").json() == []


def test_related_frames_of_a_frame_that_is_not_there(client: TestClient, anonymous: TestClient) -> None:
    answer = client.get("/frames/4711/related/")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not found."})
    assert anonymous.get("/frames/4711/related/").status_code == 401
    assert client.head("/frames/4711/related/").content == b""


def test_a_walk_is_told_its_next_page(client: TestClient, put: PutFrame) -> None:
    ids = [put(key=f"{number}.fits", object_name=None if number % 2 else "M 31") for number in range(7)]
    met, cursor = [], ""
    while cursor is not None:
        answer = client.get("/frames/", params={"cursor": cursor, "limit": 3, "sort": "OBJECT", "order": "desc"}).json()
        assert list(answer) == ["count", "results", "next"]
        assert answer["count"] == 7
        met += [frame["id"] for frame in answer["results"]]
        cursor = answer["next"]
    assert sorted(met) == ids
    assert met == [frame["id"] for frame in client.get("/frames/?sort=OBJECT&order=desc").json()["results"]]
    assert list(client.get("/frames/").json()) == ["count", "results"]


@pytest.mark.parametrize("change", ["sort=id", "order=desc", "order=OBJECT"])
def test_a_cursor_belongs_to_one_order(client: TestClient, put: PutFrame, change: str) -> None:
    for number in range(3):
        put(key=f"{number}.fits")
    cursor = client.get("/frames/?cursor=&limit=1").json()["next"]
    assert client.get(f"/frames/?cursor={cursor}&limit=1").status_code == 200
    for path in (f"/frames/?cursor={cursor}&{change}", f"/frames/?cursor={cursor[:-1]}", "/frames/?cursor=x"):
        answer = client.get(path)
        assert (answer.status_code, answer.json()) == (400, {"detail": "Invalid value for cursor."})
    assert client.get("/frames/aggregate/?cursor=x").status_code == 200

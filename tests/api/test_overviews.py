"""All frames found at a glance."""

import datetime as dt

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import PutFrame

FACETS = ("imagetypes", "sites", "telescopes", "instruments", "filters", "binnings", "reduction_levels")
START = dt.datetime.fromisoformat("2024-01-15T18:00:00")


@pytest.fixture
def frames(put: PutFrame) -> list[int]:
    return [
        put(
            key=f"n/frame-{n:02}.fits",
            date_obs=START + dt.timedelta(days=n) if n != 9 else None,
            night=START.date() + dt.timedelta(days=n) if n != 9 else None,
            filter_name=("Red", "Blue", None)[n % 3],
            reduction_level=(0, 91)[n % 2],
        )
        for n in range(10)
    ]


def test_without_frames_there_is_nothing_to_choose(client: TestClient) -> None:
    answer = client.get("/frames/facets/")
    assert (answer.status_code, answer.json()) == (200, {"complete": True} | {name: [] for name in FACETS})
    assert list(answer.json()) == ["complete", *FACETS]


@pytest.mark.usefixtures("frames")
def test_options_come_with_counts(client: TestClient) -> None:
    found = client.get("/frames/facets/").json()
    assert found["complete"]
    assert found["filters"] == [{"value": name, "count": 3} for name in ("Blue", "None", "Red")]
    assert found["reduction_levels"] == [{"value": 0, "count": 5}, {"value": 91, "count": 4}]
    assert client.get("/frames/facets/?undated=true").json()["sites"] == [{"value": "sutherland", "count": 10}]


@pytest.mark.usefixtures("frames")
def test_a_facet_leaves_its_own_filter_out(client: TestClient) -> None:
    found = client.get("/frames/facets/?FILTER=Red&end=2024-01-19&limit=x&sort=no").json()
    assert found["filters"] == [
        {"value": "Blue", "count": 1},
        {"value": "None", "count": 1},
        {"value": "Red", "count": 2},
    ]
    assert found["sites"] == [{"value": "sutherland", "count": 2}]


@pytest.mark.parametrize("name", ["RLEVEL", "night", "OBJECT"])
@pytest.mark.parametrize("path", ["facets", "nights", "sky"])
def test_what_cannot_be_read_is_named(client: TestClient, path: str, name: str) -> None:
    answer = client.get(f"/frames/{path}/?{name}=%00")
    assert (answer.status_code, answer.json()) == (400, {"detail": f"Invalid value for {name}."})


def test_without_frames_there_is_no_year(client: TestClient) -> None:
    assert client.get("/frames/nights/").json() == {"year": None, "years": [], "complete": True, "nights": []}
    assert client.get("/frames/nights/?year=2024").json()["year"] == 2024


@pytest.mark.usefixtures("frames")
def test_nights_are_counted(client: TestClient) -> None:
    found = client.get("/frames/nights/?FILTER=Red&night=2024-01-15&end=2024-01-20").json()
    nights = [{"night": "2024-01-15", "count": 1}, {"night": "2024-01-18", "count": 1}]
    assert found == {"year": 2024, "years": [2024], "complete": True, "nights": nights}
    assert client.get("/frames/nights/?year=2023").json() == {
        "year": 2023,
        "years": [2024],
        "complete": True,
        "nights": [],
    }


@pytest.mark.parametrize("year", ["x", "0", "10000", "-1", "2024.0", "9" * 5000, "%00", "２０２４"])
def test_a_year_is_one_of_those_that_dates_have(client: TestClient, year: str) -> None:
    answer = client.get(f"/frames/nights/?year={year}")
    assert (answer.status_code, answer.json()) == (400, {"detail": "Invalid value for year."})


@pytest.mark.usefixtures("frames")
def test_a_mark_on_the_sky_is_a_cone_with_its_frames(client: TestClient) -> None:
    assert client.get("/frames/sky/?RA=180&DEC=0").json() == {"complete": True, "of": None, "marks": []}
    found = client.get("/frames/sky/?FILTER=Red").json()
    assert (found["complete"], found["of"]) == (True, None)
    (mark,) = found["marks"]
    assert mark["count"] == 3
    cone = {"RA": mark["ra"], "DEC": mark["dec"], "radius": mark["radius"]}
    assert client.get("/frames/", params={"FILTER": "Red"} | cone).json()["count"] == 3

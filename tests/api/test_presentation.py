import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from functions.api import schemas
from shared.index.record import LinkRecord
from shared.index.times import format_time
from tests.api.conftest import PutFrame

FIRST_KEYS = [
    "id",
    "basename",
    "SITEID",
    "TELID",
    "INSTRUME",
    "RLEVEL",
    "DATE_OBS",
    "FILTER",
    "OBJECT",
    "EXPTIME",
    "REQNUM",
    "OBSNUM",
    "OBSTYPE",
    "binning",
    "related_frames",
    "url",
]

FULL = {
    "key": "saao/20240115/0m5-kb03-0042-e91.fits.fz",
    "basename": "0m5-kb03-0042-e91",
    "version_id": "v1",
    "etag": "e7a6",
    "size": 5_000_000_000,
    "last_modified": dt.datetime.fromisoformat("2024-01-16T03:04:05.000678"),
    "crc32": 0xAB,
    "sha256": "a1" * 32,
    "site": "saao",
    "reduction_level": 91,
    "proposal_id": "P-1",
    "public_date": dt.datetime.fromisoformat("2025-01-15T00:00:00"),
    "origin_name": "0m5-kb03-0042-e00",
    "request_number": "0001",
    "observation_number": "7",
    "footprint": ((83.9, -5.5), (83.7, -5.5), (83.7, -5.3), (83.9, -5.3)),
    "hdu_count": 2,
    "hdu_kinds": ("image", "table"),
    "science_hdu": 0,
    "container": "gzip",
    "checksum": "verified",
    "notes": ("data unit without its last padding",),
}
GOLDEN = """{
 "id": 1000000,
 "basename": "0m5-kb03-0042-e91",
 "SITEID": "saao",
 "TELID": "0m5",
 "INSTRUME": "kb03",
 "RLEVEL": 91,
 "DATE_OBS": "2024-01-15T18:00:10.123Z",
 "FILTER": "Red",
 "OBJECT": "M42",
 "EXPTIME": 30.0,
 "REQNUM": "0001",
 "OBSNUM": "7",
 "OBSTYPE": "object",
 "binning": "2x2",
 "related_frames": [],
 "url": "frames/1000000/download/",
 "night": "2024-01-15",
 "DAY_OBS": "2024-01-15",
 "PROPID": "P-1",
 "L1PUBDAT": "2025-01-15T00:00:00Z",
 "RA": 83.822,
 "DEC": -5.391,
 "footprint": [[83.9, -5.5], [83.7, -5.5], [83.7, -5.3], [83.9, -5.3]],
 "IMAGECLASS": "object",
 "XBINNING": 2,
 "YBINNING": 2,
 "DATAMEAN": 1234.5,
 "width": 1024,
 "height": 1024,
 "bucket": "frames",
 "key": "saao/20240115/0m5-kb03-0042-e91.fits.fz",
 "filename": "0m5-kb03-0042-e91.fits.fz",
 "size": 5000000000,
 "etag": "e7a6",
 "version_id": "v1",
 "last_modified": "2024-01-16T03:04:05.000Z",
 "uploaded": "2024-01-16T03:04:05.000Z",
 "ingested": "2024-01-16T03:04:07Z",
 "crc32": "000000ab",
 "sha256": "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1",
 "checksum": "verified",
 "container": "gzip",
 "hdus": ["image", "table"],
 "notes": ["data unit without its last padding"],
 "ORIGNAME": "0m5-kb03-0042-e00"
}"""
UNKNOWN = dict.fromkeys(
    (
        "version_id",
        "site",
        "telescope",
        "instrument",
        "image_type",
        "object_name",
        "filter_name",
        "exposure_time",
        "date_obs",
        "night",
        "x_binning",
        "y_binning",
        "ra",
        "dec",
        "width",
        "height",
        "data_mean",
    )
)


def test_a_frame_shows_all_that_is_known_in_the_contracts_order(client: TestClient, put: PutFrame) -> None:
    frame_id = put(**FULL)
    answer = client.get(f"/frames/{frame_id}/")
    ingested = answer.json()["ingested"]
    golden = json.loads(GOLDEN.replace("1000000", str(frame_id)).replace("2024-01-16T03:04:07Z", ingested))
    assert answer.json() == golden
    assert list(answer.json()) == list(golden)
    assert list(answer.json())[:16] == FIRST_KEYS
    age = dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(ingested)
    assert dt.timedelta(0) <= age < dt.timedelta(minutes=5)


def test_a_frame_is_the_same_in_a_list(client: TestClient, put: PutFrame) -> None:
    frame_id = put(**FULL)
    answer = client.get("/frames/").json()
    assert answer == {"count": 1, "results": [client.get(f"/frames/{frame_id}/").json()]}
    assert list(answer["results"][0])[:16] == FIRST_KEYS


def test_what_is_unknown_is_null_or_empty(client: TestClient, put: PutFrame) -> None:
    frame = client.get(f"/frames/{put(**UNKNOWN)}/").json()
    texts = {name: frame[name] for name in ("SITEID", "TELID", "INSTRUME", "OBSTYPE")}
    assert set(texts.values()) == {""}
    assert (frame["RLEVEL"], frame["binning"], frame["related_frames"]) == (0, "1x1", [])
    nulls = ["DATE_OBS", "FILTER", "OBJECT", "EXPTIME", "REQNUM", "OBSNUM", "night", "DAY_OBS", "RA", "DEC"]
    nulls += ["footprint", "XBINNING", "YBINNING", "DATAMEAN", "width", "height", "L1PUBDAT", "PROPID", "ORIGNAME"]
    assert {name: frame[name] for name in nulls} == dict.fromkeys(nulls)


@pytest.mark.parametrize(
    ("image_type", "hidden"), [("bias", True), ("dark", True), ("BIAS", False), ("Dark Frame", False), ("flat", False)]
)
def test_a_bias_or_dark_hides_object_and_filter_but_is_found_by_them(
    client: TestClient, put: PutFrame, image_type: str, hidden: bool
) -> None:
    put(image_type=image_type, object_name="M42", filter_name="Red")
    frame = client.get("/frames/").json()["results"][0]
    assert (frame["OBJECT"], frame["FILTER"]) == ((None, None) if hidden else ("M42", "Red"))
    assert client.get("/frames/", params={"FILTER": "Red", "OBJECT": "m42"}).json()["count"] == 1
    assert client.get("/frames/aggregate/").json()["filters"] == ["Red"]


def test_related_frames_ascend_also_when_the_target_comes_later(client: TestClient, put: PutFrame) -> None:
    links = (LinkRecord("L1BIAS", "bias-b"), LinkRecord("L1DARK", "dark-a"))
    frame_id = put(links=links)
    later = [put(key="b/bias-b.fits"), put(key="a/dark-a.fits.fz"), put(key="c/bias-b.fits.gz")]
    assert client.get(f"/frames/{frame_id}/").json()["related_frames"] == sorted(later)


def test_numbers_that_json_cannot_hold_are_null(client: TestClient, put: PutFrame) -> None:
    nan = float("nan")
    put(exposure_time=nan, ra=nan, dec=nan, data_mean=float("inf"), footprint=((nan, nan),) * 4)
    answer = client.get("/frames/")
    assert "NaN" not in answer.text
    assert "Infinity" not in answer.text
    frame = answer.json()["results"][0]
    names = ("EXPTIME", "RA", "DEC", "DATAMEAN", "footprint")
    assert {name: frame[name] for name in names} == dict.fromkeys(names)


def test_text_is_sent_as_it_is(client: TestClient, put: PutFrame) -> None:
    put(object_name="ζ Oph „x“ \u2028 \"'<b>\\")
    answer = client.get("/frames/")
    assert answer.json()["results"][0]["OBJECT"] == "ζ Oph „x“ \u2028 \"'<b>\\"
    assert answer.headers["content-type"] == "application/json"


def test_the_documented_frame_has_the_keys_of_the_real_one(client: TestClient, put: PutFrame) -> None:
    frame = client.get(f"/frames/{put(**FULL)}/").json()
    assert list(schemas.Frame.model_fields) == list(frame)
    schemas.Frame.model_validate(frame)
    schemas.Frame.model_validate(client.get(f"/frames/{put(key='other.fits', **UNKNOWN)}/").json())


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        ("2024-01-15T18:00:10", "2024-01-15T18:00:10Z"),
        ("2024-01-15T18:00:10.999999", "2024-01-15T18:00:10.999Z"),
        ("2024-01-15T18:00:10.000001", "2024-01-15T18:00:10.000Z"),
        ("0099-01-01T00:00:00", "0099-01-01T00:00:00Z"),
    ],
)
def test_milliseconds_are_cut(moment: str, text: str) -> None:
    assert format_time(dt.datetime.fromisoformat(moment)) == text


@given(st.datetimes())
def test_a_time_reads_back_to_the_millisecond(moment: dt.datetime) -> None:
    text = format_time(moment)
    assert text is not None
    read = dt.datetime.fromisoformat(text)
    assert read.replace(tzinfo=None) == moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    assert ("." in text) == (moment.microsecond != 0)

"""The client of today, pyobs-core, against a running archive: the real one, in an environment of its own."""

import datetime as dt
import hashlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from astropy.io import fits

from shared.database import make_engine, make_session_factory, write
from shared.index.bulk import put_frames
from shared.simulator import SimulatedFrame, simulate_frame
from tests.archive import RunningArchive, running_archive
from tests.contract.conftest import PyobsClient
from tests.index.factory import make_record

START = dt.datetime.fromisoformat("2024-01-15T18:00:00")
COUNT = 2345

Call = Callable[..., Any]

pytestmark = [pytest.mark.archive, pytest.mark.timeout(1200)]


def values_of(number: int) -> dict[str, Any]:
    """Return the header of one of many frames: pairs share a date, some have none, every kind occurs."""
    return {
        "bucket": "elsewhere",
        "key": f"many/frame-{number:05}.fits",
        "date_obs": None if number % 500 == 499 else START + dt.timedelta(seconds=number // 2, microseconds=123456),
        "site": ("sutherland", "mcdonald")[number % 2],
        "image_type": ("object", "bias", "dark", "skyflat")[number % 4],
        "filter_name": ("V", "R", None)[number % 3],
        "exposure_time": (10.0, 60.0)[number % 2],
        "x_binning": 1 + number % 2,
        "y_binning": 1 + number % 2,
        "reduction_level": number % 2,
        "observation_number": str(number % 7),
    }


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningArchive]:
    """An archive with more frames than two pages hold."""
    with running_archive(tmp_path_factory.mktemp("crowd")) as archive:
        engine = make_engine(archive.settings.effective_database_url)
        with write(make_session_factory(engine)) as session:
            put_frames(session, [make_record(**values_of(number)) for number in range(COUNT)])
        engine.dispose()
        yield archive


@pytest.fixture
def many(pyobs: PyobsClient, crowd: RunningArchive) -> Call:
    def returned(name: str, **query: Any) -> Any:
        return pyobs.get(crowd, name, query=query)

    return returned


def expected(keep: Callable[[dict[str, Any]], bool] = lambda _: True) -> list[str]:
    return [
        Path(values["key"]).stem
        for values in map(values_of, range(COUNT))
        if values["date_obs"] is not None and keep(values)
    ]


def names(frames: list[dict[str, Any]]) -> list[str]:
    return [frame["filename"] for frame in frames]


def test_list_frames_walks_all_pages(many: Call) -> None:
    frames = many("list_frames")
    assert len(frames) > 2000
    assert names(frames) == expected()
    assert len({frame["id"] for frame in frames}) == len(frames)
    assert frames[0] == {
        "id": frames[0]["id"],
        "filename": "frame-00000",
        "dateobs": "2024-01-15T18:00:00.123",
        "filter_name": "V",
        "binning": 1,
        "exptime": 10.0,
    }


@pytest.mark.parametrize(
    ("query", "keep"),
    [
        ({"site": "mcdonald"}, lambda v: v["site"] == "mcdonald"),
        ({"telescope": "0m5", "instrument": "kb03"}, lambda v: True),
        ({"image_type": "bias"}, lambda v: v["image_type"] == "bias"),
        ({"binning": "2x2", "filter_name": "V"}, lambda v: v["x_binning"] == 2 and v["filter_name"] == "V"),
        ({"filter_name": "None"}, lambda v: v["filter_name"] is None),
        ({"rlevel": 1}, lambda v: v["reduction_level"] == 1),
        ({"rlevel": 0}, lambda v: v["reduction_level"] == 0),
        ({"obsnum": "3"}, lambda v: v["observation_number"] == "3"),
        ({"exptime": 60.0}, lambda v: v["exposure_time"] == 60.0),
        ({"night": "2024-01-15"}, lambda v: True),
        ({"night": "2024-01-16"}, lambda v: False),
        ({"site": "nowhere"}, lambda v: False),
        ({"start": "2024-01-15T18:10:00.123"}, lambda v: v["date_obs"] >= START + dt.timedelta(seconds=600)),
        ({"end": "2024-01-15T18:10:00.123"}, lambda v: v["date_obs"] < START + dt.timedelta(seconds=600)),
        (
            {"start": "2024-01-15T18:05:00", "end": "2024-01-15T18:06:00", "site": "sutherland"},
            lambda v: 300 <= (v["date_obs"] - START).total_seconds() <= 360 and v["site"] == "sutherland",
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "expected",
)
def test_list_frames_with_every_filter(many: Call, query: dict[str, Any], keep: Callable[[Any], bool]) -> None:
    assert names(many("list_frames", **query)) == expected(keep)


def test_list_options(many: Call) -> None:
    assert many("list_options") == {
        "imagetypes": ["bias", "dark", "object", "skyflat"],
        "sites": ["mcdonald", "sutherland"],
        "telescopes": ["0m5"],
        "instruments": ["kb03"],
        "filters": ["None", "R", "V"],
        "binnings": ["1x1", "2x2"],
    }
    assert many("list_options", image_type="bias", site="mcdonald", start="2024-01-15T18:00:00")["binnings"] == ["2x2"]
    assert many("list_options", night="1999-01-01")["sites"] == []


def test_a_wrong_token_is_told(pyobs: PyobsClient, crowd: RunningArchive) -> None:
    answer = pyobs.ask(crowd, "list_frames", token="0" * 40)
    assert answer["raised"] == "ArchiveError"
    assert "HTTP 401" in answer["text"]


def pixels(data: bytes) -> str:
    """Return a digest of the first image in a file."""
    with fits.open(io.BytesIO(data)) as hdus:
        image = next(hdu for hdu in hdus if hdu.data is not None)
        return hashlib.sha256(image.data.astype(">f8").tobytes()).hexdigest()


@pytest.fixture(scope="module")
def stored(archive: RunningArchive) -> list[SimulatedFrame]:
    """Frames of a site of their own, put into the bucket as any pipeline does: plain, packed, with a catalogue."""
    made = [
        simulate_frame(
            name=f"pyobs-stored-{number}.fits{ending}", number=number, seed=number, catalog=number == 1, SITEID="stored"
        )
        for number, ending in enumerate(("", "", ".fz"))
    ]
    for frame in made:
        archive.s3.put_object(Bucket=archive.bucket, Key=frame.key, Body=frame.data)
    for frame in made:
        archive.wait_for_frame(frame.key)
    return made


def test_download_frames(call: Call, stored: list[SimulatedFrame]) -> None:
    images = call("download_frames", query={"site": "stored"})
    assert [image["FNAME"] for image in images] == [frame.name for frame in stored]
    assert [image["pixels"] for image in images] == [pixels(frame.data) for frame in stored]
    assert [image["catalog"] is not None for image in images] == [False, True, False]


def test_download_headers(call: Call, stored: list[SimulatedFrame]) -> None:
    headers = call("download_headers", query={"site": "stored"})
    assert [header["FNAME"] for header in headers] == [frame.name for frame in stored]
    for header, frame in zip(headers, stored, strict=True):
        with fits.open(io.BytesIO(frame.data)) as hdus:
            original = next(hdu for hdu in hdus if hdu.data is not None).header
            for key in ("SITEID", "OBJECT", "EXPTIME", "DATE-OBS", "XBINNING", "TEL-RA", "CRVAL1"):
                assert header[key] == original[key]

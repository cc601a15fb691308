"""All real frames, uploaded with plain boto3 to a running archive, against what their manifest says they hold."""

import datetime as dt
import hashlib
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine, text

from shared.fits.model import SkyPosition
from tests.archive import RunningArchive, wait_until
from tests.fits.test_real_frames import DIFFERENCES, FIELDS, REFUSED, apart

pytestmark = [pytest.mark.archive, pytest.mark.frames]

HIDDEN = "OBJECT and FILTER of an OBSTYPE of exactly bias or dark are shown as null; filters use the stored value"
SHOWN_OTHERWISE = {
    ("sutherland-sim-20261121-0003-b00.fits.gz", "OBJECT"): HIDDEN,
    ("sutherland-sim-20261121-0003-b00.fits.gz", "FILTER"): HIDDEN,
    ("sutherland-sim-20261121-0004-d00.fits.gz", "OBJECT"): HIDDEN,
    ("sutherland-sim-20261121-0004-d00.fits.gz", "FILTER"): HIDDEN,
}
IF_UNKNOWN = {"SITEID": "", "TELID": "", "INSTRUME": "", "OBSTYPE": "", "RLEVEL": 0}


@pytest.fixture(scope="module")
def manifest(real_frames: Path) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads((real_frames / "MANIFEST.json").read_text())["entries"]
    return entries


@pytest.fixture(scope="module")
def failures(archive: RunningArchive, manifest: list[dict[str, Any]], real_frames: Path) -> dict[str, tuple[str, str]]:
    """Upload everything, and return the failures once every file is a frame or one of them."""
    for entry in manifest:
        data = (real_frames / entry["file"]).read_bytes()
        archive.s3.put_object(Bucket=archive.bucket, Key=f"real/{entry['file']}", Body=data)
    engine = create_engine(f"sqlite:///file:{archive.home / 'index.sqlite'}?mode=ro&uri=true")

    def failed() -> dict[str, tuple[str, str]]:
        with engine.connect() as connection:
            rows = connection.execute(text("SELECT key, kind, message FROM failures WHERE key LIKE 'real/%'"))
            return {row.key.removeprefix("real/"): (row.kind, row.message) for row in rows}

    wait_until("every file is settled", lambda: len(failed()) + len(frames_of(archive)) == len(manifest), 120)
    found = failed()
    engine.dispose()
    return found


def frames_of(archive: RunningArchive) -> dict[str, dict[str, Any]]:
    return {f["filename"]: f for f in archive.frames() if f["key"].startswith("real/")}


def test_every_readable_file_is_a_frame_and_every_other_a_failure(
    archive: RunningArchive, manifest: list[dict[str, Any]], failures: dict[str, tuple[str, str]]
) -> None:
    frames = frames_of(archive)
    assert set(failures) == set(REFUSED)
    assert set(frames) == {entry["file"] for entry in manifest} - set(REFUSED)
    for name, (kind, words) in REFUSED.items():
        assert failures[name][0] == kind.kind
        assert words in failures[name][1]
    assert frames["badsum-dark.fits"]["checksum"] == "failed"
    for entry in manifest:
        if entry["file"] in frames:
            assert frames[entry["file"]]["sha256"] == entry["sha256"]
            assert frames[entry["file"]]["size"] == entry["bytes"]


def test_the_index_says_what_the_manifest_says(
    archive: RunningArchive, manifest: list[dict[str, Any]], failures: dict[str, tuple[str, str]]
) -> None:
    frames = frames_of(archive)
    differences = {
        (entry["file"], name)
        for entry in manifest
        if entry["file"] not in failures
        for name in differing(entry, frames[entry["file"]])
    }
    assert differences == set(DIFFERENCES) | set(SHOWN_OTHERWISE)


def differing(entry: dict[str, Any], frame: dict[str, Any]) -> set[str]:
    fields, found = entry["fields"], set()
    for name in FIELDS:
        stated = fields[name]["value"] if fields[name] else IF_UNKNOWN.get(name)
        ours = frame[name]
        if isinstance(ours, str) and stated is not None:
            stated = str(stated).strip()
        if ours != stated:
            found.add(name)
    stated_time = fields["DATE-OBS-UTC"]["utc"] if fields["DATE-OBS-UTC"] else None
    if milliseconds(stated_time) != milliseconds(frame["DATE_OBS"]):
        found.add("DATE-OBS")
    if fields["DAY-OBS"] and fields["DAY-OBS"]["value"].replace("-", "") not in spellings(frame["DAY_OBS"]):
        found.add("DAY-OBS")
    return found | differing_on_the_sky(entry, frame)


def differing_on_the_sky(entry: dict[str, Any], frame: dict[str, Any]) -> set[str]:
    found, stated = set(), entry["fields"]["RA_DEC"]
    positions = [(stated["ra_deg"], stated["dec_deg"])] if stated else None
    if not agree(positions, [(frame["RA"], frame["DEC"])] if frame["RA"] is not None else None):
        found.add("position")
    science = next(i for i, hdu in enumerate(entry["hdus"]) if is_science(entry, i))
    key = "corners_outer_edges_icrs_deg"
    corners = next((wcs[key] for wcs in entry["wcs"] if wcs["hdu"] == science and key in wcs), None)
    if not agree(corners, frame["footprint"]):
        found.add("footprint")
    return found


def agree(stated: list[tuple[float, float]] | None, ours: list[tuple[float, float]] | None) -> bool:
    """Tell whether positions are there or not alike, and within 1 arcsec."""
    if stated is None or ours is None:
        return stated is ours
    return all(apart(SkyPosition(*mine), *theirs) <= 1 for mine, theirs in zip(ours, stated, strict=True))


def is_science(entry: dict[str, Any], index: int) -> bool:
    """Tell whether an HDU is the first image with pixels, or the primary where there is none."""
    with_pixels = [
        i
        for i, hdu in enumerate(entry["hdus"])
        if "Table" not in hdu["type"] and len(hdu["axes_fits_order"]) >= 2 and 0 not in hdu["axes_fits_order"]
    ]
    return index == (with_pixels[0] if with_pixels else 0)


def milliseconds(moment: str | None) -> str | None:
    if moment is None:
        return None
    return dt.datetime.fromisoformat(moment.removesuffix("Z")).isoformat(timespec="milliseconds")


def spellings(night: str | None) -> set[str]:
    if night is None:
        return set()
    date = dt.date.fromisoformat(night)
    return {f"{date:%Y%m%d}", f"{date:%d%b%Y}"}


def test_bytes_previews_and_headers_of_all(
    archive: RunningArchive, manifest: list[dict[str, Any]], failures: dict[str, tuple[str, str]]
) -> None:
    frames = frames_of(archive)
    for entry in manifest:
        if entry["file"] in failures:
            continue
        path = f"/frames/{frames[entry['file']]['id']}/"
        link = archive.get(f"{path}download/", redirect="false")
        assert link["filename"] == entry["file"]
        fetched = httpx.get(link["url"], trust_env=False)
        assert hashlib.sha256(fetched.content).hexdigest() == entry["sha256"]
        small = archive.http.get(f"{path}preview/")
        assert (small.status_code, small.content[:4]) == (200, b"\x89PNG")
        assert int.from_bytes(small.content[16:20]) == 200
        large = archive.http.get(f"{path}preview/", params={"size": "large"})
        assert large.status_code == 200
        keys = [row["key"] for row in archive.get(f"{path}headers/")["results"]]
        assert keys == sorted(keys)
        assert keys


def test_no_traceback_in_any_log(archive: RunningArchive, failures: dict[str, tuple[str, str]]) -> None:
    for name in ("api", "ingest"):
        log = archive.log(name)
        assert "Traceback" not in log
        events = [json.loads(line) for line in log.splitlines()]
        assert [event for event in events if "at" in event] == []
        assert [event for event in events if event["level"] == "ERROR" and "real/" in str(event)] == []

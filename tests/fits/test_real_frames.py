"""Every real frame described, and compared with what its manifest says it holds.

`DIFFERENCES` is exact: a difference that is not listed fails, and so does one that is listed and is none.
"""

import datetime as dt
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from shared.errors import BadHeaderError, FitsError, NotFitsError, TruncatedError
from shared.fits.container import unpacked
from shared.fits.describe import describe
from shared.fits.document import full_results, headers_document, science_results
from shared.fits.model import FitsDescription, ImageClass, SkyPosition

FRAMES = Path(__file__).resolve().parents[2] / "../shared/frames"
pytestmark = [
    pytest.mark.frames,
    pytest.mark.skipif(
        not (FRAMES / "MANIFEST.json").is_file(), reason="the real frames (../shared/frames) are not here"
    ),
]

REFUSED: dict[str, tuple[type[FitsError], str]] = {
    "not_actually_fits.fits": (NotFitsError, "an HTML page"),
    "empty.fits": (NotFitsError, "empty: 0 bytes"),
    "aia_171_level1_sed_mangled.fits": (BadHeaderError, "2 too short or 78 too long"),
    "truncated-e00.fits.fz": (TruncatedError, "needs 692,752 bytes of data, the file has 406,960 of them"),
}
FIELDS = {
    "SITEID": "site",
    "TELID": "telescope",
    "INSTRUME": "instrument",
    "OBSTYPE": "image_type",
    "OBJECT": "object_name",
    "FILTER": "filter_name",
    "EXPTIME": "exposure_time",
    "RLEVEL": "reduction_level",
    "PROPID": "proposal_id",
    "ORIGNAME": "origin_name",
    "XBINNING": "x_binning",
    "YBINNING": "y_binning",
}
NULL_WORD = "the manifest quotes the header's N/A, which is no value"
CALIBRATION = "the WCS of a calibration frame means nothing"
NO_SYNONYM = "the manifest did not try this keyword for the binning"
CENTRE = "no keyword tells where the telescope pointed: the WCS centre, where the manifest has CRVAL"
DIFFERENCES: dict[tuple[str, str], str] = {
    ("coj1m011-fl08-20151216-0049-b00.fits.fz", "OBJECT"): NULL_WORD,
    ("coj1m011-fl08-20151216-0083-d00.fits.fz", "OBJECT"): NULL_WORD,
    ("r.UVES.2011-08-11T232352.266-A01_0000.fits", "XBINNING"): NO_SYNONYM,
    ("r.UVES.2011-08-11T232352.266-A01_0000.fits", "YBINNING"): NO_SYNONYM,
    ("c4d_140818_232043_ood_z_v2.fits.fz", "XBINNING"): NO_SYNONYM,
    ("c4d_140818_232043_ood_z_v2.fits.fz", "YBINNING"): NO_SYNONYM,
    ("nina_asi294_header.fits.gz", "position"): "00 00 00, +00 00 00 is what N.I.N.A. writes without a telescope",
    ("pole.fits", "position"): CENTRE,
    ("noise_3d_degen.fits", "position"): CENTRE,
    **{
        (name, "footprint"): CALIBRATION
        for name in (
            "coj1m011-fl08-20151216-0049-b00.fits.fz",
            "coj1m011-fl08-20151216-0083-d00.fits.fz",
            "cpt1m012-fl10-20151216-0044-f00.fits.fz",
            "bias_kb70_20151221_bin2x2.fits",
            "dark_kb70_20151222_bin2x2.fits",
            "flat_kb70_20151222_SKYFLAT_bin2x2_ip.fits",
            "bpm_fl15_20180731.fits.fz",
            "f2_image_illumination.fits.bz2",
            "badsum-dark.fits",
        )
    },
}
STATES = {"verifies": "verified", "FAILS": "failed", "absent": "absent"}
KINDS = {
    "PrimaryHDU": "image",
    "ImageHDU": "image",
    "CompImageHDU": "compressed-image",
    "BinTableHDU": "table",
    "TableHDU": "ascii-table",
    "GroupsHDU": "random-groups",
}


def entries() -> list[dict[str, Any]]:
    manifest = FRAMES / "MANIFEST.json"
    if not manifest.is_file():
        return [{"file": "none"}]
    found: list[dict[str, Any]] = json.loads(manifest.read_text())["entries"]
    return found


READABLE = [pytest.param(entry, id=entry["file"]) for entry in entries() if entry["file"] not in REFUSED]


def description(name: str) -> FitsDescription:
    with unpacked(FRAMES / name, work_dir=None, limit=1 << 30) as (plain, container):
        return describe(plain, container=container)


def apart(one: SkyPosition, ra: float, dec: float) -> float:
    """Return the angle between two positions [arcsec]."""
    a, b = (
        np.array([math.cos(d) * math.cos(r), math.cos(d) * math.sin(r), math.sin(d)])
        for r, d in (map(math.radians, (one.ra, one.dec)), map(math.radians, (ra, dec)))
    )
    return math.degrees(math.atan2(float(np.linalg.norm(np.cross(a, b))), float(a @ b))) * 3600


def field_differences(entry: dict[str, Any], found: FitsDescription) -> set[str]:
    fields = entry["fields"]
    differences = set()
    for name, attribute in FIELDS.items():
        stated = fields[name]["value"] if fields[name] else None
        ours = getattr(found.observation, attribute)
        if isinstance(ours, str) and stated is not None:
            stated = str(stated).strip()
        if ours != stated:
            differences.add(name)
    return differences


def time_differences(entry: dict[str, Any], found: FitsDescription) -> set[str]:
    fields, seen = entry["fields"], found.observation
    differences = set()
    stated = dt.datetime.fromisoformat(fields["DATE-OBS-UTC"]["utc"]) if fields["DATE-OBS-UTC"] else None
    if seen.date_obs != stated:
        differences.add("DATE-OBS")
    public = dt.datetime.fromisoformat(fields["L1PUBDAT"]["value"]) if fields["L1PUBDAT"] else None
    if seen.public_date != public:
        differences.add("L1PUBDAT")
    if fields["DAY-OBS"]:
        told = fields["DAY-OBS"]["value"].replace("-", "")
        spellings = {f"{seen.night:%Y%m%d}", f"{seen.night:%d%b%Y}"} if seen.night else set()
        differences |= {"DAY-OBS"} if told not in spellings else set()
    return differences


def sky_differences(entry: dict[str, Any], found: FitsDescription) -> set[str]:
    seen, stated = found.observation, entry["fields"]["RA_DEC"]
    differences = set()
    if (stated is None) != (seen.position is None) or (
        stated and seen.position and apart(seen.position, stated["ra_deg"], stated["dec_deg"]) > 1
    ):
        differences.add("position")
    key = "corners_outer_edges_icrs_deg"
    corners = next((wcs[key] for wcs in entry["wcs"] if wcs["hdu"] == found.science and key in wcs), None)
    if (corners is None) != (seen.footprint is None) or (
        corners
        and seen.footprint
        and any(apart(ours, *theirs) > 0.1 for ours, theirs in zip(seen.footprint, corners, strict=True))
    ):
        differences.add("footprint")
    return differences


@pytest.mark.parametrize("entry", READABLE)
def test_the_fields_are_those_of_the_manifest(entry: dict[str, Any]) -> None:
    found = description(entry["file"])
    differences = field_differences(entry, found) | time_differences(entry, found) | sky_differences(entry, found)
    assert differences == {field for name, field in DIFFERENCES if name == entry["file"]}


def test_every_listed_difference_belongs_to_a_frame() -> None:
    assert {name for name, _ in DIFFERENCES} <= {entry["file"] for entry in entries()}


@pytest.mark.parametrize("entry", READABLE)
def test_the_structure_is_that_of_the_manifest(entry: dict[str, Any]) -> None:
    found = description(entry["file"])
    assert found.container.value == entry["container"]
    for hdu, stated in zip(found.hdus, entry["hdus"], strict=True):
        assert (hdu.kind, list(hdu.axes), hdu.bitpix) == (
            KINDS[stated["type"]],
            stated["axes_fits_order"],
            stated["bitpix"],
        )
        assert (hdu.name or "PRIMARY" if hdu.index == 0 else hdu.name) == stated["name"]
    for hdu, sums in zip(found.hdus, entry["checksums"], strict=True):
        assert (hdu.header_offset, hdu.data_offset) == (sums["header_at"], sums["data_at"])
        if "CHECKSUM" in sums:
            assert (hdu.checksum.value, hdu.datasum.value) == (STATES[sums["CHECKSUM"]], STATES[sums["DATASUM"]])
    science = entry["hdus"][found.science]
    assert science["axes_fits_order"][:2] == [
        length for length in (found.observation.width, found.observation.height) if length is not None
    ] or science["type"].endswith("TableHDU")


@pytest.mark.parametrize("entry", READABLE)
def test_headers_make_a_document(entry: dict[str, Any]) -> None:
    found = description(entry["file"])
    document = json.loads(json.dumps(headers_document(found), allow_nan=False))
    rows = science_results(document)
    assert [row["key"] for row in rows] == sorted(str(row["key"]) for row in rows)
    assert len(full_results(document)) == len(found.hdus)


@pytest.mark.parametrize("entry", READABLE)
@pytest.mark.filterwarnings("ignore::astropy.io.fits.verify.VerifyWarning")
def test_cards_are_those_that_astropy_reads(entry: dict[str, Any]) -> None:
    with unpacked(FRAMES / entry["file"], work_dir=None, limit=1 << 30) as (plain, container):
        found = describe(plain, container=container)
        raw = plain.read_bytes()
    skipped = {"COMMENT", "HISTORY", "", "CONTINUE"}
    for hdu in found.hdus:
        header = fits.Header.fromstring(raw[hdu.header_offset : hdu.data_offset])
        theirs = [(card.keyword.upper(), plain_value(card.value)) for card in header.cards]
        ours = [(card.keyword, plain_value(card.value)) for card in hdu.cards if card.keyword not in skipped]
        assert ours == [card for card in theirs if card[0] not in skipped]


def plain_value(value: object) -> object:
    if isinstance(value, fits.card.Undefined):
        return None
    return value.rstrip() if isinstance(value, str) else value


@pytest.mark.parametrize("name", REFUSED)
def test_broken_frames_are_refused_with_the_true_reason(name: str) -> None:
    kind, words = REFUSED[name]
    with pytest.raises(kind, match=words):
        description(name)


def test_every_broken_frame_is_refused_or_has_its_damage_recorded() -> None:
    broken = {entry["file"] for entry in entries() if entry["verdict"] == "broken"}
    assert broken - set(REFUSED) == {"badsum-dark.fits"}
    assert description("badsum-dark.fits").checksum.value == "failed"


def test_classes() -> None:
    classes = {entry.id: description(str(entry.id)).observation.image_class for entry in READABLE}
    assert {str(name) for name, kind in classes.items() if kind.is_calibration} == {
        *(name for name, field in DIFFERENCES if field == "footprint"),
        *("sutherland-sim-20261121-0003-b00.fits.gz", "sutherland-sim-20261121-0004-d00.fits.gz"),
    }
    assert [name for name, kind in classes.items() if kind is ImageClass.SPECTRUM] == ["target_2df_ex.fits"]

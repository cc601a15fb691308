import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.fits.describe import describe
from shared.fits.document import VERSION, full_results, headers_document, science_results
from shared.fits.model import Container
from tests.fits.builders import card, compressed, described, image, record, write


def document(folder: Path, *hdus: bytes) -> dict[str, Any]:
    text = json.dumps(headers_document(described(folder, *hdus)), allow_nan=False)
    found: dict[str, Any] = json.loads(text)
    return found


def values(found: dict[str, Any]) -> dict[object, object]:
    return {row["key"]: row["value"] for row in science_results(found)}


def test_results_are_sorted_and_without_what_is_hidden(tmp_path: Path) -> None:
    texts = [
        "HISTORY made",
        "COMMENT so",
        "        blank",
        card("CHECKSUM", ""),
        card("ZENITH", 1.5),
        card("ESO OBS ID", 7),
    ]
    found = document(tmp_path, image(axes=()), compressed(card("EXTNAME", "SCI"), *texts, card("OBJECT", "M 31")))
    keys = [row["key"] for row in science_results(found)]
    assert keys == [
        *("BITPIX", "ESO OBS ID", "EXTNAME", "GCOUNT", "NAXIS", "NAXIS1", "NAXIS2", "OBJECT", "PCOUNT"),
        *("XTENSION", "ZENITH"),
    ]


def test_a_repeated_keyword_repeats_its_first_value(tmp_path: Path) -> None:
    rows = science_results(document(tmp_path, image(card("DATE", "a"), card("DATE", "b"))))
    assert [row for row in rows if row["key"] == "DATE"] == [{"key": "DATE", "value": "a"}] * 2


def test_what_json_does_not_know_becomes_text_or_null(tmp_path: Path) -> None:
    texts = [
        "A       = (1.0, -2.5)",
        "B       = 1E999",
        "C       = NaN",
        "D       =",
        f"E       = {2**70}",
        "F       = T",
    ]
    assert values(document(tmp_path, image(*texts))).items() >= {
        "A": "(1.0, -2.5)", "B": "Infinity", "C": "NaN", "D": None, "E": str(2**70), "F": True,
    }.items()  # fmt: skip


def test_continue_is_joined(tmp_path: Path) -> None:
    assert values(document(tmp_path, image("PATH    = 'a&'", "CONTINUE  'b'")))["PATH"] == "ab"


def test_full_results_have_every_hdu_with_comments_and_units(tmp_path: Path) -> None:
    found = document(
        tmp_path,
        image(card("EXPTIME", 5.0, "[s] Exposure"), "HISTORY x"),
        image(card("EXTNAME", "BPM"), extension=True),
    )
    first, second = full_results(found)
    assert {"key": "EXPTIME", "value": 5.0, "comment": "Exposure", "unit": "s"} in first["cards"]  # type: ignore[operator]
    assert {"key": "HISTORY", "value": "x", "comment": "", "unit": None} in first["cards"]  # type: ignore[operator]
    assert (second["index"], second["name"], second["kind"], second["axes"]) == (1, "BPM", "image", [4, 3])


def test_the_document_needs_no_numpy() -> None:
    code = "import sys, shared.fits.document; sys.exit(any(name in sys.modules for name in ('numpy', 'astropy')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_document_tells_its_version_and_science_hdu(tmp_path: Path) -> None:
    found = document(tmp_path, image(axes=()), image(extension=True))
    assert (found["version"], found["science"], len(found["hdus"])) == (VERSION, 1, 2)


@given(st.lists(st.binary(min_size=80, max_size=80).filter(lambda raw: raw[:3] != b"END"), max_size=6))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_header_is_a_document(tmp_path: Path, records: list[bytes]) -> None:
    kept = [raw for raw in records if not raw.upper().startswith((b"BITPIX", b"NAXIS", b"GROUPS"))]
    path = write(tmp_path, image(record(card("OBJECT", "M 31")), *kept))
    found = json.loads(json.dumps(headers_document(describe(path, container=Container.NONE)), allow_nan=False))
    rows = science_results(found)
    assert [row["key"] for row in rows] == sorted(str(row["key"]) for row in rows)
    full_results(found)

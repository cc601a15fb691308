"""Names of derived objects and of frames."""

import dataclasses
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.store.model import ObjectState
from shared.store.naming import basename_of, derived_digest, derived_key, derived_keys, object_digest

STATE = ObjectState(bucket="frames", key="a.fits", etag="e1", size=3, last_modified=dt.datetime(2026, 11, 21, 1, 2, 3))


@pytest.mark.parametrize(
    ("filename", "basename"),
    [
        ("a/b/coj1m011-fl08-20151216-0049-b00.fits.fz", "coj1m011-fl08-20151216-0049-b00"),
        ("m230225,0010.FITS", "m230225,0010"),
        ("Light_M 94_10.0s_IRCUT_20250326-212046.fit", "Light_M 94_10.0s_IRCUT_20250326-212046"),
        ("r.UVES.2011-08-11T232352.266-A01_0000.fits", "r.UVES.2011-08-11T232352.266-A01_0000"),
        ("x.fits.gz", "x"),
        (".fits", ".fits"),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_basename(filename: str, basename: str) -> None:
    assert basename_of(filename) == basename


@given(st.text(), st.text())
def test_each_key_has_its_own_name(one: str, other: str) -> None:
    assert (object_digest("frames", one) == object_digest("frames", other)) == (one == other)


def test_bucket_and_key_do_not_run_together() -> None:
    assert object_digest("frames", "a") != object_digest("frame", "sa")


@pytest.mark.parametrize(
    "change", [{"etag": "e2"}, {"version_id": "v2"}, {"last_modified": dt.datetime(2026, 11, 21, 1, 2, 4)}]
)
def test_another_object_under_the_key_has_another_name(change: dict[str, object]) -> None:
    assert derived_digest(dataclasses.replace(STATE, **change)) != derived_digest(STATE)  # type: ignore[arg-type]
    assert derived_digest(dataclasses.replace(STATE)) == derived_digest(STATE)


def test_derived_keys_stand_together() -> None:
    digest = derived_digest(STATE)
    folder = derived_key(digest, "")
    assert len(set(derived_keys(digest))) == 4
    assert all(key.startswith(folder) and len(key.encode()) < 256 for key in derived_keys(digest))

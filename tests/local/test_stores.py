"""Which store `make run` starts, and what it says where it cannot."""

from pathlib import Path

import pytest

from tests.archive import StartedProcess


def test_an_archive_stays_with_its_store(tmp_path: Path) -> None:
    (tmp_path / "minio").mkdir()
    started = StartedProcess(tmp_path, {})
    assert started.end() == 1
    assert "has its objects in minio: set FITSVAULT_STORE=minio" in started.output
    assert not (tmp_path / "store").exists()


def test_a_store_that_is_not_installed_comes_with_the_way_to_get_it(tmp_path: Path) -> None:
    started = StartedProcess(tmp_path, {"FITSVAULT_STORE": "minio", "PATH": ""})
    assert started.end() == 1
    assert "go install github.com/minio/minio@" in started.output
    assert "Traceback" not in started.output


@pytest.mark.parametrize(
    ("name", "value"), [("FITSVAULT_STORE", "ceph"), ("FITSVAULT_EVENT_SECRET", "short"), ("FITSVAULT_EVENT_PORT", "0")]
)
def test_a_bad_setting_is_named(tmp_path: Path, name: str, value: str) -> None:
    started = StartedProcess(tmp_path, {name: value})
    assert started.end() == 2
    assert name in started.output


def test_an_address_that_no_events_can_be_taken_on_is_told(tmp_path: Path) -> None:
    started = StartedProcess(tmp_path, {"FITSVAULT_EVENT_HOST": "nowhere.invalid"})
    assert started.end() == 1
    assert "cannot listen on nowhere.invalid" in started.output
    assert "Traceback" not in started.output

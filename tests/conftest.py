"""Fixtures that all tests share."""

import multiprocessing
import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from tests.archive import RunningArchive, running_archive
from tests.postgres import running_postgres

hypothesis.settings.register_profile("slow machines", deadline=None)
hypothesis.settings.load_profile("slow machines")

# Before anything is forked: the server that forks keeps the imports that it started with.
multiprocessing.get_context("forkserver").set_forkserver_preload(["tests.ingest.killing"])

if "FITSVAULT_TEST_PACKAGES" not in os.environ:
    collect_ignore = ["packages"]  # `make test-package` runs those, on what `make package` has built

REAL_FRAMES = Path(__file__).resolve().parents[2] / "shared" / "frames"


TOGETHER = "tests/browser"
"""A folder whose tests are one process's, since they share an archive and a browser that take long to start."""

LONGEST = (
    TOGETHER,
    "tests/pyobs/test_migration.py",
    "tests/stores/test_localstack.py",
    "tests/drill/test_drill.py",
    "tests/local/test_run.py",
    "tests/stores/test_seaweedfs.py",
    "tests/stores/test_minio.py",
    "tests/contract/test_schema.py",
    "tests/ingest/test_reconcile.py",
    "tests/ingest/test_service.py",
    "tests/contract/test_pyobs_core.py",
    "tests/index/test_tallies.py",
    "tests/local/test_sweeper.py",
    "tests/local/test_notifications.py",
    "tests/local/test_jetstream.py",
    "tests/backup/test_backup.py",
)
"""What takes longest comes first, so that no process has it left to do when the others are at their end."""


def unit_of(nodeid: str) -> str:
    """Return what a test belongs to that one process takes as a whole: its file, or a folder."""
    return TOGETHER if nodeid.startswith(f"{TOGETHER}/") else nodeid.partition("::")[0]


class UnitScheduling(LoadFileScheduling):  # type: ignore[misc]
    """Gives units to processes."""

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> UnitScheduling:
    """Have processes take units (with ``--dist loadfile``)."""
    return UnitScheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put tests in the order in which processes take their units (with ``--no-loadscope-reorder``)."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(unit_of(item.nodeid), len(places)))


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningArchive]:
    """One archive for the whole session; tests use keys of their own in it."""
    with running_archive(tmp_path_factory.mktemp("archive")) as running:
        yield running


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """One PostgreSQL server for the session; tests make databases of their own in it."""
    with running_postgres() as url:
        yield url


@pytest.fixture(scope="session")
def real_frames() -> Path:
    """The folder of real frames, which lies beside the project and is not part of it."""
    if not (REAL_FRAMES / "MANIFEST.json").exists():
        pytest.skip("no real frames: put the folder `shared/frames` beside the project")
    return REAL_FRAMES

"""Fixtures that all tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.archive import RunningArchive, running_archive
from tests.postgres import running_postgres

REAL_FRAMES = Path(__file__).resolve().parents[2] / "shared" / "frames"


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

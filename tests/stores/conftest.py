"""A whole archive on the store that a module of tests names; started once for the module."""

import os
import shutil
from collections.abc import Iterator

import pytest

from localstack.environment import made_environment
from localstack.state import StartError
from tests.parts import need_program
from tests.stores.stored import StoredArchive

pytest.register_assert_rewrite(
    *(f"tests.stores.{name}" for name in ("browsers", "bundles", "changes", "door", "keys", "restarts", "versions"))
)


def need_store(store: str) -> None:
    """Skip where the store's program cannot be had, with the way to get it; fail where all must be there."""
    if store == "minio":
        need_program("minio", "go install github.com/minio/minio@latest, with Go 1.24 or later")
    if store == "localstack":
        try:
            made_environment("localstack")
        except StartError as error:
            if os.environ.get("FITSVAULT_TESTS_NEED_ALL"):
                pytest.fail(str(error))
            pytest.skip(str(error))


@pytest.fixture(scope="module")
def stored(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoredArchive]:
    """Run an archive on the module's ``STORE``; its tests share it, each with keys of its own."""
    store = request.module.STORE
    need_store(store)
    home = tmp_path_factory.mktemp(store)
    archive = StoredArchive(home, store)
    try:
        archive.start()
        yield archive
    finally:
        archive.stop()
        shutil.rmtree(home, ignore_errors=True)

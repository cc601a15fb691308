"""The object store that we start: in the right home, watched until it answers."""

import os
from collections.abc import Callable

from localstack.child import Child
from localstack.state import LocalState, StartError
from localstack.stores.localstack import LocalstackServer
from localstack.stores.minio import MinioServer
from localstack.stores.model import StoreServer
from localstack.stores.seaweedfs import SeaweedServer
from shared.settings import Settings

__all__ = ["StoreProcess"]

_FOLDERS = {
    "seaweedfs": SeaweedServer.folder,
    "minio": MinioServer.folder,
    "localstack": LocalstackServer.folder,
}


class StoreProcess:
    """The store that the settings name as a process.

    Parameters
    ----------
    tell
        Takes what an operator must know of it.
    held
        A file that it keeps open.

    Raises
    ------
    StartError
        Its program is not here, or the home has the objects of another store.
    """

    def __init__(self, settings: Settings, state: LocalState, tell: Callable[[str], None], held: int) -> None:
        self._settings = settings
        self._tell = tell
        self._check_home()
        self._server = _make_server(settings, state, tell)
        self.child = Child(
            "object store",
            self._server.command(),
            env={**os.environ, **self._server.environment()},
            cwd=settings.home / "conf",
            log=settings.home / "logs" / "store.log",
            held=held,
        )

    def start(self) -> None:
        """Start it and wait until it answers."""
        home = self._settings.home
        (home / self._server.folder).mkdir(exist_ok=True)
        (home / "conf").mkdir(mode=0o700, exist_ok=True)
        self._server.write_configuration()
        self.child.start()
        self.wait()
        if self._server.notice:
            self._tell(self._server.notice)

    def wait(self) -> None:
        """Wait until it answers."""
        self.child.wait_for(f"{self._settings.s3_endpoint_url}{self._server.health_path}")

    def _check_home(self) -> None:
        """Refuse to start another store than the one that has this archive's objects: all frames would be gone."""
        for name, folder in _FOLDERS.items():
            if name != self._settings.store and (self._settings.home / folder).exists():
                raise StartError(
                    f"the archive in {self._settings.home} has its objects in {name}: set FITSVAULT_STORE={name},"
                    " or another FITSVAULT_HOME for a new archive"
                )


def _make_server(settings: Settings, state: LocalState, tell: Callable[[str], None]) -> StoreServer:
    if settings.store == "minio":
        return MinioServer(settings)
    if settings.store == "localstack":
        return LocalstackServer(settings, tell)
    return SeaweedServer(settings, state)

"""The whole archive on this machine: starts its parts in order, watches them, stops them in order."""

import fcntl
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from localstack.child import Child
from localstack.preparing import prepare_database
from localstack.state import LocalState, StartError, free_port, load_state
from localstack.stores.model import StoreServer, webhook_url
from localstack.stores.setup import DATA_FOLDERS, make_store_server, set_up_store
from shared.files import write_private
from shared.settings import LOCAL_SETTINGS_FILE, Settings, plain_settings

__all__ = ["LocalArchive", "lock_home", "stop_on_signals"]

_START_SECONDS = 60.0
_TOLD = (
    "port",
    "host",
    "store",
    "s3_endpoint_url",
    "s3_access_key",
    "s3_secret_key",
    "bucket",
    "derived_bucket",
    "keyword_synonyms",
    "site_longitudes",
    "notify_url",
    "notify_secret",
    "notify_queue_url",
    "notify_topic_arn",
    "notify_topic_endpoint_url",
)


class LocalArchive:
    """Object store, ingest host and API as three processes.

    With ``FITSVAULT_S3_ENDPOINT_URL`` set the store is somebody else's and none is started.

    Parameters
    ----------
    tell
        Takes what an operator must know while all of it starts.
    """

    def __init__(self, settings: Settings, tell: Callable[[str], None]) -> None:
        home = settings.home.resolve()
        self.home = home
        self.state: LocalState = load_state(home)
        self.embedded = settings.s3_endpoint_url is None
        self.settings = self._complete(settings)
        self._tell = tell
        self._store: Child | None = None
        self._servers: list[Child] = []

    @property
    def url(self) -> str:
        """Address of the API."""
        return f"http://{self.settings.host}:{self.settings.port}"

    @property
    def children(self) -> list[Child]:
        """The processes, in the order of their start."""
        return [self._store, *self._servers] if self._store else list(self._servers)

    def start(self) -> Path | None:
        """Start everything and wait until all of it answers; return the file of a newly made admin password."""
        if self.embedded:
            self._start_store(make_store_server(self.settings, self.state, self._tell))
        done = set_up_store(self.settings)
        for news in done.news:
            self._tell(news)
        password_file = self._prepare_database()
        self._clear_work()
        ingest, api = self._servers = self._make_servers(self.settings.queue_url or done.queue_url)
        for server in self._servers:
            server.start()
        self._wait(ingest, f"{webhook_url(self.settings).removesuffix('/events')}/health")
        self._wait(api, f"{self.url}/health/")
        self._tell_command_line()
        return password_file

    def watch(self) -> Iterator[str]:
        """Start again what ends by itself, later each time if it ends again and again, and yield what happened."""
        while True:
            for child in self.children:
                if not child.is_running() and child.may_start():
                    yield f"{child.name} has ended and is started again, see {child.log}"
                    if child in self._servers[:1]:
                        self._clear_work()
                    child.start()
            time.sleep(0.2)

    def stop(self) -> None:
        """Stop everything, the store last."""
        for child in reversed(self.children):
            child.stop()

    def _complete(self, settings: Settings) -> Settings:
        """Fill in what a local archive makes or finds by itself."""
        port = settings.port or free_port(set(self.state.ports.values()))
        changes: dict[str, object] = {
            "home": self.home,
            "port": port,
            "work_dir": settings.work_dir or self.home / "work",
            "database_url": settings.database_url or f"sqlite:///{self.home / 'index.sqlite'}",
            "event_port": settings.event_port or self.state.ports["events"],
            "event_secret": settings.event_secret or self.state.event_secret,
        }
        if self.embedded:
            s3_port = settings.s3_port or free_port({port, *self.state.ports.values()})
            changes |= {
                "s3_port": s3_port,
                "s3_endpoint_url": f"http://127.0.0.1:{s3_port}",
                "s3_access_key": settings.s3_access_key or self.state.access_key,
                "s3_secret_key": settings.s3_secret_key or self.state.secret_key,
            }
        return Settings.model_validate(settings.model_dump() | changes)

    def _make_servers(self, queue_url: str | None) -> list[Child]:
        settings = self.settings.model_copy(update={"queue_url": queue_url})
        own = {f"FITSVAULT_{name.upper()}": value for name, value in plain_settings(settings).items()}
        python = [sys.executable, "-m", "localstack.serve"]
        return [
            Child(
                "API" if part == "api" else part,
                [*python, part],
                env={**os.environ, **own},
                cwd=Path.cwd(),
                log=self.home / "logs" / f"{part}.log",
            )
            for part in ("ingest", "api")
        ]

    def _clear_work(self) -> None:
        """Remove what an ingest had under work when it was killed; a folder that settings name is left alone."""
        shutil.rmtree(self.home / "work", ignore_errors=True)

    def _start_store(self, server: StoreServer) -> None:
        self._check_home(server.folder)
        (self.home / server.folder).mkdir(exist_ok=True)
        (self.home / "conf").mkdir(mode=0o700, exist_ok=True)
        server.write_configuration()
        self._store = Child(
            "object store",
            server.command(),
            env={**os.environ, **server.environment()},
            cwd=self.home / "conf",
            log=self.home / "logs" / "store.log",
        )
        self._store.start()
        self._wait(self._store, f"{self.settings.s3_endpoint_url}{server.health_path}")
        if server.notice:
            self._tell(server.notice)

    def _check_home(self, folder: str) -> None:
        """Refuse to start another store than the one that has this archive's objects: all frames would be gone."""
        for name, other in DATA_FOLDERS.items():
            if other != folder and (self.home / other).exists():
                raise StartError(
                    f"the archive in {self.home} has its objects in {name}: set FITSVAULT_STORE={name},"
                    " or another FITSVAULT_HOME for a new archive"
                )

    def _prepare_database(self) -> Path | None:
        made = prepare_database(self.settings)
        path = self.home / "admin-password"
        if made is not None:
            write_private(path, made)
        return path if path.exists() else None

    def _tell_command_line(self) -> None:
        """Leave what one needs to know of this archive where ``fitsvault`` in another terminal looks for them."""
        plain = plain_settings(self.settings)
        lines = [f"FITSVAULT_{name.upper()}={plain[name]}\n" for name in _TOLD if name in plain]
        write_private(self.home / LOCAL_SETTINGS_FILE, "".join(lines))

    def _wait(self, child: Child, url: str) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if not child.is_running():
                raise StartError(f"{child.name} ended at its start; the end of {child.log}:\n{child.last_words()}")
            try:
                if httpx.get(url, timeout=2, trust_env=False).is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
            else:
                time.sleep(0.05)
        raise StartError(f"{child.name} does not answer at {url}; see {child.log}")


@contextmanager
def lock_home(home: Path) -> Iterator[None]:
    """Hold the home folder for ourselves; StartError if another archive runs in it."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StartError(f"another archive runs in {home}; set FITSVAULT_HOME for a second one") from error
        yield


@contextmanager
def stop_on_signals() -> Iterator[None]:
    """Raise KeyboardInterrupt on SIGTERM and SIGINT, also where a shell had us ignore the latter in the background."""

    def interrupt(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

"""The whole archive on this machine: starts its parts in order, watches them, stops them in order."""

import fcntl
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from localstack.child import Child
from localstack.seaweed import seaweed_command, write_seaweed_configuration
from localstack.state import LocalState, StartError, free_port, load_state
from shared.accounts.service import ensure_admin
from shared.database import make_engine, make_session_factory, write
from shared.errors import StoreError
from shared.files import write_private
from shared.migrations import upgrade
from shared.settings import LOCAL_SETTINGS_FILE, Settings, plain_settings
from shared.store.client import Store

__all__ = ["LocalArchive", "lock_home", "stop_on_signals"]

_START_SECONDS = 60.0
_TOLD = (
    "port",
    "host",
    "s3_endpoint_url",
    "s3_access_key",
    "s3_secret_key",
    "bucket",
    "derived_bucket",
    "keyword_synonyms",
    "site_longitudes",
)


class LocalArchive:
    """Object store, ingest host and API as three processes.

    With ``FITSVAULT_S3_ENDPOINT_URL`` set the store is somebody else's and none is started.
    """

    def __init__(self, settings: Settings) -> None:
        home = settings.home.resolve()
        self.home = home
        self.state: LocalState = load_state(home)
        self.embedded = settings.s3_endpoint_url is None
        self.settings = self._complete(settings)
        environment = self._environment()
        python = [sys.executable, "-m", "localstack.serve"]
        self._weed = Child(
            "object store",
            seaweed_command(home / "conf", home / "store", self.state, self.settings.s3_port),
            env=os.environ,
            cwd=home / "conf",
            log=home / "logs" / "store.log",
        )
        logs, here = home / "logs", Path.cwd()
        self._ingest = Child("ingest", [*python, "ingest"], env=environment, cwd=here, log=logs / "ingest.log")
        self._api = Child("API", [*python, "api"], env=environment, cwd=here, log=logs / "api.log")
        self._servers = [self._ingest, self._api]

    @property
    def url(self) -> str:
        """Address of the API."""
        return f"http://{self.settings.host}:{self.settings.port}"

    @property
    def children(self) -> list[Child]:
        """The processes, in the order of their start."""
        return [self._weed, *self._servers] if self.embedded else list(self._servers)

    def start(self) -> Path | None:
        """Start everything and wait until all of it answers; return the file of a newly made admin password."""
        if self.embedded:
            self._start_store()
        store = Store(self.settings)
        self._prepare_buckets(store)
        password_file = self._prepare_database()
        self._clear_work()
        for server in self._servers:
            server.start()
        self._wait(self._servers[0], f"http://127.0.0.1:{self.state.ports['events']}/health")
        self._wait(self._servers[1], f"{self.url}/health/")
        self._tell_command_line()
        return password_file

    def watch(self) -> Iterator[str]:
        """Start again what ends by itself, later each time if it ends again and again, and yield what happened."""
        while True:
            for child in self.children:
                if not child.is_running() and child.may_start():
                    yield f"{child.name} has ended and is started again, see {child.log}"
                    if child is self._ingest:
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

    def _environment(self) -> dict[str, str]:
        own = {f"FITSVAULT_{name.upper()}": value for name, value in plain_settings(self.settings).items()}
        return {
            **os.environ,
            **own,
            "FITSVAULT_EVENT_SECRET": self.state.event_secret,
            "FITSVAULT_EVENT_PORT": str(self.state.ports["events"]),
        }

    def _clear_work(self) -> None:
        """Remove what an ingest had under work when it was killed; a folder that settings name is left alone."""
        shutil.rmtree(self.home / "work", ignore_errors=True)

    def _start_store(self) -> None:
        secret = self.settings.s3_secret_key
        write_seaweed_configuration(
            self.home / "conf",
            self.state,
            bucket=self.settings.bucket,
            access_key=self.settings.s3_access_key or "",
            secret_key=secret.get_secret_value() if secret else "",
        )
        (self.home / "store").mkdir(exist_ok=True)
        self._weed.start()
        self._wait(self._weed, f"{self.settings.s3_endpoint_url}/healthz")

    def _prepare_buckets(self, store: Store) -> None:
        """Make both buckets, and wait until one of them takes an object: a fresh store needs a moment."""
        deadline = time.monotonic() + _START_SECONDS
        probe = "probe/started"
        while True:
            try:
                for bucket in (self.settings.bucket, self.settings.derived_bucket):
                    store.ensure_bucket(bucket)
                store.write_bytes(self.settings.derived_bucket, probe, b"", "text/plain")
                store.delete(self.settings.derived_bucket, (probe,))
            except StoreError as error:
                if time.monotonic() > deadline:
                    raise StartError(f"the object store does not take objects: {error}") from error
                time.sleep(0.2)
            else:
                return

    def _prepare_database(self) -> Path | None:
        engine = make_engine(self.settings.effective_database_url)
        upgrade(engine)
        given = self.settings.admin_password
        with write(make_session_factory(engine)) as session:
            made = ensure_admin(session, self.settings.admin_username, given.get_secret_value() if given else None)
            path = self.home / "admin-password"
            if made is not None:
                write_private(path, made)
        engine.dispose()
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

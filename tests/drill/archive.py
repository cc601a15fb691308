"""The archive of the drill: the real parts, each in reach of a fault."""

import os
import shutil
import signal
import sys
from functools import partial
from pathlib import Path

import httpx
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from localstack.child import Child
from localstack.preparing import prepare_database
from localstack.state import LocalState, free_port, load_state
from localstack.stores.minio import MinioServer
from localstack.stores.seaweedfs import SeaweedServer
from localstack.stores.setup import set_up_store
from shared.database import make_engine, make_session_factory
from shared.settings import Settings, plain_settings
from tests.archive import REPOSITORY, wait_until
from tests.drill.database import Database
from tests.drill.plan import Plan
from tests.drill.renaming import Rename, filer_rename

__all__ = ["DrilledArchive", "Victim"]

_SWEEP_SECONDS = 20.0
_QUEUE = 300
"""Events that the store may keep: an archive has room for a million, which no drill fills."""


class Victim(Child):
    """A process of the archive, which can be killed."""

    def kill(self) -> None:
        """Kill it without a warning."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()


class DrilledArchive:
    """Store, database and ingest workers. The store's events go to ``settings.event_port``, where none of them listens.

    Processes must be started in the main thread: they end with the thread that started them.
    """

    def __init__(self, plan: Plan, home: Path, database: Database) -> None:
        (home / "conf").mkdir(parents=True, exist_ok=True)
        state = load_state(home)
        self.database = database
        self.settings = _settings(plan, home, state, database.url)
        self.rename: Rename | None = filer_rename(state) if plan.store == "seaweedfs" else None
        self._home = home
        self._health = f"{self.settings.s3_endpoint_url}"
        self.store = self._make_store(state)
        ports = [free_port({self.settings.s3_port}) for _ in range(plan.workers)]
        self.workers = [self._make_worker(number, port) for number, port in enumerate(ports)]
        self.worker_urls = [f"http://127.0.0.1:{port}" for port in ports]
        self._engine: Engine | None = None

    def start(self) -> None:
        """Start all, and wait until it answers."""
        self.start_store()
        set_up_store(self.settings)
        prepare_database(self.settings)
        for number in range(len(self.workers)):
            self.start_worker(number)
        for url in self.worker_urls:
            wait_until("the worker answers", partial(self.is_healthy, url))

    def start_store(self) -> None:
        """Start the store, and wait until it answers."""
        self.store.start()
        wait_until("the store answers", lambda: _answers(self._health))

    def start_worker(self, number: int) -> None:
        """Start a worker in an empty work folder; it answers some seconds later."""
        shutil.rmtree(self._work(number), ignore_errors=True)
        self.workers[number].start()

    def is_healthy(self, url: str) -> bool:
        """Tell whether the worker at an address answers."""
        return _answers(f"{url}/health")

    def sessions(self) -> sessionmaker[Session]:
        """Return sessions of our own."""
        if self._engine is None:
            self._engine = make_engine(self.settings.effective_database_url)
        return make_session_factory(self._engine)

    def stop_workers(self) -> None:
        """Stop the workers in order."""
        for worker in self.workers:
            worker.stop(30)

    def stop(self) -> None:
        """Stop everything, whatever runs of it."""
        self.stop_workers()
        self.store.stop(30)
        if self._engine is not None:
            self._engine.dispose()

    def _make_store(self, state: LocalState) -> Victim:
        is_minio = self.settings.store == "minio"
        server = MinioServer(self.settings) if is_minio else SeaweedServer(self.settings, state)
        (self._home / server.folder).mkdir()
        server.write_configuration()
        environment = server.environment()
        if is_minio:
            environment["MINIO_NOTIFY_WEBHOOK_QUEUE_LIMIT_FITSVAULT"] = str(_QUEUE)
        else:
            _shorten_queue(self._home / "conf" / "notification.toml")
        self._health += server.health_path
        return Victim(
            "object store",
            server.command(),
            env={**os.environ, **environment},
            cwd=self._home / "conf",
            log=self._home / "logs" / "store.log",
        )

    def _make_worker(self, number: int, port: int) -> Victim:
        settings = self.settings.model_copy(update={"event_port": port, "work_dir": self._work(number)})
        own = {f"FITSVAULT_{name.upper()}": value for name, value in plain_settings(settings).items()}
        clean = {name: value for name, value in os.environ.items() if not name.startswith("FITSVAULT_")}
        return Victim(
            f"worker {number}",
            [sys.executable, "-m", "localstack.serve", "ingest"],
            env={**clean, **own, "PYTHONPATH": str(REPOSITORY)},
            cwd=self._home,
            log=self._home / "logs" / f"worker-{number}.log",
        )

    def _work(self, number: int) -> Path:
        return self._home / "work" / str(number)


def _settings(plan: Plan, home: Path, state: LocalState, database_url: str) -> Settings:
    s3_port = free_port(set(state.ports.values()))
    values = {
        "home": home,
        "store": plan.store,
        "s3_port": s3_port,
        "s3_endpoint_url": f"http://127.0.0.1:{s3_port}",
        "s3_access_key": state.access_key,
        "s3_secret_key": state.secret_key,
        "database_url": database_url,
        "event_port": state.ports["events"],
        "event_secret": state.event_secret,
        "orphan_seconds": plan.orphan_seconds,
        "reconcile_seconds": _SWEEP_SECONDS if plan.reconciles else 0.0,
    }
    return Settings.model_validate(values)


def _shorten_queue(configuration: Path) -> None:
    text = configuration.read_text()
    shorter = text.replace("buffer_size = 1000000\n", f"buffer_size = {_QUEUE}\n")
    assert shorter != text
    configuration.write_text(shorter)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2, trust_env=False).is_success
    except httpx.TransportError:
        return False

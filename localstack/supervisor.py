"""The whole archive on this machine: starts its parts in order, watches them, stops them in order."""

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from localstack.allocator import ALLOCATOR
from localstack.child import Child
from localstack.preparing import prepare_database
from localstack.state import LocalState, StartError, free_port, load_state
from localstack.stores.minio import MinioServer
from localstack.stores.model import webhook_url
from localstack.stores.process import StoreProcess
from localstack.stores.setup import set_up_store
from shared.files import write_private
from shared.settings import LOCAL_SETTINGS_FILE, Settings, plain_settings

__all__ = ["LocalArchive"]

_TOLD = (
    "port",
    "host",
    "store",
    "s3_endpoint_url",
    "s3_access_key",
    "s3_secret_key",
    "bucket",
    "derived_bucket",
    "allowed_origins",
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
    held
        A file that is locked for as long as one of the processes lives (`localstack.foreground.lock_home`).
    """

    def __init__(self, settings: Settings, tell: Callable[[str], None], held: int) -> None:
        home = settings.home.resolve()
        self.home = home
        self.state: LocalState = load_state(home)
        self.embedded = settings.s3_endpoint_url is None
        self.settings = self._complete(settings)
        self._tell = tell
        self._held = held
        self._store: StoreProcess | None = None
        self._servers: list[Child] = []

    @property
    def url(self) -> str:
        """Address of the API."""
        return f"http://{self.settings.host}:{self.settings.port}"

    @property
    def children(self) -> list[Child]:
        """The processes, in the order of their start."""
        return [self._store.child, *self._servers] if self._store else list(self._servers)

    def start(self) -> Path | None:
        """Start everything and wait until all of it answers; return the file of a newly made admin password."""
        if self.embedded:
            self._store = StoreProcess(self.settings, self.state, self._tell, self._held)
            self._store.start()
        done = set_up_store(self.settings)
        for news in done.news:
            self._tell(news)
        password_file = self._prepare_database()
        self._clear_work()
        ingest, api = self._servers = self._make_servers(self.settings.queue_url or done.queue_url)
        for server in self._servers:
            server.start()
        ingest.wait_for(f"{webhook_url(self.settings).removesuffix('/events')}/health")
        api.wait_for(f"{self.url}/health/")
        self._tell_command_line()
        return password_file

    def watch(self) -> Iterator[str]:
        """Start again what ends by itself, later each time if it ends again and again, and yield what happened."""
        while True:
            for child in self.children:
                if not child.is_running() and child.may_start():
                    yield f"{child.name} has ended and is started again, see {child.log}"
                    self._start_again(child)
                    if self._store and child is self._store.child:
                        yield from self._make_up(self._store)
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
            if settings.store == "minio":
                changes["minio_webhook_arns"] = MinioServer.arns
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
                env={**(ALLOCATOR if part == "api" else {}), **os.environ, **own},
                cwd=Path.cwd(),
                log=self.home / "logs" / f"{part}.log",
                held=self._held,
            )
            for part in ("ingest", "api")
        ]

    def _clear_work(self) -> None:
        """Remove what an ingest had under work when it was killed; a folder that settings name is left alone."""
        shutil.rmtree(self.home / "work", ignore_errors=True)

    def _start_again(self, child: Child) -> None:
        if child in self._servers[:1]:
            self._clear_work()
        child.start()

    def _make_up(self, store: StoreProcess) -> Iterator[str]:
        """Set up a store that was started again, and have the ingest host look for what was forgotten.

        A store that is killed forgets events, and LocalStack all that it had.
        """
        try:
            store.wait()
            done = set_up_store(self.settings)
        except StartError as error:
            yield str(error)
            return
        yield from done.news
        for ingest in self._servers[:1]:
            ingest.stop()
            self._start_again(ingest)

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

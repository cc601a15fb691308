"""How fast 2, 4 and 8 workers drain one NATS JetStream: ``python -m tests.bench_workers``.

Real parts on this machine: MinIO with the objects, PostgreSQL, NATS, and the ingest host as it is deployed, a process
for each worker. The clock runs from the first event published to the last one acknowledged; each run has a database
and a stream of its own, and must end with a frame for each object.
"""

import argparse
import asyncio
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx
from pydantic import SecretStr
from sqlalchemy import func, select

from localstack.jetstream import ensure_streams
from shared.database import make_engine, make_session_factory, read
from shared.index.models import Failure, Frame
from shared.migrations import upgrade
from shared.settings import Settings, plain_settings
from shared.simulator import simulate_frame
from shared.store.client import Store
from tests.archive import REPOSITORY, wait_until
from tests.nats import NatsServer, minio_event, running_nats
from tests.postgres import new_database, running_postgres

_SECRET = "a-secret-of-the-bench"
_LONGEST = 3600.0


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--objects", type=int, help="that the events tell of, each several times; as many by default")
    parser.add_argument("--workers", type=int, nargs="+", default=[2, 4, 8])
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="fitsvault-bench-"))
    try:
        with running_minio(folder) as settings, running_nats(folder / "nats") as nats, running_postgres() as server:
            objects = [f"night/{number:06}.fits" for number in range(given.objects or given.events)]
            _put(settings, objects)
            keys = [objects[number % len(objects)] for number in range(given.events)]
            random.Random(0).shuffle(keys)
            print(f"{len(keys)} events about {len(objects)} objects, {os.cpu_count()} cores\n")
            print("| workers | took | events a second | given out twice |")
            print("|---|---|---|---|", flush=True)
            for workers in given.workers:
                url = new_database(server, f"bench_{workers}")
                one = settings.model_copy(
                    update={
                        "database_url": SecretStr(url),
                        "nats_url": SecretStr(nats.url),
                        "nats_stream": f"bench-{workers}",
                    }
                )
                seconds, again = _drain(one, nats, workers, keys, folder)
                print(f"| {workers} | {seconds:.0f} s | {len(keys) / seconds:.0f} | {again} |", flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running_minio(folder: Path) -> Iterator[Settings]:
    """Run MinIO, and give the settings of an archive on it."""
    port = _free_port()
    settings = Settings(
        _env_file=None,
        store="minio",
        s3_endpoint_url=f"http://127.0.0.1:{port}",
        s3_access_key="fitsvault",
        s3_secret_key=SecretStr("secret-secret"),
        event_secret=SecretStr(_SECRET),
        work_dir=folder / "work",
        home=folder,
        ingest_workers=1,
        reconcile_seconds=0.0,
        log_level="WARNING",
    )
    keys = {"MINIO_ROOT_USER": "fitsvault", "MINIO_ROOT_PASSWORD": "secret-secret", "MINIO_BROWSER": "off"}
    command = ["minio", "server", "--quiet", "--address", f"127.0.0.1:{port}", str(folder / "data")]
    minio = subprocess.Popen(command, env=os.environ | keys, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until("MinIO answers", lambda: _answers(f"http://127.0.0.1:{port}/minio/health/ready"))
        yield settings
    finally:
        minio.terminate()
        minio.wait(20)


def _put(settings: Settings, keys: Sequence[str]) -> None:
    store, data = Store(settings), simulate_frame().data
    for bucket in (settings.bucket, settings.derived_bucket):
        store.ensure_bucket(bucket)
    begun = time.monotonic()
    with ThreadPoolExecutor(8) as threads:
        for _ in threads.map(lambda key: store.write_bytes(settings.bucket, key, data, "application/fits"), keys):
            pass
    print(f"{len(keys)} objects of {len(data)} bytes put in {time.monotonic() - begun:.0f} s")
    store.s3.close()


def _drain(settings: Settings, nats: NatsServer, workers: int, keys: Sequence[str], folder: Path) -> tuple[float, int]:
    """Return how long it took, and how many messages were given out more than once."""
    engine = make_engine(settings.effective_database_url)
    upgrade(engine)
    asyncio.run(ensure_streams(settings))
    with _serving(settings, workers, folder):
        begun = time.monotonic()
        nats.publish(f"{settings.nats_stream}.events", *(minio_event(settings.bucket, key) for key in keys))
        while nats.count(settings.nats_stream):
            assert time.monotonic() - begun < _LONGEST
            time.sleep(0.2)
        seconds = time.monotonic() - begun
        info = nats.ask(lambda jetstream: jetstream.consumer_info(settings.nats_stream, "ingest"))
    with read(make_session_factory(engine)) as session:
        frames, failures = (session.scalar(select(func.count()).select_from(table)) for table in (Frame, Failure))
    engine.dispose()
    assert (frames, failures) == (len(set(keys)), 0), (frames, failures)
    assert info.delivered is not None
    return seconds, info.delivered.consumer_seq - len(keys)


@contextmanager
def _serving(settings: Settings, workers: int, folder: Path) -> Iterator[None]:
    """Run so many ingest hosts, ready to work."""
    processes, ports = [], []
    for number in range(workers):
        ports.append(_free_port())
        given = plain_settings(settings.model_copy(update={"event_port": ports[-1]}))
        environment = {f"FITSVAULT_{name.upper()}": value for name, value in given.items()}
        with (folder / f"worker-{number}.log").open("ab") as log:
            command = [sys.executable, "-m", "localstack.serve", "ingest"]
            processes.append(
                subprocess.Popen(command, cwd=REPOSITORY, env=os.environ | environment, stdout=log, stderr=log)
            )
    try:
        for port in ports:
            wait_until("a worker is ready", partial(_answers, f"http://127.0.0.1:{port}/health/ready"), 180)
        yield
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            process.wait(60)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5, trust_env=False).is_success
    except httpx.TransportError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    main()

"""Cold starts of the packages under AWS's runtime client: until ready for work, and until the first answer.

A function starts anew each time, one kind after the other in each round, beside the least that FastAPI, Mangum and
SQLAlchemy can be. Medians. The database is PostgreSQL on this machine, and the bytecode is in the page cache.
"""

import argparse
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from shared.accounts.service import create_user
from shared.accounts.tokens import issue_token
from shared.database import make_engine, make_session_factory, write
from shared.migrations import upgrade
from tests.api.gateways import http_event
from tests.packages.runtime import FunctionError, LambdaFunction
from tests.packages.unpacked import Unpacked, unpacked
from tests.postgres import new_database, running_postgres

_FLOOR = "floor"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench_cold", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fitsvault-cold-") as name, running_postgres() as server:
        _measure(Path(name), server, options.rounds)


def _measure(folder: Path, server: str, rounds: int) -> None:
    url = new_database(server, f"cold_{uuid.uuid4().hex[:8]}")
    token = _prepared(url)
    packages = unpacked(folder)
    handlers = _handlers(packages)
    events: dict[str, Any] = {
        _FLOOR: http_event("GET", "/frames/"),
        "api": http_event("GET", "/frames/", "limit=10", {"Authorization": f"Token {token}"}),
        "ingest": {"Records": []},
        "reconcile": {"prefix": 1},  # refused when all is ready
        "bundle": {"bundle": 1},
        "migrate": {},
    }
    took: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    for number in range(rounds + 1):
        for name, (task, handler) in handlers.items():
            one = _cold_start(packages, task, handler, events[name], url, folder / f"{name}.log")
            if number:  # the first brings files into the page cache
                took[name].append(one)
    _print({name: tuple(map(statistics.median, zip(*all_, strict=True))) for name, all_ in took.items()})


def _prepared(url: str) -> str:
    engine = make_engine(url)
    upgrade(engine)
    with write(make_session_factory(engine)) as session:
        token = issue_token(session, create_user(session, "ada", "secret words"), "bench")
    engine.dispose()
    return token


def _handlers(packages: Unpacked) -> dict[str, tuple[Path, str]]:
    floor = packages.tasks["api"].parent / _FLOOR
    shutil.copytree(packages.tasks["api"], floor)
    shutil.copyfile(Path(__file__).parent / "packages" / "floor.py", floor / "floor.py")
    subprocess.run([packages.python, "-m", "compileall", "-q", floor / "floor.py"], check=True)
    own = {name: (task, f"functions.{name}.handler.handler") for name, task in packages.tasks.items()}
    return {_FLOOR: (floor, "floor.handler"), **own}


def _cold_start(
    packages: Unpacked, task: Path, handler: str, event: Any, url: str, log: Path
) -> tuple[float, float, float]:
    """Return the seconds until it asks for work, those of the first answer, and of the processor in all."""
    settings = {
        "FITSVAULT_DATABASE_URL": url,
        "FITSVAULT_HOME": "/tmp",
        "FITSVAULT_S3_ENDPOINT_URL": "http://127.0.0.1:9",
    }
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    function = LambdaFunction(
        python=packages.python, client=packages.client, task=task, handler=handler, settings=settings, log=log
    )
    started = time.perf_counter()
    _quietly(lambda: function(event))
    answered = time.perf_counter() - started
    function.close()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return function.start_seconds, answered, processor


def _quietly(call: Callable[[], object]) -> None:
    try:
        call()
    except FunctionError as error:  # a refusal is an answer, too
        if "EventError" not in str(error):
            raise


def _print(medians: dict[str, Any]) -> None:
    floor = medians[_FLOOR]
    print("| function | ready | first answer | both | beside the floor | processor | beside the floor |")
    print("|---|---|---|---|---|---|---|")
    for name, (ready, answer, processor) in medians.items():
        both = ready + answer
        cells = [f"{1000 * ready:.0f} ms", f"{1000 * answer:.0f} ms", f"{1000 * both:.0f} ms"]
        cells += [f"{both / (floor[0] + floor[1]):.2f}", f"{1000 * processor:.0f} ms", f"{processor / floor[2]:.2f}"]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()

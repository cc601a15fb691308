"""A full database of an earlier version, and what its code does to it: in SQL, since that code is no longer here."""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, inspect, text

from shared.database import make_engine, make_session_factory, write
from shared.index.combinations import COMBINED
from shared.index.tallies import wrong_counts

__all__ = ["OldVersion", "assert_exact", "copied", "indexes"]

_NEW = ("id", "combination_id", "object_id", "sky_cell", "shape_id")
_NAMES = ", ".join(COMBINED)


class OldVersion:
    """Writes and reads as version 0007 did."""

    def __init__(self, engine: Engine, *, seed: int = 0) -> None:
        self._engine = engine
        self._random = random.Random(seed)
        self._columns = [
            column["name"] for column in inspect(engine).get_columns("frames") if column["name"] not in _NEW
        ]
        self.rounds = 0

    def insert(self, key: str, **values: object) -> None:
        """Insert a frame that is like another, but for its key and some values."""
        given = {"key": key} | values
        columns = ", ".join(f":{name}" if name in given else name for name in self._columns)
        self._run(
            f"INSERT INTO frames ({', '.join(self._columns)}) SELECT {columns} FROM frames ORDER BY id LIMIT 1", **given
        )

    def write(self) -> None:
        """Let a frame come, one change, and one go."""
        name = f"{self._random.random()}"
        self.insert(f"old/{name}.fits", object_name=f"O {name[-2:]}", site=f"site {name[-1]}")
        for statement in (
            "UPDATE frames SET site = :a, object_name = :b, ra = 10.5, dec = -3.25 WHERE id = :id",
            "UPDATE frames SET object_name = NULL, night = NULL, date_obs = NULL WHERE id = :id",
            "DELETE FROM frames WHERE id = :id",
        ):
            frame_id = self._run("SELECT id FROM frames WHERE id >= :id ORDER BY id LIMIT 1", id=self._any_id())
            self._run(statement, id=frame_id, a=f"site {name[-3]}", b=f"O {name[-3:]}")
        self.rounds += 1

    def read(self) -> int:
        """Count frames as a reader."""
        return self._run("SELECT count(*) FROM frames WHERE site = 'sutherland'") or 0

    def _any_id(self) -> int:
        return self._random.randint(1, self._run("SELECT max(id) FROM frames") or 1)

    def _run(self, statement: str, **values: object) -> int | None:
        known = {name: value for name, value in values.items() if f":{name}" in statement}
        with self._engine.begin() as connection:
            result = connection.execute(text(statement), known)
            return result.scalar() if result.returns_rows else None

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Write and read in two threads for the length of the block."""
        stop, troubles = threading.Event(), list[Exception]()

        def go_on(work: object) -> None:
            assert callable(work)
            try:
                while not stop.is_set():
                    work()
            except Exception as error:  # noqa: BLE001 - it is raised in the test's thread
                troubles.append(error)

        threads = [threading.Thread(target=go_on, args=(work,)) for work in (self.write, self.read)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join(60)
        assert not troubles, troubles[0]


@contextmanager
def copied(server: str, template: str, name: str) -> Iterator[Engine]:
    """Copy a database for the length of the block."""
    admin = make_engine(server).execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template}")
    engine = make_engine(server.replace("/postgres?", f"/{name}?"), name=name)
    try:
        yield engine
    finally:
        engine.dispose()
        with admin.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        admin.dispose()


def indexes(engine: Engine) -> set[str]:
    """Return the indexes of frames, as they are defined; an invalid one is marked."""
    statement = (
        "SELECT pg_get_indexdef(indexrelid) || CASE WHEN indisvalid THEN '' ELSE ' INVALID' END"
        " FROM pg_index WHERE indrelid = 'frames'::regclass"
    )
    with engine.connect() as connection:
        return set(connection.execute(text(statement)).scalars())


def assert_exact(engine: Engine) -> None:
    """Make sure that every frame has its own combination and object, and that all counts are right."""
    values = {"f": ", ".join(f"f.{name}" for name in COMBINED), "c": ", ".join(f"c.{name}" for name in COMBINED)}
    statement = (
        "SELECT count(*) FROM frames f LEFT JOIN combinations c ON c.id = f.combination_id"
        " LEFT JOIN object_names o ON o.id = f.object_id"
        f" WHERE c.id IS NULL OR ({values['f']}) IS DISTINCT FROM ({values['c']})"
        " OR f.object_name IS DISTINCT FROM o.name OR (f.ra IS NULL) <> (f.sky_cell IS NULL)"
    )
    with engine.connect() as connection:
        assert connection.execute(text(statement)).scalar_one() == 0
    with write(make_session_factory(engine)) as session:
        assert wrong_counts(session) == {}

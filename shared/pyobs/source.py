"""The database of a pyobs-archive, read only: the tables of Django's accounts, of its tokens, and of the frames."""

import datetime as dt
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

from shared.errors import SourceError
from shared.pyobs.model import PyobsFrame, PyobsUser

__all__ = ["MOST_ID", "PyobsSource"]

MOST_ID = 2**52
"""The largest id that can be taken over."""

_FRAMES = sa.table(
    "api_frame",
    sa.column("id", sa.BigInteger()),
    sa.column("basename", sa.Text()),
    sa.column("path", sa.Text()),
    sa.column("DATE_OBS", sa.DateTime()),
)
_RELATED = sa.table("api_frame_related", sa.column("from_frame_id", sa.BigInteger()), sa.column("to_frame_id"))
_USERS = sa.table(
    "auth_user",
    sa.column("id", sa.BigInteger()),
    *(sa.column(name, sa.Text()) for name in ("username", "password")),
    *(sa.column(name, sa.Boolean()) for name in ("is_active", "is_staff", "is_superuser")),
    *(sa.column(name, sa.DateTime()) for name in ("date_joined", "last_login")),
)
_TOKENS = sa.table(
    "authtoken_token",
    sa.column("key", sa.Text()),
    sa.column("created", sa.DateTime()),
    sa.column("user_id", sa.BigInteger()),
)
_PROJECTS = sa.table("api_project", sa.column("code", sa.Text()))


class PyobsSource:
    """A pyobs-archive's database. Nothing is ever written to it: the connection itself refuses.

    Parameters
    ----------
    url
        ``sqlite:///db.sqlite3`` or ``postgresql://user@host/name``.

    Raises
    ------
    SourceError
        The database cannot be read, or is not that of a pyobs-archive.
    """

    def __init__(self, url: str) -> None:
        try:
            self._engine = _read_only_engine(make_url(url))
            present = set(sa.inspect(self._engine).get_table_names())
        except (sa.exc.SQLAlchemyError, ImportError) as error:
            raise SourceError(f"the pyobs-archive's database cannot be read: {_reason(error)}") from error
        needed = {table.name for table in (_FRAMES, _RELATED, _USERS, _TOKENS)}
        if missing := sorted(needed - present):
            self.close()
            raise SourceError(f"not the database of a pyobs-archive: no tables {', '.join(missing)}")
        self._has_projects = _PROJECTS.name in present

    def close(self) -> None:
        """Let go of connections."""
        self._engine.dispose()

    def count(self) -> int:
        """Return the number of frames."""
        return int(self._rows(sa.select(sa.func.count()).select_from(_FRAMES))[0][0])

    def project_count(self) -> int:
        """Return the number of projects, which may restrict who sees a frame."""
        if not self._has_projects:
            return 0
        return int(self._rows(sa.select(sa.func.count()).select_from(_PROJECTS))[0][0])

    def largest_id(self) -> int:
        """Return the largest id that a frame has, or had before it was deleted; 0 if there was none.

        Raises
        ------
        SourceError
            New ids above it would come to an end, or be no exact numbers for clients that read JSON.
        """
        if self._engine.dialect.name == "sqlite":
            drawn = "SELECT seq FROM sqlite_sequence WHERE name = 'api_frame'"
        else:
            drawn = (
                "SELECT last_value FROM pg_sequences"
                " WHERE schemaname || '.' || sequencename = pg_get_serial_sequence('api_frame', 'id')"
            )
        rows = self._rows(sa.select(sa.func.max(_FRAMES.c.id))) + self._rows(sa.text(drawn))
        largest = max((int(row[0]) for row in rows if row[0] is not None), default=0)
        if largest > MOST_ID:
            raise SourceError(f"it has a frame with the id {largest}, which leaves no room for new ones")
        return largest

    def frames(self, batch: int = 200) -> Iterator[list[PyobsFrame]]:
        """Yield all frames by id, so many at a time; each batch is one short transaction."""
        after = -1
        while frames := self._frames(_FRAMES.c.id > after, batch):
            yield frames
            after = frames[-1].id

    def users(self) -> list[PyobsUser]:
        """Return all accounts with their tokens, by name."""
        tokens: dict[int, list[tuple[str, dt.datetime]]] = {}
        for row in self._rows(sa.select(_TOKENS).order_by(_TOKENS.c.created, _TOKENS.c.key)):
            _check_row(f"a token of account {row.user_id}", row.key, row.created)
            tokens.setdefault(row.user_id, []).append((row.key, _naive_utc(row.created)))
        users = self._rows(sa.select(_USERS).order_by(_USERS.c.username))
        for row in users:
            _check_row(f"account {row.id}", row.username, row.password, row.date_joined)
        return [
            PyobsUser(
                username=row.username,
                password=row.password,
                is_active=bool(row.is_active),
                is_staff=bool(row.is_staff),
                is_superuser=bool(row.is_superuser),
                date_joined=_naive_utc(row.date_joined),
                last_login=_naive_utc(row.last_login) if row.last_login is not None else None,
                tokens=tuple(tokens.get(row.id, ())),
            )
            for row in users
        ]

    def _frames(self, condition: sa.ColumnElement[bool], batch: int) -> list[PyobsFrame]:
        rows = self._rows(sa.select(_FRAMES).where(condition).order_by(_FRAMES.c.id).limit(batch))
        for row in rows:
            _check_row(f"frame {row.id}", row.basename, row.path, row.DATE_OBS)
        related = self._related([row.id for row in rows])
        return [
            PyobsFrame(
                id=row.id,
                basename=row.basename,
                path=row.path,
                date_obs=_naive_utc(row.DATE_OBS),
                related=tuple(related.get(row.id, ())),
            )
            for row in rows
        ]

    def _related(self, frame_ids: Sequence[int]) -> dict[int, list[tuple[int, str]]]:
        statement = (
            sa.select(_RELATED.c.from_frame_id, _FRAMES.c.id, _FRAMES.c.basename)
            .join_from(_RELATED, _FRAMES, _FRAMES.c.id == _RELATED.c.to_frame_id)
            .where(_RELATED.c.from_frame_id.in_(frame_ids))
            .order_by(_FRAMES.c.id)
        )
        found: dict[int, list[tuple[int, str]]] = {}
        for source, target, basename in self._rows(statement):
            found.setdefault(source, []).append((target, basename))
        return found

    def _rows(self, statement: sa.Executable) -> list[Any]:
        try:
            with self._engine.connect() as connection:
                return list(connection.execute(statement).all())
        except (sa.exc.SQLAlchemyError, ValueError) as error:
            raise SourceError(f"the pyobs-archive's database cannot be read: {_reason(error)}") from error


def _read_only_engine(url: URL) -> sa.Engine:
    backend = url.get_backend_name()
    if backend == "sqlite":
        path = Path(url.database or "").absolute()
        if not path.is_file():
            raise SourceError(f"no such database: {path}")
        address = f"file:{quote(path.as_posix())}?mode=ro"
        return sa.create_engine("sqlite://", creator=lambda: sqlite3.connect(address, uri=True), poolclass=sa.NullPool)
    if backend == "postgresql":
        options = f"{url.query.get('options', '')} -c default_transaction_read_only=on".strip()
        return sa.create_engine(
            url.set(drivername="postgresql+psycopg").difference_update_query(["options"]),
            connect_args={"options": options},
            hide_parameters=True,
            poolclass=sa.NullPool,
        )
    raise SourceError(f"a pyobs-archive has its data in SQLite or PostgreSQL, not in {backend}")


def _check_row(what: str, *values: object) -> None:
    """Refuse what the predecessor's schema rules out, and SQLite takes nevertheless."""
    if not all(isinstance(value, str | dt.datetime) for value in values):
        raise SourceError(f"{what} in the pyobs-archive's database lacks a value, or has one that is no text")


def _naive_utc(moment: dt.datetime) -> dt.datetime:
    return moment if moment.tzinfo is None else moment.astimezone(dt.UTC).replace(tzinfo=None)


def _reason(error: Exception) -> str:
    original = getattr(error, "orig", None)
    return str(original if original is not None else error).strip().partition("\n")[0]

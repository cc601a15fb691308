"""A database goes into a file and comes back: the same rows with the same ids, on either database."""

import gzip
import json
import re
from collections.abc import Callable
from io import BytesIO

import pytest

from shared.accounts.service import authenticate
from shared.backup.format import Header
from shared.backup.restoring import read_header, restore_backup
from shared.backup.tables import sequences
from shared.backup.writing import write_backup
from shared.database import read, utc_now, write
from shared.errors import BackupError
from shared.index.frames import put_frame
from shared.index.parameters import parse_query
from shared.index.query import list_frames
from shared.index.tallies import wrong_counts
from shared.migrations import upgrade
from shared.schema import REVISIONS, check_schema
from tests.backup.conftest import MANY, Make, Sessions, contents, left_out_rows
from tests.index.factory import make_record

KINDS = ("sqlite", "postgresql")
Full = Callable[[str], Sessions]


def backed_up(sessions: Sessions, schema: str | None = None) -> BytesIO:
    file = BytesIO()
    write_backup(sessions, file, Header(schema or REVISIONS[-1], utc_now(), "frames"))
    file.seek(0)
    return file


@pytest.mark.parametrize("target", KINDS)
@pytest.mark.parametrize("source", KINDS)
def test_all_comes_back_with_its_ids(source: str, target: str, full: Full, make: Make) -> None:
    here, there = full(source), make(target)
    before = contents(here)
    assert all(before.values()), "the test should put rows into every table that a backup holds"
    rows = restore_backup(there, backed_up(here))
    assert contents(there) == before
    assert rows == {name: len(of) for name, of in before.items()}
    assert left_out_rows(there) == 0
    with write(there) as session:
        assert wrong_counts(session) == {}
    with read(there) as session:
        assert list_frames(session, parse_query([("OBJECT", "M 42"), ("undated", "true")])).count == len(
            [one for one in before["frames"] if "M 42" in one]
        )
    assert authenticate(there, "ada", "correct horse").username == "ada"


@pytest.mark.parametrize("target", KINDS)
@pytest.mark.parametrize("source", KINDS)
def test_no_id_is_given_twice(source: str, target: str, full: Full, make: Make) -> None:
    here, there = full(source), make(target)
    restore_backup(there, backed_up(here), gap=1000)
    with read(here) as session:
        last = sequences(session)["frames"]
    with write(there) as session:
        assert put_frame(session, make_record(key="new.fits")) == last + 1001
    assert last >= 5000


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_there_is_replaced_only_if_asked_for(kind: str, full: Full, make: Make) -> None:
    here, there = full(kind), make(kind)
    with write(there) as session:
        for number in range(3):
            put_frame(session, make_record(key=f"other/{number}.fits", object_name="other"))
    before = contents(there)
    with pytest.raises(BackupError, match=r"not empty.*frames"):
        restore_backup(there, backed_up(here))
    assert contents(there) == before
    restore_backup(there, backed_up(here), force=True)
    assert contents(there) == contents(here)
    with write(there) as session:
        assert wrong_counts(session) == {}
    with read(there) as session:
        assert list_frames(session, parse_query([("basename", "other")])).count == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_backup_of_an_earlier_schema_goes_into_tables_of_its_time(kind: str, full: Full, make: Make) -> None:
    """What a version to come does: the tables of the backup's version first, then forward."""
    here, there = full(kind), make(kind, None)
    file = backed_up(here)
    upgrade(there.kw["bind"], read_header(file).schema)
    restore_backup(there, file)
    upgrade(there.kw["bind"])
    check_schema(there.kw["bind"])
    assert contents(there) == contents(here)


def test_a_backup_is_one_moment_of_a_database_that_is_written_to(whole: Sessions, make: Make) -> None:
    here, there = make("postgresql"), make("sqlite")
    restore_backup(here, backed_up(whole))
    before = contents(here)

    class Meddling(BytesIO):
        meddled = False

        def write(self, data: object) -> int:
            if not self.meddled:
                self.meddled = True
                with write(here) as session:
                    put_frame(session, make_record(key="meanwhile.fits"))
            return super().write(data)  # type: ignore[arg-type]

    file = Meddling()
    write_backup(here, file, Header(REVISIONS[-1], utc_now(), "frames"))
    file.seek(0)
    restore_backup(there, file)
    assert file.meddled
    assert len(contents(here)["frames"]) == len(before["frames"]) + 1
    assert abs(len(contents(there)["frames"]) - len(before["frames"])) <= 1
    assert {row[0] for row in contents(there)["frame_links"]} <= {row[0] for row in contents(there)["frames"]}


def changed(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[bytes], bytes]:
    return lambda data: gzip.compress(b"".join(change(gzip.decompress(data).splitlines(keepends=True))))


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda _: b"",
    "not gzip": lambda _: b"SIMPLE  = T",
    "another file": lambda _: gzip.compress(b'{"a": 1}\n'),
    "cut off in gzip": lambda data: data[: len(data) * 2 // 3],
    "a flipped byte": lambda data: (
        data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :]
    ),
    "cut off between lines": changed(lambda lines: lines[:-1]),
    "a line is missing": changed(lambda lines: lines[:500] + lines[501:]),
    "a value is another": changed(lambda lines: [re.sub(rb'"M 42"', b'"M 43"', line) for line in lines]),
    "a later format": changed(lambda lines: [lines[0].replace(b'"version":1', b'"version":2'), *lines[1:]]),
    "something behind its end": lambda data: data + data,
    "a row too short": changed(lambda lines: [line if n != 500 else b"[1]\n" for n, line in enumerate(lines)]),
}


@pytest.fixture(scope="module")
def data(whole: Sessions) -> bytes:
    return backed_up(whole).getvalue()


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_backup_changes_nothing(damage: str, data: bytes, make: Make) -> None:
    there = make("sqlite")
    with write(there) as session:
        put_frame(session, make_record(key="there.fits"))
    before = contents(there)
    with pytest.raises(BackupError):
        restore_backup(there, BytesIO(DAMAGES[damage](data)), force=True)
    assert contents(there) == before


def test_a_backup_is_lines_that_others_can_read_without_counts(data: bytes) -> None:
    lines = [json.loads(line) for line in gzip.decompress(data).splitlines()]
    assert lines[0]["format"] == "fitsvault-backup"
    assert lines[-1]["rows"]["frames"] == MANY - 2
    heads = [line for line in lines if isinstance(line, dict) and "table" in line]
    names = [head["table"] for head in heads]
    assert "sessions" not in names
    assert not [name for name in names if name.startswith("tally_")]
    start = lines.index(next(head for head in heads if head["table"] == "combinations")) + 1
    assert lines[start][-2:] == [0, 0]

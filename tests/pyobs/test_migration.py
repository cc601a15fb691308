"""A whole pyobs-archive moves here: from SQLite and from PostgreSQL, stopped in the middle and taken up again."""

import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import httpx
import pytest
from argon2 import PasswordHasher
from starlette.testclient import TestClient

from functions.api.app import create_app
from shared.database import make_engine, make_session_factory, write
from shared.index.frames import put_frame
from shared.index.reservations import reserved_id
from shared.settings import Settings, plain_settings
from tests.archive import REPOSITORY, RunningArchive, running_archive, wait_until
from tests.index.factory import make_record
from tests.postgres import new_database
from tests.prepared import prepare
from tests.pyobs.predecessor import OldFrame, OldUser, django_hash, make_database, make_files, make_frames

COUNT = 205
"""Two batches of the command's reading, and enough that it can be killed in the middle."""

FEW = 60

LARGEST = 20_000
USERS = [
    OldUser("ada", django_hash("ada's secret"), "a" * 40, staff=True),
    OldUser("admin", django_hash("old admin"), "b" * 40, staff=True, superuser=True),
    OldUser("off", django_hash("off"), "c" * 40, active=False),
    OldUser("grace", "argon2" + PasswordHasher().hash("grace's secret"), superuser=True),
    OldUser("sso", "!unusable", "d" * 40),
]


def start(env: Mapping[str, str], *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", "from shared.cli import main; main()", "migrate-from-pyobs", *words],
        env={"PATH": "", "PYTHONPATH": str(REPOSITORY), **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def migrate(env: Mapping[str, str], *words: str) -> tuple[int, str, str]:
    process = start(env, *words)
    out, err = process.communicate(timeout=500)
    assert "Traceback" not in err
    return process.returncode, out, err


@pytest.fixture(scope="module")
def frames() -> list[OldFrame]:
    return make_frames(COUNT)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, frames: list[OldFrame]) -> Path:
    folder = tmp_path_factory.mktemp("pyobs-root")
    make_files(folder, frames)
    return folder


@pytest.fixture(scope="module")
def own_archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningArchive]:
    with running_archive(tmp_path_factory.mktemp("migrated")) as running:
        yield running


def as_it_was(frame: OldFrame) -> dict[str, object]:
    spec = "milliseconds" if frame.date_obs.microsecond else "seconds"
    return {
        "id": frame.id,
        "basename": frame.basename,
        "DATE_OBS": frame.date_obs.isoformat(timespec=spec) + "Z",
        "related_frames": frame.related,
        "url": f"frames/{frame.id}/download/",
        "key": f"{frame.path}{frame.basename}.fits.fz",
    }


def told(answers: Sequence[Mapping[str, object]], frames: Sequence[OldFrame]) -> list[dict[str, object]]:
    return [{name: answer[name] for name in as_it_was(frames[0])} for answer in answers]


@pytest.mark.archive
@pytest.mark.timeout(600)
def test_from_sqlite_stopped_in_the_middle(
    own_archive: RunningArchive, tmp_path: Path, root: Path, frames: list[OldFrame]
) -> None:
    archive = own_archive
    database = tmp_path / "db.sqlite3"
    make_database(f"sqlite:///{database}", frames, USERS, largest_id=LARGEST)
    before = database.read_bytes()
    database.chmod(0o444)
    env = {"FITSVAULT_HOME": str(archive.home)}
    words = ("--database", f"sqlite:///{database}", "--root", str(root))

    code, out, _ = migrate(env, *words, "--dry-run")
    assert (code, f"{COUNT} ready" in out) == (0, True)
    assert archive.get("/frames/", limit=1)["count"] == 0
    assert httpx.get(f"{archive.url}/frames/", headers={"Authorization": f"Token {'a' * 40}"}).status_code == 401

    def stored() -> int:
        return sum(1 for _ in archive.store.walk(archive.bucket))

    first = start(env, *words)
    wait_until("a part is there", lambda: stored() >= 20, 120)
    first.kill()
    first.communicate()
    partly = stored()
    assert 20 <= partly < COUNT

    code, out, err = migrate(env, *words)
    assert (code, out.splitlines()[-1:]) == (0, [f"compared: {COUNT} kept"]), out + err
    there = int(out.split(" there already")[0].split()[-1])
    assert partly <= there < COUNT
    assert told(archive.frames(sort="id"), frames) == [as_it_was(frame) for frame in frames]
    assert_accounts(archive)
    assert_it_goes_on(archive, root, frames)
    assert database.read_bytes() == before


def assert_accounts(archive: RunningArchive) -> None:
    def status(key: str, method: str, path: str) -> int:
        header = {"Authorization": f"Token {key}"}
        return httpx.request(method, f"{archive.url}{path}", headers=header, trust_env=False).status_code

    def log_in(username: str, password: str) -> int:
        form = {"username": username, "password": password}
        return httpx.post(f"{archive.url}/api-token-auth/", data=form, timeout=30, trust_env=False).status_code

    assert [status(key * 40, "GET", "/frames/") for key in "abcdf"] == [200, 200, 401, 200, 401]
    assert [log_in("ada", "ada's secret") for _ in range(2)] == [200, 200]
    assert log_in("grace", "grace's secret") == 200
    assert [log_in("ada", "x"), log_in("off", "off"), log_in("sso", "!unusable")] == [400, 400, 400]
    index = (archive.home / "index.sqlite").read_bytes() + (archive.home / "index.sqlite-wal").read_bytes()
    assert not any((key * 40).encode() in index for key in "abcd")


def assert_it_goes_on(archive: RunningArchive, root: Path, frames: Sequence[OldFrame]) -> None:
    """A migrated frame keeps id and links when its object goes and comes back; a new frame gets an id above all."""
    frame = next(frame for frame in frames if frame.header_link)
    key = str(as_it_was(frame)["key"])
    data = (root / key).read_bytes()
    archive.s3.delete_object(Bucket=archive.bucket, Key=key)
    wait_until("it has gone", lambda: archive.frame_of(key) is None)
    archive.s3.put_object(Bucket=archive.bucket, Key=key, Body=data)
    assert told([archive.wait_for_frame(key)], frames) == [as_it_was(frame)]
    archive.s3.put_object(Bucket=archive.bucket, Key="new/one.fits.fz", Body=data)
    assert archive.wait_for_frame("new/one.fits.fz")["id"] > LARGEST


@pytest.mark.archive
def test_from_postgresql(own_archive: RunningArchive, postgres: str, root: Path, frames: list[OldFrame]) -> None:
    """The same archive in PostgreSQL: whatever of it is here, every id and link is as it was afterwards."""
    source = new_database(postgres, "whole")
    make_database(source, frames, USERS, largest_id=LARGEST)
    env = {"FITSVAULT_HOME": str(own_archive.home), "PYOBS_DATABASE_URL": source}
    code, out, err = migrate(env, "--root", str(root), "--recheck")
    assert (code, out.splitlines()[-1:]) == (0, [f"compared: {COUNT} kept"]), out + err
    found = told(own_archive.frames(sort="id", basename="pyobs-"), frames)
    assert [frame for frame in found if str(frame["key"]).startswith("vault/")] == list(map(as_it_was, frames))


@pytest.mark.archive
@pytest.mark.timeout(600)
def test_from_postgresql_into_postgresql(own_archive: RunningArchive, postgres: str, tmp_path: Path) -> None:
    """Another index and another bucket, which no event is delivered from: the command indexes what it brings."""
    frames = make_frames(FEW, first=7)
    make_files(tmp_path, frames)
    source, index = new_database(postgres, "old"), new_database(postgres, "new")
    make_database(source, frames, USERS, largest_id=LARGEST)
    engine = make_engine(index)
    prepare(engine)
    engine.dispose()
    given = own_archive.settings.model_dump() | {"bucket": "pgframes", "derived_bucket": "pgderived"}
    settings = type(own_archive.settings)(_env_file=None, **(given | {"database_url": index}))
    for bucket in ("pgframes", "pgderived"):
        own_archive.store.ensure_bucket(bucket)
    env = {f"FITSVAULT_{name.upper()}": value for name, value in plain_settings(settings).items()}
    words = ("--root", str(tmp_path), "--patience", "0", "--new-ids-above", "30000")
    code, out, err = migrate({**env, "PYOBS_DATABASE_URL": source}, *words)
    assert (code, out.splitlines()[-1:]) == (0, [f"compared: {FEW} kept"]), out + err
    app = create_app(settings)
    client = TestClient(app, headers={"Authorization": f"Token {'a' * 40}"})
    answer = client.get("/frames/", params={"sort": "id"}).json()
    assert answer["count"] == FEW
    assert told(answer["results"], frames) == [as_it_was(frame) for frame in frames]
    app.state.services.close()
    engine = make_engine(index)
    with write(make_session_factory(engine)) as session:
        assert put_frame(session, make_record(bucket="pgframes", key="new.fits")) > 30_000
    engine.dispose()


@pytest.fixture
def bare(own_archive: RunningArchive, tmp_path: Path) -> tuple[Settings, dict[str, str]]:
    """An empty archive with a bucket and an SQLite index of its own, and the environment of commands for it."""
    name = f"bare-{uuid.uuid4().hex[:12]}"
    given = own_archive.settings.model_dump() | {"bucket": name, "derived_bucket": f"{name}-derived"}
    settings = Settings(_env_file=None, **(given | {"database_url": f"sqlite:///{tmp_path / 'index.sqlite'}"}))
    for bucket in (settings.bucket, settings.derived_bucket):
        own_archive.store.ensure_bucket(bucket)
    engine = make_engine(settings.effective_database_url)
    prepare(engine)
    engine.dispose()
    return settings, {f"FITSVAULT_{field.upper()}": value for field, value in plain_settings(settings).items()}


@pytest.mark.archive
def test_what_does_not_come_along_is_told(
    own_archive: RunningArchive, bare: tuple[Settings, dict[str, str]], tmp_path: Path
) -> None:
    settings, env = bare
    store = own_archive.store
    frames = make_frames(10)
    folder = tmp_path / "data"
    make_files(folder, frames)
    keys = [str(as_it_was(frame)["key"]) for frame in frames]
    gone, empty, broken, other, outside, cut = range(6)
    data = (folder / keys[gone]).read_bytes()
    (folder / keys[gone]).unlink()
    (folder / keys[empty]).write_bytes(b"")
    (folder / keys[broken]).write_bytes(b"no FITS file at all")
    store.write_bytes(settings.bucket, keys[other], b"something else", "application/fits")
    store.write_bytes(
        settings.bucket, keys[cut], b"", "application/fits"
    )  # as SeaweedFS has it of a PUT that broke off
    frames[outside].path = "../elsewhere/"
    make_database(f"sqlite:///{tmp_path / 'db.sqlite3'}", frames, projects=1)
    words = ("--database", f"sqlite:///{tmp_path / 'db.sqlite3'}", "--root", str(folder), "--patience", "0")

    assert "every account sees every frame" in migrate(env, *words)[2]
    code, out, err = migrate(env, *words, "--open-projects", "--no-accounts")
    told = [line for line in err.splitlines() if line.startswith("frame ")]
    assert code == 1
    assert out.splitlines() == [
        "frames: 3 missing, 6 uploaded, 1 different in the bucket",
        "compared: 1 not indexed, 5 kept",
    ]
    assert [int(line.split()[1]) for line in told] == [frames[n].id for n in (gone, empty, other, outside, broken)]
    for line, reason in zip(told, ("No such file", "Empty file", "another file", "leads out", "not-fits"), strict=True):
        assert reason in line
    assert store.read_bytes(settings.bucket, keys[other], 100) == b"something else"

    engine = make_engine(settings.effective_database_url)
    with write(make_session_factory(engine)) as session:
        assert [reserved_id(session, settings.bucket, keys[n]) for n in (gone, other)] == [None, frames[other].id]
    assert migrate(env, *words, "--open-projects", "--keep-missing")[0] == 1
    with write(make_session_factory(engine)) as session:
        assert reserved_id(session, settings.bucket, keys[gone]) == frames[gone].id
    engine.dispose()

    (folder / keys[gone]).write_bytes(data)
    code, out, _ = migrate(env, *words, "--open-projects", "--overwrite")
    assert (code, out.splitlines()[1]) == (1, "frames: 2 uploaded, 2 missing, 6 there already")
    assert out.splitlines()[2] == "compared: 7 kept, 1 not indexed"


@pytest.mark.archive
def test_an_id_that_is_taken_is_told(bare: tuple[Settings, dict[str, str]], tmp_path: Path) -> None:
    settings, env = bare
    frames = make_frames(2)
    make_files(tmp_path / "data", frames)
    make_database(f"sqlite:///{tmp_path / 'db.sqlite3'}", frames)
    engine = make_engine(settings.effective_database_url)
    with write(make_session_factory(engine)) as session:
        assert put_frame(session, make_record(bucket=settings.bucket, key="demo.fits")) == frames[0].id
    engine.dispose()
    words = ("--database", f"sqlite:///{tmp_path / 'db.sqlite3'}", "--root", str(tmp_path / "data"), "--patience", "0")
    for more in ((), ("--dry-run",)):
        code, out, err = migrate(env, *words, *more)
        assert (code, "1 in conflict" in out) == (1, True)
        assert f"its id belongs to {settings.bucket}/demo.fits here" in err

"""`fitsvault download` and `delete` against a running archive."""

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.cli.fetching import Fetcher, FetchState, Wanted
from shared.cli.names import Placer, safe_name
from shared.cli.remote import Remote
from shared.simulator import simulate_frame
from tests.archive import RunningArchive, wait_until
from tests.cli.conftest import Run

SITE = "clifetch"
KEYS = [
    "cli-fetch/one/with blank.fits",
    "cli-fetch/one/plus+percent%25.fits",
    "cli-fetch/two/ünïcode.fits.fz",
    "cli-fetch/two/with blank.fits",
    "cli-fetch/two/..hidden.fits",
]


@pytest.fixture(scope="module")
def night(archive: RunningArchive) -> dict[str, bytes]:
    """Frames of a site of their own; two of them have one file name."""
    written = {key: simulate_frame(SITEID=SITE, OBJECT=str(n)).data for n, key in enumerate(KEYS)}
    for key, data in written.items():
        archive.s3.put_object(Bucket=archive.bucket, Key=key, Body=data)
    for key in written:
        archive.wait_for_frame(key)
    return written


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_query_becomes_files(archive: RunningArchive, run: Run, night: dict[str, bytes], tmp_path: Path) -> None:
    done = run("download", f"SITE={SITE}", "sort=id", "--output", str(tmp_path))
    assert (done.code, done.out) == (0, "5 downloaded, 0 complete, 0 failed\n"), done
    found = files(tmp_path)
    frames = {frame["key"]: frame for frame in archive.frames(SITE=SITE)}
    twin = max((KEYS[0], KEYS[3]), key=lambda key: frames[key]["id"])
    expected = {
        "with blank.fits": night[KEYS[3] if twin == KEYS[0] else KEYS[0]],
        f"with blank-{frames[twin]['id']}.fits": night[twin],
        "plus+percent%25.fits": night[KEYS[1]],
        "ünïcode.fits.fz": night[KEYS[2]],
        "_.hidden.fits": night[KEYS[4]],
    }
    assert found == expected
    again = run("download", f"SITE={SITE}", "sort=id", "--output", str(tmp_path))
    assert again.out == "0 downloaded, 5 complete, 0 failed\n"


def test_ids_and_folders(archive: RunningArchive, run: Run, night: dict[str, bytes], tmp_path: Path) -> None:
    ids = [str(frame["id"]) for frame in archive.frames(SITE=SITE) if "/one/" in frame["key"]]
    done = run("download", *ids, "--tree", "--output", str(tmp_path))
    assert done.code == 0, done
    assert files(tmp_path) == {key: night[key] for key in KEYS[:2]}
    missing = run("download", "999999999", "--output", str(tmp_path))
    assert (missing.code, "Not found." in missing.err) == (1, True)
    for words in ((), ("12", "SITE=x"), ("--all", "SITE=x")):
        assert run("download", *words).code == 2


def test_a_file_that_differs_is_left_unless_told(run: Run, night: dict[str, bytes], tmp_path: Path) -> None:
    words = ("download", f"SITE={SITE}", "basename=plus", "--output", str(tmp_path))
    mine = tmp_path / "plus+percent%25.fits"
    mine.write_bytes(b"mine")
    kept = run(*words)
    assert (kept.code, "--overwrite replaces it" in kept.err, mine.read_bytes()) == (1, True, b"mine"), kept
    assert run(*words, "--overwrite").code == 0
    assert mine.read_bytes() == night[KEYS[1]]


def part_of(archive: RunningArchive, folder: Path) -> Path:
    frame = archive.frame_of(KEYS[1])
    assert frame is not None
    return folder / f".plus+percent%25.fits.{frame['sha256'][:12]}.part"


@pytest.mark.parametrize("damage", [False, True])
def test_a_part_is_completed_or_thrown_away(
    archive: RunningArchive, run: Run, night: dict[str, bytes], tmp_path: Path, damage: bool
) -> None:
    data = night[KEYS[1]]
    part_of(archive, tmp_path).write_bytes(b"x" * 1000 if damage else data[:1000])
    done = run("download", f"SITE={SITE}", "basename=plus", "--output", str(tmp_path))
    assert done.out == "1 downloaded, 0 complete, 0 failed\n", done
    assert files(tmp_path) == {"plus+percent%25.fits": data}


class Brittle(BaseHTTPRequestHandler):
    """A store on the way to which connections break after a third, and which tells what it was asked."""

    data = b""
    asked: ClassVar[list[tuple[str | None, str | None]]] = []

    def do_GET(self) -> None:
        span = self.headers.get("Range")
        type(self).asked.append((span, self.headers.get("Authorization")))
        start = int(re.findall(r"\d+", span)[0]) if span else 0
        rest = self.data[start:]
        self.send_response(206 if span else 200)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(rest[: len(self.data) // 3 + 1])

    def log_message(self, *args: object) -> None:
        """Stay quiet."""


def test_a_broken_connection_is_taken_up_where_it_broke(
    archive: RunningArchive, night: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = night[KEYS[1]]
    monkeypatch.setattr(Brittle, "data", data)
    monkeypatch.setattr(Brittle, "asked", [])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Brittle)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    frame = archive.frame_of(KEYS[1])
    assert frame is not None
    moved: list[int] = []

    def redirect(request: httpx.Request) -> None:
        request.url = request.url.copy_with(host="127.0.0.1", port=server.server_port)

    with (
        Remote(archive.url, archive.token) as remote,
        httpx.Client(trust_env=False, event_hooks={"request": [redirect]}) as store,
    ):
        fetcher = Fetcher(
            lambda item: remote.link(item.id), store, overwrite=False, progress=moved.append, stop=threading.Event()
        )
        done = fetcher.fetch(Wanted(frame["id"], tmp_path / "x.fits", frame["size"], frame["sha256"]))
    server.shutdown()
    server.server_close()
    thread.join()
    assert done.state is FetchState.DOWNLOADED, done
    assert (tmp_path / "x.fits").read_bytes() == data
    third = len(data) // 3 + 1
    assert Brittle.asked == [(None, None), (f"bytes={third}-", None), (f"bytes={2 * third}-", None)]
    assert sum(moved) == len(data)


def test_an_interrupted_frame_stays_as_a_part(archive: RunningArchive, night: dict[str, bytes], tmp_path: Path) -> None:
    frame = archive.frame_of(KEYS[1])
    assert frame is not None
    stop = threading.Event()
    stop.set()
    with Remote(archive.url, archive.token) as remote, httpx.Client(trust_env=False) as store:
        fetcher = Fetcher(
            lambda item: remote.link(item.id), store, overwrite=False, progress=lambda count: None, stop=stop
        )
        done = fetcher.fetch(Wanted(frame["id"], tmp_path / "x.fits", frame["size"], frame["sha256"]))
    assert (done.state, done.problem) == (FetchState.FAILED, "interrupted")
    assert not (tmp_path / "x.fits").exists()


def test_delete(archive: RunningArchive, run: Run) -> None:
    key = "cli-delete/gone.fits"
    archive.s3.put_object(Bucket=archive.bucket, Key=key, Body=simulate_frame().data)
    number = str(archive.wait_for_frame(key)["id"])
    asked = run("delete", number)
    assert (asked.code, "use --yes" in asked.err) == (2, True)
    added = run("user", "add", "--password-stdin", "cli-reader", typed="a long secret\n")
    made = run("token", "new", "cli-reader")
    assert (added.code, made.code) == (0, 0), (added, made)
    refused = run("delete", number, "--yes", "--token", made.out.strip())
    assert (refused.code, "permission" in refused.err) == (4, True), refused
    assert archive.frame_of(key)
    some = run("delete", number, "999999999", "--yes")
    assert (some.code, some.out, "not deleted 999999999" in some.err) == (1, "1 deleted\n", True), some
    wait_until("the frame has gone", lambda: archive.frame_of(key) is None)
    assert not any(True for _ in archive.store.walk(archive.bucket, prefix=key))
    assert run("delete", number, "--yes").code == 1


@given(st.text())
def test_any_name_is_one_safe_component(name: str) -> None:
    safe = safe_name(name, "frame-1")
    assert safe
    assert safe not in (".", "..")
    assert not set(safe) & set('/\\\0\n\x1b:*?"<>|')
    assert not safe.startswith(".")
    assert len(safe.encode()) <= 200


@given(
    st.lists(st.tuples(st.text(st.sampled_from("aA.-1/é"), max_size=4), st.text(st.sampled_from("a./"), max_size=6)))
)
def test_every_frame_has_a_place_of_its_own(frames: list[tuple[str, str]]) -> None:
    for tree in (False, True):
        placer = Placer(tree=tree)
        places = [placer.place(number, name, key) for number, (name, key) in enumerate(frames)]
        assert len({str(place).casefold() for place in places}) == len(frames)
        assert not any(place.is_absolute() or ".." in place.parts for place in places)


def test_names_that_are_fine_stay() -> None:
    for name in ("m51.fits.fz", "Light_M 94_10.0s_IRCUT.fit", "ünïcode.fits", "a+b%25.fits"):
        assert safe_name(name, "x") == name
    long = safe_name("n" * 300 + ".fits.fz", "x")
    assert (len(long), long[-8:]) == (200, ".fits.fz")

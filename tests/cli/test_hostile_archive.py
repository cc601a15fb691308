"""Commands against an archive that answers with anything: told in one line, which never steers the terminal."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from shared.cli import app

SHA = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
FRAME = {"id": 1, "filename": "a.fits", "key": "x/a.fits", "size": 3, "sha256": SHA}
LINK = {"url": "http://127.0.0.1:1/blob", "size": 3, "sha256": SHA}
CLEAR = "\x1b[2J"


class Hostile(BaseHTTPRequestHandler):
    """Answers each path with what the test says."""

    answers: dict[str, Any]

    def do_GET(self) -> None:
        status, content = self.answers.get(self.path.partition("?")[0], (404, {"detail": "Not found."}))
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_DELETE(self) -> None:
        """Answer as to GET."""
        self.do_GET()

    def log_message(self, *args: object) -> None:
        """Stay quiet."""


@pytest.fixture
def hostile() -> Iterator[tuple[str, dict[str, Any]]]:
    """An archive's address, and what it answers: status and document by path."""
    answers: dict[str, Any] = {}
    handler = type("Handler", (Hostile,), {"answers": answers})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", answers
    server.shutdown()
    server.server_close()
    thread.join()


def run(url: str, *words: str) -> Result:
    done = CliRunner().invoke(app, [*words, "--url", url, "--token", "abc"])
    assert isinstance(done.exception, SystemExit | None), (words, done.exc_info)
    assert "\x1b" not in done.output
    return done


@pytest.mark.parametrize(
    "page",
    [{}, {"results": 5}, {"results": None}, {"results": [5]}, {"results": [[]]}, {"results": {"a": 1}}, b"[" * 100_000],
    ids=str,
)
def test_a_list_that_is_none_is_told(hostile: tuple[str, dict[str, Any]], tmp_path: Path, page: Any) -> None:
    url, answers = hostile
    answers |= {"/frames/": (200, page), "/frames/1/headers/": (200, page)}
    for words in (
        ("query",),
        ("query", "--format", "csv"),
        ("headers", "1"),
        ("headers", "1", "--full"),
        ("download", "--all", "--output", str(tmp_path)),
    ):
        done = run(url, *words)
        assert (done.exit_code, "is no archive" in done.stderr) == (1, True), (words, done.output)


@pytest.mark.parametrize("number", ["x", None, -1, 1.5, True])
def test_a_count_that_is_none_is_told(hostile: tuple[str, dict[str, Any]], number: Any) -> None:
    url, answers = hostile
    answers["/frames/"] = (200, {"results": [], "count": number, "next": None})
    assert "is no archive" in run(url, "query").stderr


@pytest.mark.parametrize("cards", [[{}], [{"cards": 5, "index": 0}], [{"cards": [{}], "index": 0}], [{"cards": []}]])
def test_headers_that_are_none_are_told(hostile: tuple[str, dict[str, Any]], cards: Any) -> None:
    url, answers = hostile
    answers["/frames/1/headers/"] = (200, {"results": cards})
    assert "is no archive" in run(url, "headers", "1", "--full").stderr
    assert "is no archive" in run(url, "headers", "1").stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [("id", [1]), ("id", None), ("filename", None), ("filename", 5), ("key", None), ("size", "3"), ("sha256", None)],
)
def test_a_frame_that_cannot_be_placed_is_told(
    hostile: tuple[str, dict[str, Any]], tmp_path: Path, name: str, value: Any
) -> None:
    url, answers = hostile
    answers["/frames/"] = (200, {"results": [FRAME | {name: value}], "count": 1, "next": None})
    done = run(url, "download", "--all", "--tree", "--output", str(tmp_path))
    assert (done.exit_code, f"does not tell '{name}'" in done.stderr) == (1, True), done.output


@pytest.mark.parametrize(
    "change",
    [
        {"size": "x"},
        {"size": None},
        {"size": float("inf")},
        {"url": None},
        {"sha256": "../../../x"},
        {"sha256": "\0"},
        {"sha256": ["x"]},
    ],
    ids=str,
)
def test_a_bad_link_fails_its_frame_and_not_the_others(
    hostile: tuple[str, dict[str, Any]], tmp_path: Path, change: dict[str, Any]
) -> None:
    url, answers = hostile
    whole = FRAME | {"id": 2, "filename": "whole.fits"}
    (tmp_path / "whole.fits").write_bytes(b"abc")
    answers["/frames/"] = (200, {"results": [FRAME, whole], "count": 2, "next": None})
    answers["/frames/1/download/"] = (200, LINK | change)
    done = run(url, "download", "--all", "--output", str(tmp_path))
    assert done.stdout.endswith("0 downloaded, 1 complete, 1 failed\n"), done.output
    assert [path.name for path in tmp_path.iterdir()] == ["whole.fits"]


def test_nothing_that_an_archive_says_steers_the_terminal(hostile: tuple[str, dict[str, Any]]) -> None:
    url, answers = hostile
    answers |= {path: (400, {"detail": f"no{CLEAR}"}) for path in ("/frames/", "/frames/1/delete/")}
    for words in (("query",), ("delete", "1", "--yes"), ("query", f"{CLEAR}x"), ("query", f"{CLEAR}=x")):
        assert run(url, *words).exit_code in (1, 2)


@pytest.mark.parametrize("words", [("download", "9" * 5000), ("headers", "9" * 5000), ("query", "FILTER=\udcff")])
def test_words_that_nothing_can_be_are_told(hostile: tuple[str, dict[str, Any]], words: tuple[str, ...]) -> None:
    url, answers = hostile
    answers["/frames/"] = (200, {"results": [], "count": 0, "next": None})
    assert run(url, *words).exit_code in (1, 2)

"""`fitsvault query`, `headers` and `login` against a running archive."""

import contextlib
import csv
import io
import json
import socket
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.cli.filters import FILTERS, PAGING, BadFilterError, parse_words
from shared.cli.remote import Remote
from shared.cli.tables import table_lines, whole_json
from shared.cli.terminal import harmless
from shared.simulator import simulate_frame
from tests.archive import ADMIN_PASSWORD, RunningArchive, wait_until
from tests.cli.conftest import Run

SITE = "cliquery"
COUNT = 7


@pytest.fixture(scope="module")
def night(archive: RunningArchive) -> list[str]:
    """A few frames of a site of their own."""
    keys = [f"cli-query/q{number}.fits" for number in range(COUNT)]
    for number, key in enumerate(keys):
        data = simulate_frame(SITEID=SITE, OBJECT=f"Field, {number}", shape=(32, 32)).data
        archive.s3.put_object(Bucket=archive.bucket, Key=key, Body=data)
    for key in keys:
        archive.wait_for_frame(key)
    return keys


def test_all_formats_tell_the_same_frames(archive: RunningArchive, run: Run, night: list[str]) -> None:
    expected = archive.frames(SITE=SITE)
    assert len(expected) == COUNT
    whole = run("query", f"SITE={SITE}", "--format", "json")
    assert json.loads(whole.out) == expected, whole
    lines = run("query", "--SITE", SITE, "--format", "jsonl")
    assert [json.loads(line) for line in lines.out.splitlines()] == expected
    rows = list(csv.DictReader(io.StringIO(run("query", f"--site={SITE}", "--format", "csv").out)))
    assert list(rows[0]) == list(expected[0])
    assert [row["OBJECT"] for row in rows] == [frame["OBJECT"] for frame in expected]
    assert json.loads(rows[0]["hdus"]) == expected[0]["hdus"]
    table = run("query", f"SITE={SITE}").out.splitlines()
    assert [line.split()[0] for line in table[1:]] == [str(frame["id"]) for frame in expected]


def test_filters_sorting_columns_and_limit(run: Run, night: list[str]) -> None:
    done = run("query", f"SITE={SITE}", "--object", "field, 3", "--format", "csv", "--columns", "OBJECT,key")
    assert done.out == 'OBJECT,key\n"Field, 3",cli-query/q3.fits\n', done
    done = run("query", f"SITE={SITE}", "sort=OBJECT", "order=desc", "--limit", "2", "--format", "jsonl")
    assert [json.loads(line)["OBJECT"] for line in done.out.splitlines()] == ["Field, 6", "Field, 5"]
    for form in ("csv", "table"):
        done = run("query", f"SITE={SITE}", "--format", form, "--columns", "id,nope")
        assert (done.code, done.out, "no column is called nope" in done.err) == (2, "", True), done
    assert run("query", "SITE=nowhere").err == "no frames\n"
    assert run("query", "SITE=nowhere", "--format", "csv").out == ""
    assert run("query", "SITE=nowhere", "--format", "json").out == "[\n]\n"
    negative = run("query", "--RA", "10", "--DEC", "-89:59:59", "--radius", "0.1")
    assert negative.code == 0, negative


def test_frames_without_a_date_are_not_passed_over_in_silence(archive: RunningArchive, run: Run) -> None:
    data = simulate_frame(SITEID="undated", cards={"DATE-OBS": "UNKNOWN", "MJD-OBS": "UNKNOWN"}).data
    archive.s3.put_object(Bucket=archive.bucket, Key="cli-query/undated.fits", Body=data)
    wait_until("the frame is there", lambda: archive.frames(SITE="undated"))
    assert run("query", "SITE=undated").err == "no frames with a date; undated=true shows 1 without\n"
    assert run("query", "SITE=undated", "undated=true").err == ""
    assert run("query", "SITE=undated", "night=2026-11-21").err == "no frames\n"


def test_pages_are_walked_to_the_end(
    archive: RunningArchive, night: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.cli.remote._PAGE", 3)
    with Remote(archive.url, archive.token) as remote:
        walked = [frame["id"] for frame in remote.frames({"SITE": SITE, "sort": "id"})]
        assert walked == sorted(frame["id"] for frame in archive.frames(SITE=SITE))
        assert [f["id"] for f in remote.frames({"SITE": SITE, "sort": "id"}, 5)] == walked[:5]
        assert [f["id"] for f in remote.frames({"SITE": SITE, "sort": "id", "offset": "2"})] == walked[2:]
        assert remote.count({"SITE": SITE}) == COUNT


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("OBJCT=M51",), "did you mean OBJECT?"),
        (("--OBJECT",), "--OBJECT needs a value"),
        (("M51",), "neither an id nor a filter"),
        (("RA=10",), "both RA and DEC"),
        (("radius=10",), "both RA and DEC"),
        (("12",), "fitsvault headers ID"),
        (("limit=2",), "--limit"),
    ],
)
def test_a_wrong_word_asks_for_nothing(run: Run, words: tuple[str, ...], reason: str) -> None:
    done = run("query", *words)
    assert (done.code, reason in done.err, done.out) == (2, True, ""), done


def test_a_wrong_value_is_the_archives_to_tell(run: Run) -> None:
    done = run("query", "night=yesterday")
    assert (done.code, "Invalid value for night." in done.err) == (1, True), done


def test_the_filters_are_those_of_the_archive(archive: RunningArchive) -> None:
    document = archive.http.get("/openapi.json").json()
    told = {parameter["name"] for parameter in document["paths"]["/frames/"]["get"]["parameters"]}
    assert told - {"limit", "cursor"} == {*FILTERS, *PAGING}


def test_headers_by_id_and_by_name(archive: RunningArchive, run: Run, night: list[str]) -> None:
    frame = archive.frame_of(night[0])
    assert frame is not None
    by_id, by_name = run("headers", str(frame["id"])), run("headers", "q0.fits")
    assert by_id.out == by_name.out
    assert 'OBJECT   = "Field, 0' in by_id.out
    full = run("headers", "q0", "--full")
    assert full.out.startswith("HDU 0\n")
    assert (
        json.loads(run("headers", "q0", "--format", "json").out)
        == archive.get(f"/frames/{frame['id']}/headers/")["results"]
    )
    assert len(run("headers", "q0", "--format", "csv").out.splitlines()) > 10
    assert run("headers", "no such frame").code == 1
    assert "Not found." in run("headers", "999999999").err
    archive.s3.put_object(Bucket=archive.bucket, Key="cli-query/twin/q0.fits", Body=simulate_frame().data)
    archive.wait_for_frame("cli-query/twin/q0.fits")
    assert "2 frames are called q0" in run("headers", "q0").err


def test_login_keeps_a_token_that_logout_forgets(
    archive: RunningArchive, run: Run, night: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FITSVAULT_TOKEN")
    refused = run("query", f"SITE={SITE}")
    assert (refused.code, "wants a token" in refused.err) == (4, True), refused
    wrong = run("login", "admin", "--password-stdin", typed="wrong password\n")
    assert (wrong.code, "wrong password" in wrong.err) == (4, False), wrong
    assert run("login", "admin", "--password-stdin", typed=f"{ADMIN_PASSWORD}\n").code == 0
    file = tmp_path / "config" / "fitsvault" / "tokens.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(json.loads(file.read_text())) == [archive.url]
    assert run("query", f"SITE={SITE}").code == 0
    assert run("query", f"SITE={SITE}", "--url", archive.url + "/").code == 0
    assert run("query", f"SITE={SITE}", "--token", "0" * 40).code == 4
    assert run("query", f"SITE={SITE}", "--token", "two words").code == 1
    assert run("logout").code == 0
    assert run("logout").code == 1
    assert run("query", f"SITE={SITE}").code == 4


def test_nobody_answers(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.cli.remote._LONGEST_WAIT", 0.01)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        done = run("query", "--url", f"http://127.0.0.1:{unused.getsockname()[1]}")
    assert (done.code, "no archive answers at" in done.err) == (3, True), done
    assert run("query", "--url", "archive.example.org").code == 2
    assert run("query", "--url", "ftp://x").code == 1


class Scripted:
    """Answers of an archive in trouble, one after the other, by a real server."""

    def __init__(self, answers: list[bytes]) -> None:
        self._answers = answers
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.asked = 0

    def serve(self) -> None:
        with self._socket:
            for answer in self._answers:
                connection, _ = self._socket.accept()
                with connection:
                    connection.recv(65536)
                    self.asked += 1
                    connection.sendall(answer)


def answer(status: str, body: str = '{"detail": "told"}', headers: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n{headers}\r\n{body}".encode()


FRAMES = answer("200 OK", '{"count": 0, "results": []}')


@pytest.mark.parametrize(
    ("answers", "code", "told"),
    [
        ([answer("503 Busy", headers="Retry-After: 0\r\n"), b"", FRAMES], 0, ""),
        ([answer("503 Busy")] * 4, 3, "answers 503: told"),
        ([answer("429 Slow", headers="Retry-After: 7\r\n")], 3, "try again in 7 s"),
        ([answer("403 No")], 4, "refuses the token: told"),
        ([answer("404 Not Found")], 1, "/frames/: told"),
        ([answer("500 Oops", "<html>")], 1, "failed (500)"),
        ([answer("200 OK", "<html>")], 1, "is no archive"),
        ([answer("302 Found", "", "Location: https://elsewhere/\r\n")], 1, "https://elsewhere/"),
    ],
)
def test_an_archive_in_trouble(
    run: Run, monkeypatch: pytest.MonkeyPatch, answers: list[bytes], code: int, told: str
) -> None:
    monkeypatch.setattr("shared.cli.remote._LONGEST_WAIT", 0.01)
    server = Scripted(answers)
    thread = threading.Thread(target=server.serve)
    thread.start()
    done = run("query", "--format", "jsonl", "--url", server.url)
    thread.join(10)
    assert (done.code, told in done.err, server.asked) == (code, True, len(answers)), done


@given(st.lists(st.tuples(st.sampled_from(sorted({*FILTERS} - {"RA", "DEC", "radius"})), st.text(), st.integers(0, 2))))
def test_every_spelling_of_a_filter_is_read(given_filters: list[tuple[str, str, int]]) -> None:
    words: list[str] = []
    for name, value, spelling in given_filters:
        words += [[f"{name}={value}"], [f"--{name.lower()}={value}"], [f"--{name}", value]][spelling]
    assert parse_words(words).filters == {name: value for name, value, _ in given_filters}


@given(st.lists(st.text()))
def test_any_words_are_filters_or_a_reason(words: list[str]) -> None:
    with contextlib.suppress(BadFilterError):
        assert set(parse_words(words).filters) <= {*FILTERS, *PAGING}


@given(st.lists(st.tuples(st.text(), st.text(), st.integers())))
def test_tables_hold_whatever_comes(rows: list[tuple[str, str, int]]) -> None:
    lines = list(table_lines(["a", "b", "c"], rows))
    assert len(lines) == len(rows) + 1
    assert all(harmless(line) == line for line in lines)


@given(st.lists(st.dictionaries(st.text(), st.text() | st.none())))
def test_a_list_of_json_is_json(rows: list[dict[str, str | None]]) -> None:
    assert json.loads("\n".join(whole_json(rows))) == rows

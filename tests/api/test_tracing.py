"""One id leads from a request, or from a pipeline's PUT, to the row."""

import json
import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from shared.simulator import simulate_frame
from tests.archive import RunningArchive, wait_until


@pytest.mark.parametrize("path", ["/frames/", "/nothing", "/health/live/"])
def test_every_answer_tells_its_id(anonymous: TestClient, path: str) -> None:
    first, second = (anonymous.get(path).headers["x-request-id"] for _ in range(2))
    assert re.fullmatch("[0-9a-f]{32}", first)
    assert first != second


def test_an_id_that_is_given_is_kept_if_it_is_harmless(anonymous: TestClient) -> None:
    def told(**given: str) -> str:
        headers = {name.replace("_", "-"): text for name, text in given.items()}
        return str(anonymous.get("/docs", headers=headers).headers["x-request-id"])

    assert told(X_Request_ID="proxy-17") == "proxy-17"
    assert told(X_Amzn_Trace_Id="Self=1;Root=1-67891233-abcdef012345678912345678;Sampled=1") == (
        "1-67891233-abcdef012345678912345678"
    )
    assert told(X_Request_ID='x","level":"ERROR') not in ("", 'x","level":"ERROR')
    assert len(told(X_Request_ID="x" * 500)) == 32


def lines_with(archive: RunningArchive, trace: str) -> list[dict[str, Any]]:
    """Return the lines of all logs that `grep` finds for an id."""
    both = archive.log("api").splitlines() + archive.log("ingest").splitlines()
    return [json.loads(line) for line in both if trace in line]


def test_an_upload_is_found_from_the_request_to_the_row(archive: RunningArchive) -> None:
    trace = "trace-of-an-upload-4711"
    file = {"file": ("traced.fits", simulate_frame().data)}
    answer = archive.http.post("/frames/create/", files=file, headers={"X-Request-ID": trace})
    assert answer.json()["created"] == 1, answer.text
    assert answer.headers["x-request-id"] == trace
    wait_until("both have told", lambda: len(lines_with(archive, trace)) >= 2)
    found = lines_with(archive, trace)
    stored = next(line for line in found if line["event"] == "stored")
    indexed = next(line for line in found if line["event"] == "indexed")
    assert (stored["trace"], indexed["upload"]) == (trace, trace)
    frame = archive.frame_of(stored["key"])
    assert frame is not None
    assert indexed["frame"] == frame["id"]
    event = [line for line in lines_with(archive, indexed["trace"]) if line["event"] == "event"]
    assert [line["key"] for line in event] == [stored["key"]]

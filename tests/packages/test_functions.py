"""The packages, run by AWS's own runtime client: real events in, rows, previews and answers out."""

import datetime as dt
import io
import json
import subprocess
import sys
import uuid
import zipfile
from pathlib import Path

import httpx
import pytest

from functions.api.cookies import SESSION_COOKIE
from infra.packaging.model import LIMIT_BYTES, PACKAGES
from shared.accounts.account import account_of
from shared.accounts.service import find_user
from shared.accounts.sessions import open_session
from shared.database import make_engine, make_session_factory, write
from shared.schema import REVISIONS, check_schema
from shared.simulator import simulate_frame
from tests.migrations.stack import listening_stack, stack_event
from tests.packages.archive import FunctionArchive
from tests.packages.runtime import FunctionError
from tests.packages.unpacked import LAMBDA_PYTHON, Unpacked
from tests.postgres import new_database

SCHEDULED = {
    "version": "0",
    "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "000000000000",
    "time": "2026-11-25T00:00:00Z",
    "region": "us-east-1",
    "resources": ["arn:aws:events:us-east-1:000000000000:rule/fitsvault-reconcile"],
    "detail": {},
}


def frame_of(archive: FunctionArchive, name: str) -> dict[str, object]:
    (found,) = archive.request("GET", "/frames/", f"OBJECT={name}&undated=true")["json"]["results"]
    return dict(found)


def ingested(archive: FunctionArchive, *names: str) -> dict[str, bytes]:
    data = {name: simulate_frame(OBJECT=name, number=number).data for number, name in enumerate(names, 1)}
    for name in names:
        archive.put(f"site/{name} ü+.fits", data[name])
    waiting = set(names)
    while waiting:
        assert archive.deliver() == {"batchItemFailures": []}
        waiting -= {name for name in waiting if archive.request("GET", "/frames/", f"OBJECT={name}")["json"]["count"]}
    return data


def test_a_frame_goes_all_the_way(deployed: FunctionArchive) -> None:
    data = ingested(deployed, "whole")
    frame = frame_of(deployed, "whole")
    for path in ("headers", "preview"):
        answer = deployed.request("GET", f"/frames/{frame['id']}/{path}/")
        assert answer["statusCode"] == 200, answer
        assert len(answer["raw"]) > 500
    assert deployed.request("GET", f"/frames/{frame['id']}/preview/")["raw"].startswith((b"\x89PNG", b"\xff\xd8"))
    link = deployed.request("GET", f"/frames/{frame['id']}/download/")
    assert link["statusCode"] == 302
    assert "X-Amz-Security-Token=test" in link["headers"]["location"]
    assert httpx.get(link["headers"]["location"], trust_env=False).content == data["whole"]


def test_of_a_batch_what_failed_comes_again(deployed: FunctionArchive) -> None:
    deployed.put("site/batch.fits", simulate_frame(OBJECT="batch").data)
    assert deployed.deliver("{no event") == {"batchItemFailures": [{"itemIdentifier": "extra-0"}]}
    assert frame_of(deployed, "batch")["filename"] == "batch.fits"


def test_what_is_no_frame_is_recorded(deployed: FunctionArchive) -> None:
    deployed.put("site/broken.fits", b"SIMPLE  =                    T" * 100)
    assert deployed.deliver() == {"batchItemFailures": []}
    failures = deployed.request("GET", "/ingest/failures/")["json"]["results"]
    assert [failure["key"] for failure in failures] == ["site/broken.fits"]


def test_a_bundle_is_ordered_and_built(deployed: FunctionArchive) -> None:
    data = ingested(deployed, "first", "second")
    ids = [frame_of(deployed, name)["id"] for name in data]
    order = json.dumps({"frame_ids": ids}).encode()
    ordered = deployed.request("POST", "/bundles/", "", order, **{"Content-Type": "application/json"})
    assert ordered["statusCode"] == 202, ordered
    built = deployed.functions["bundle"]({"bundle": ordered["json"]["id"]})
    assert built == {"built": 1, "removed": 0}
    done = deployed.request("GET", f"/bundles/{ordered['json']['id']}/")["json"]
    with zipfile.ZipFile(io.BytesIO(httpx.get(done["url"], trust_env=False).content)) as archive:
        assert archive.testzip() is None
        contents = {archive.read(name) for name in archive.namelist()}
    assert set(data.values()) <= contents


def test_the_clock_finds_what_no_event_told(deployed: FunctionArchive) -> None:
    deployed.put("site/untold.fits", simulate_frame(OBJECT="untold").data)
    deployed.forget_events()
    answer = deployed.functions["reconcile"](SCHEDULED)
    assert answer["complete"] is True
    assert frame_of(deployed, "untold")["filename"] == "untold.fits"
    assert deployed.functions["bundle"](SCHEDULED)["built"] == 0


def test_the_archive_is_well(deployed: FunctionArchive) -> None:
    health = deployed.request("GET", "/health/")
    assert (health["statusCode"], health["json"]["store"], health["json"]["database"]) == (200, "ok", "ok")


def test_the_admin_panel_is_there(deployed: FunctionArchive) -> None:
    assert deployed.settings.database_url is not None
    engine = make_engine(deployed.settings.database_url.get_secret_value())
    with write(make_session_factory(engine)) as session:
        user = find_user(session, "ada")
        assert user is not None
        key = open_session(session, account_of(user), dt.timedelta(minutes=5))
    engine.dispose()
    for path in ("", "accounts/list", "frames/list"):
        shown = deployed.request("GET", f"/admin/{path}", Cookie=f"{SESSION_COOKIE}={key}")
        assert (shown["statusCode"], b"ada" in shown["raw"]) == (200, True)
    sheet = shown["raw"].partition(b'admin.css"')[0].rpartition(b'href="')[2].decode() + "admin.css"
    assert deployed.request("GET", sheet)["statusCode"] == 200
    assert deployed.request("GET", "/admin/")["headers"]["location"] == "/accounts/login/?next=/admin/"


def test_every_part_of_the_api_can_be_imported(deployed: FunctionArchive) -> None:
    document = deployed.request("GET", "/openapi.json")
    assert document["statusCode"] == 200, document
    assert {"/", "/frames/zip/", "/frames/create/", "/bundles/", "/uploads/"} <= set(document["json"]["paths"])
    for path, part in (("/", b"<main"), ("/accounts/login/", b"<form"), ("/static/any/style.css", b"{")):
        page = deployed.request("GET", path)
        assert (page["statusCode"], part in page["raw"]) == (200, True), page


def test_a_function_without_index_says_so(packages: Unpacked, tmp_path: Path) -> None:
    """Lambda would show it; the events wait in their queue meanwhile."""
    options = {
        "FITSVAULT_HOME": str(tmp_path),
        "FITSVAULT_DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:9/none",
        "FITSVAULT_S3_ENDPOINT_URL": "http://127.0.0.1:9",
    }
    with (
        packages.function("ingest", options, tmp_path / "log") as function,
        pytest.raises(FunctionError, match="OperationalError"),
    ):
        function({"Records": []})


def test_an_empty_database_gets_its_schema(packages: Unpacked, postgres: str, tmp_path: Path) -> None:
    url = new_database(postgres, f"migrated_{uuid.uuid4().hex[:8]}")
    options = {"FITSVAULT_HOME": "/tmp", "FITSVAULT_DATABASE_URL": url}
    with (
        listening_stack() as (address, told),
        packages.function("migrate", options, tmp_path / "log") as function,
    ):
        assert function(stack_event(address)) == {"schema": REVISIONS[-1]}
        assert [one["Status"] for one in told] == ["SUCCESS"]
        assert function({}) == {"schema": REVISIONS[-1]}
    engine = make_engine(url)
    check_schema(engine)
    engine.dispose()


@pytest.mark.parametrize("name", PACKAGES)
def test_logs_are_lines_of_json(deployed: FunctionArchive, name: str) -> None:
    lines = deployed.functions[name].output.splitlines()
    assert all(json.loads(line)["event"] for line in lines if line.startswith("{"))
    assert "Traceback" not in deployed.functions[name].output


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_is_not_too_large(packages: Unpacked, name: str) -> None:
    size = sum(path.stat().st_size for path in packages.tasks[name].rglob("*") if path.is_file())
    assert size <= PACKAGES[name].aim_bytes <= LIMIT_BYTES


def test_the_api_has_no_image_library(packages: Unpacked) -> None:
    assert not {"astropy", "numpy", "PIL", "uvicorn", "httpx", "minio"} & {
        path.name for path in packages.tasks["api"].iterdir()
    }


def test_all_is_compiled_for_the_python_that_runs_it(packages: Unpacked) -> None:
    tag = f"cpython-{LAMBDA_PYTHON.replace('.', '')}"
    for task in packages.tasks.values():
        sources = list((task / "shared").rglob("*.py"))
        assert sources
        for source in sources:
            compiled = source.parent / "__pycache__" / f"{source.stem}.{tag}.pyc"
            assert compiled.read_bytes()[4:8] == b"\x01\0\0\0", "a hash that is not checked"


def test_the_same_is_built_again(packages: Unpacked, tmp_path: Path) -> None:
    built = Path("build") / "packages" / "api.zip"
    command = [sys.executable, "-m", "infra.packaging", "api", "--python", LAMBDA_PYTHON, "--output", str(tmp_path)]
    subprocess.run(command, check=True, timeout=300)
    assert (tmp_path / "api.zip").read_bytes() == built.read_bytes()

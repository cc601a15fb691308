"""Each function is allowed what it does, and little else."""

import json

import httpx
import pytest

from infra.packaging.model import PACKAGES
from shared.simulator import simulate_frame
from tests.infra.policies import allowed, statements_of
from tests.packages.archive import FunctionArchive
from tests.packages.recorder import Action

Actions = dict[str, set[Action]]

SELDOM: dict[str, set[str]] = {
    "migrate": set(),
    "api": {"s3:GetObjectVersion", "lambda:InvokeFunction"},
    "ingest": {"s3:GetObjectVersion", "s3:ListBucket"},
    "reconcile": {"s3:GetObjectVersion"},
    "bundle": {
        *("s3:GetObjectVersion", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "lambda:InvokeFunction"),
        *("s3:ListBucketMultipartUploads", "s3:ListBucket"),
    },
}
"""What is not brought about here: versions, which the bucket does not keep, and bundles that are broken off.

Who may not list a bucket is told by Amazon's S3 that what is not there is forbidden (403), not missing (404).
"""


def statements(archive: FunctionArchive, name: str, *conditions: str) -> list[dict[str, object]]:
    values = {
        "FramesBucketName": archive.settings.bucket,
        "DerivedBucketName": archive.settings.derived_bucket,
        "DatabaseSecretArn": "arn:aws:secretsmanager:us-east-1:000000000000:secret:it",
        "Storage.Outputs.QueueArn": "arn:aws:sqs:us-east-1:000000000000:it-events",
        f"{name.capitalize()}Log.Arn": f"arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/it-{name}:*",
    }
    return statements_of(name, values, frozenset(conditions))


def refused(archive: FunctionArchive, name: str, actions: set[Action], *conditions: str) -> set[Action]:
    rules = statements(archive, name, *conditions)
    return {action for action in actions if not allowed(rules, *action)}


def wait_for(archive: FunctionArchive, name: str, count: int) -> None:
    while archive.request("GET", "/frames/", f"OBJECT={name}")["json"]["count"] != count:
        archive.deliver()


@pytest.fixture(scope="module")
def busy(deployed: FunctionArchive) -> Actions:
    """What functions ask of the store as frames come, change, go, are looked at, bundled and reconciled."""
    archive = deployed
    for number in (1, 2):
        archive.put("rights/a.fits", simulate_frame(OBJECT="rights", number=number).data)
        wait_for(archive, "rights", 1)
    archive.put("rights/b.fits", simulate_frame(OBJECT="gone").data)
    wait_for(archive, "gone", 1)
    archive.store.delete(archive.settings.bucket, ("rights/b.fits",))
    wait_for(archive, "gone", 0)
    (frame,) = archive.request("GET", "/frames/", "OBJECT=rights")["json"]["results"]
    for path in ("", "headers/", "preview/"):
        archive.request("GET", f"/frames/{frame['id']}/{path}")
    link = archive.request("GET", f"/frames/{frame['id']}/download/")["headers"]["location"]
    assert httpx.get(link, trust_env=False).is_success  # by the rights of who has signed it
    archive.request("GET", "/health/")
    archive.request("POST", "/frames/zip/", "", f"frame_ids[]={frame['id']}".encode())
    order = json.dumps({"frame_ids": [frame["id"]]}).encode()
    ordered = archive.request("POST", "/bundles/", "", order, **{"Content-Type": "application/json"})["json"]
    archive.functions["bundle"]({"bundle": ordered["id"]})
    archive.request("GET", f"/bundles/{ordered['id']}/")
    archive.request("DELETE", f"/bundles/{ordered['id']}/")
    archive.functions["bundle"]({})
    archive.put("rights/c.fits", simulate_frame(OBJECT="late").data)
    wait_for(archive, "late", 1)
    archive.store.delete(archive.settings.bucket, ("rights/c.fits",))
    archive.put("rights/d.fits", simulate_frame(OBJECT="untold too").data)
    archive.forget_events()
    archive.functions["reconcile"]({})
    return {name: set(recorder.actions) for name, recorder in archive.recorders.items()}


@pytest.mark.parametrize("name", PACKAGES)
def test_a_function_may_do_what_it_does(deployed: FunctionArchive, busy: Actions, name: str) -> None:
    assert bool(busy[name]) is (name != "migrate"), "who brings the schema has no business with the store"
    assert refused(deployed, name, busy[name]) == set()


@pytest.mark.parametrize("name", PACKAGES)
def test_a_function_may_do_little_else(deployed: FunctionArchive, busy: Actions, name: str) -> None:
    """Every action on the store that a statement allows was asked for on what it names, or seldom is."""
    unused = [
        (statement["Sid"], action)
        for statement in statements(deployed, name)
        for action in statement["Action"]  # type: ignore[attr-defined]
        if action.startswith("s3:") and action not in SELDOM[name]
        if not any(allowed([{**statement, "Action": [action]}], *done) for done in busy[name])
    ]
    assert unused == []


@pytest.mark.parametrize("name", PACKAGES)
@pytest.mark.parametrize("action", ["s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutBucketPolicy"])
def test_science_objects_are_read_only(deployed: FunctionArchive, name: str, action: str) -> None:
    bucket = f"arn:aws:s3:::{deployed.settings.bucket}"
    for resource in (bucket, f"{bucket}/rights/a.fits"):
        assert refused(deployed, name, {Action(action, resource)})


def test_uploads_and_deletion_need_the_parameter(deployed: FunctionArchive, busy: Actions) -> None:
    recorder = deployed.recorders["api"]
    recorder.actions.clear()
    (frame,) = deployed.request("GET", "/frames/", "OBJECT=rights")["json"]["results"]
    boundary = b'--x\r\nContent-Disposition: form-data; name="file"; filename="up.fits"\r\n\r\n'
    body = boundary + simulate_frame(OBJECT="formed").data + b"\r\n--x--\r\n"
    deployed.request("POST", "/frames/create/", "", body, **{"Content-Type": "multipart/form-data; boundary=x"})
    assert deployed.request("DELETE", f"/frames/{frame['id']}/delete/")["statusCode"] == 200
    assert {action.name for action in refused(deployed, "api", recorder.actions)} >= {
        "s3:PutObject",
        "s3:DeleteObject",
    }
    assert refused(deployed, "api", recorder.actions, "MayWrite") == set()

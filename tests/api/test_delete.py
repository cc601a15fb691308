"""Frames deleted through the API of a running archive."""

import httpx
import pytest

from shared.accounts.service import create_user
from shared.accounts.tokens import issue_token
from shared.database import make_engine, make_session_factory, write
from shared.simulator import simulate_frame
from shared.store.naming import object_digest
from tests.api.uploading import objects, upload
from tests.archive import RunningArchive

pytestmark = pytest.mark.archive


def created(archive: RunningArchive, name: str) -> dict[str, object]:
    upload(archive, (f"{name}.fits.fz", simulate_frame(name=f"{name}.fits.fz").data))
    return archive.frames(basename=name)[0]


def derived(archive: RunningArchive, key: object) -> list[str]:
    digest = object_digest(archive.bucket, str(key))
    return [o.key for o in archive.store.walk(archive.derived, prefix=f"frames/{digest[:2]}/{digest[2:4]}/{digest}/")]


def test_frame_object_and_derived_objects_are_gone_with_the_answer(archive: RunningArchive) -> None:
    frame = created(archive, "delete-one")
    assert len(derived(archive, frame["key"])) >= 3
    answer = archive.http.delete(f"/frames/{frame['id']}/delete/")
    assert (answer.status_code, answer.content) == (200, b"")
    assert archive.frames(basename="delete-one") == []
    assert frame["key"] not in objects(archive)
    assert derived(archive, frame["key"]) == []
    for path in ("", "headers/", "download/"):
        assert archive.http.get(f"/frames/{frame['id']}/{path}").status_code == 404
    assert archive.http.delete(f"/frames/{frame['id']}/delete/").status_code == 404


def test_what_is_deleted_can_be_uploaded_again_as_a_new_frame(archive: RunningArchive) -> None:
    first = created(archive, "delete-again")
    archive.http.delete(f"/frames/{first['id']}/delete/")
    assert created(archive, "delete-again")["id"] != first["id"]


@pytest.mark.parametrize("frame_id", ["0", "999999999", "99999999999999999999999"])
def test_an_unknown_frame_is_not_found(archive: RunningArchive, frame_id: str) -> None:
    answer = archive.http.delete(f"/frames/{frame_id}/delete/")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not found."})


def test_delete_alone_is_allowed(archive: RunningArchive) -> None:
    frame = created(archive, "delete-method")
    for method in ("GET", "POST", "PUT"):
        answer = archive.http.request(method, f"/frames/{frame['id']}/delete/")
        assert (answer.status_code, answer.headers["allow"]) == (405, "DELETE")
    assert archive.http.delete(f"/frames/{frame['id']}/delete").status_code == 301
    assert archive.frames(basename="delete-method")


def test_only_staff_may_and_learns_nothing_else(archive: RunningArchive) -> None:
    frame = created(archive, "delete-forbidden")
    engine = make_engine(archive.settings.effective_database_url)
    with write(make_session_factory(engine)) as session:
        token = issue_token(session, create_user(session, "deleter", "secret words"), "test")
    engine.dispose()
    with httpx.Client(base_url=archive.url, trust_env=False) as client:
        for frame_id in (frame["id"], 999999999):
            path = f"/frames/{frame_id}/delete/"
            assert client.delete(path).status_code == 401
            assert client.delete(path, headers={"Authorization": f"Token {token}"}).status_code == 403
            assert client.get(path, headers={"Authorization": f"Token {token}"}).status_code == 403
    assert archive.frames(basename="delete-forbidden")

"""Multipart bodies of any kind, read by an application without a store."""

from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.conftest import make_client

PATH = "/frames/create/"
PIECES = st.sampled_from(
    [
        b"--x\r\n",
        b"--x--\r\n",
        b"--x--",
        b"\r\n",
        b'Content-Disposition: form-data; name="f"; filename="../a.fits"\r\n',
        b'Content-Disposition: form-data; name="f"\r\n',
        b"Content-Disposition: form-data\r\n",
        b"Content-Type: application/fits\r\n",
        b"SIMPLE  =                    T",
        b"\x1f\x8b\x08",
    ]
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.lists(PIECES | st.binary(max_size=20), max_size=12).map(b"".join))
def test_any_body_is_answered(app: FastAPI, staff_key: str, body: bytes) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = make_client(app, staff_key).post(PATH, content=body, headers=headers)
    assert answer.status_code in (200, 400)
    if answer.status_code == 200:
        assert answer.json()["created"] == 0

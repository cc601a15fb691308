"""Links and forms as boto3 signs them, byte for byte."""

import base64
import datetime as dt
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.auth import S3SigV4PostAuth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from shared.store.signature import Keys, sign_form, sign_link

NOW = dt.datetime(2026, 11, 25, 3, 4, 5, tzinfo=dt.UTC)
TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)
TOKENS = st.sampled_from([None, "to/k+en=="])


@pytest.fixture(scope="module", autouse=True)
def botocore_time() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.auth.get_current_datetime", lambda *_, **__: NOW.replace(tzinfo=None))
        yield


@given(
    key=TEXT.filter(lambda key: not {".", ".."} & set(key.split("/"))),
    query=st.dictionaries(st.sampled_from(["versionId", "response-content-disposition", "uploadId"]), TEXT),
    token=TOKENS,
    method=st.sampled_from(["GET", "PUT"]),
)
def test_a_link_has_the_signature_that_boto3_gives_it(
    key: str, query: dict[str, str], token: str | None, method: str
) -> None:
    link = sign_link(
        method,
        "https://store.example:9000",
        f"/frames/{key}",
        query,
        keys=Keys("AKID", "se/cret", token),
        region="eu-west-1",
        now=NOW,
        life=900,
    )
    url = urlsplit(link)
    request = AWSRequest(method=method, url=f"https://store.example:9000{url.path}", params=query)
    S3SigV4QueryAuth(Credentials("AKID", "se/cret", token), "s3", "eu-west-1", expires=900).add_auth(request)
    theirs = urlsplit(request.prepare().url)
    assert parse_qs(url.query, keep_blank_values=True) == parse_qs(theirs.query, keep_blank_values=True)


@given(key=TEXT, token=TOKENS)
def test_a_form_has_the_signature_that_boto3_gives_it(key: str, token: str | None) -> None:
    conditions = [["eq", "$bucket", "frames"], ["eq", "$key", key], ["content-length-range", 1, 5]]
    expires = NOW + dt.timedelta(hours=1)
    fields = sign_form(conditions, expires=expires, keys=Keys("AKID", "se/cret", token), region="eu-west-1", now=NOW)
    policy = json.loads(base64.b64decode(fields["policy"]))
    assert policy["expiration"] == "2026-11-25T04:04:05.000Z"
    assert policy["conditions"][:3] == conditions
    signed = [name for name in fields if name not in ("policy", "x-amz-signature")]
    assert policy["conditions"][3:] == [["eq", f"${name}", fields[name]] for name in signed]
    theirs = S3SigV4PostAuth(Credentials("AKID", "se/cret", token), "s3", "eu-west-1")
    request = AWSRequest(method="POST", url="https://store.example/", data={})
    request.context["timestamp"] = fields["x-amz-date"]
    assert fields["x-amz-signature"] == theirs.signature(fields["policy"], request)
    assert fields["x-amz-credential"] == theirs.scope(request)


def test_keys_are_not_shown() -> None:
    assert "se/cret" not in repr(Keys("AKID", "se/cret", "token"))

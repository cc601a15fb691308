"""Links and forms are those that a whole client of boto3 makes."""

import base64
import datetime as dt
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.config import Config
from hypothesis import given
from hypothesis import strategies as st

from shared.store.signature import Keys, sign_form, sign_link

NOW = dt.datetime(2026, 11, 25, 3, 4, 5, tzinfo=dt.UTC)
ADDRESS = "https://store.example:9000"
TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)
TOKENS = st.sampled_from([None, "to/k+en=="])


@pytest.fixture(scope="module", autouse=True)
def botocore_time() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.auth.get_current_datetime", lambda *_, **__: NOW.replace(tzinfo=None))
        yield


@pytest.fixture(scope="module")
def clients() -> dict[str | None, Any]:
    """A client for each token."""
    return {
        token: boto3.client(
            "s3",
            endpoint_url=ADDRESS,
            region_name="eu-west-1",
            aws_access_key_id="AKID",
            aws_secret_access_key="se/cret",
            aws_session_token=token,
            config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
        )
        for token in (None, "to/k+en==")
    }


@given(key=TEXT.filter(lambda key: not {".", ".."} & set(key.split("/"))), version=TEXT, token=TOKENS)
def test_a_link_is_that_of_a_client(clients: dict[str | None, Any], key: str, version: str, token: str | None) -> None:
    theirs = clients[token].generate_presigned_url(
        "get_object", {"Bucket": "frames", "Key": key, "VersionId": version}, ExpiresIn=900
    )
    keys = Keys("AKID", "se/cret", token)
    link = sign_link("GET", ADDRESS, f"/frames/{key}", {"versionId": version}, keys=keys, region="eu-west-1", life=900)
    assert urlsplit(link).path == urlsplit(theirs).path
    assert parse_qs(urlsplit(link).query, strict_parsing=True) == parse_qs(urlsplit(theirs).query, strict_parsing=True)


@given(key=TEXT, token=TOKENS)
def test_a_form_is_that_of_a_client(clients: dict[str | None, Any], key: str, token: str | None) -> None:
    conditions = [{"bucket": "frames"}, ["eq", "$key", key], ["content-length-range", 1, 5]]
    expires = NOW + dt.timedelta(hours=1)
    fields = sign_form(conditions, expires=expires, keys=Keys("AKID", "se/cret", token), region="eu-west-1")
    policy = json.loads(base64.b64decode(fields["policy"]))
    assert policy["expiration"] == "2026-11-25T04:04:05.000Z"
    assert policy["conditions"][:3] == conditions
    theirs = clients[token].generate_presigned_post("frames", key, Conditions=conditions[2:], ExpiresIn=3600)["fields"]
    assert fields.keys() == theirs.keys() - {"key"}
    assert all(fields[name] == theirs[name] for name in fields if name not in ("policy", "x-amz-signature"))


def test_keys_are_not_shown() -> None:
    assert "se/cret" not in repr(Keys("AKID", "se/cret", "token"))

"""Settings from a secret."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from shared import settings as module
from shared.secrets import settings_of_secret
from shared.settings import Settings

RDS = {
    "engine": "postgres",
    "host": "db.example",
    "port": 5432,
    "username": "ada",
    "password": "p@ss/word%",
    "dbname": "fits",
    "dbClusterIdentifier": "it",
}


def test_a_database_as_rds_writes_it() -> None:
    found = settings_of_secret(json.dumps(RDS | {"notify_secret": "sixteen letters!"}))
    assert found == {
        "database_url": "postgresql+psycopg://ada:p%40ss%2Fword%25@db.example:5432/fits?sslmode=require",
        "notify_secret": "sixteen letters!",
    }


def test_a_url_outweighs_its_parts() -> None:
    assert settings_of_secret(json.dumps(RDS | {"FITSVAULT_DATABASE_URL": "x://y"})) == {"database_url": "x://y"}


@pytest.mark.parametrize("text", ["", "[]", "secret", '"x"'])
def test_what_is_no_object_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ValueError, match=r"^the secret is not a JSON object$"):
        settings_of_secret(text)


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[pytest.MonkeyPatch]:
    monkeypatch.chdir(tmp_path)
    text = json.dumps({"database_url": "sqlite:///of-the-secret", "bucket": "secret", "else": 1})
    monkeypatch.setattr(module, "read_secret", lambda arn: settings_of_secret(text) if arn == "arn:x" else {})
    monkeypatch.setenv("FITSVAULT_SECRET_ARN", "arn:x")
    module.settings.cache_clear()
    yield monkeypatch
    module.settings.cache_clear()


def test_the_environment_outweighs_the_secret(secret: pytest.MonkeyPatch) -> None:
    secret.setenv("FITSVAULT_BUCKET", "environment")
    given: Settings = module.settings()
    assert (given.bucket, given.effective_database_url) == ("environment", "sqlite:///of-the-secret")
    assert "of-the-secret" not in repr(given)

"""Settings from the environment: what they take, and what is said of wrong ones."""

from typing import Any

import pytest
from pydantic import ValidationError

from shared.settings import Settings, problems, unknown_variables


def test_tables_are_json_and_the_log_level_is_of_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FITSVAULT_KEYWORD_SYNONYMS", '{"site": ["OBSVTORY"]}')
    monkeypatch.setenv("FITSVAULT_SITE_LONGITUDES", '{"tfn": -16.5}')
    monkeypatch.setenv("FITSVAULT_LOG_LEVEL", "debug")
    settings = Settings(_env_file=None)
    assert settings.keyword_synonyms == {"site": ["OBSVTORY"]}
    assert settings.site_longitudes == {"tfn": -16.5}
    assert settings.log_level == "DEBUG"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("KEYWORD_SYNONYMS", "{site: X}", "not JSON: Expecting property name"),
        ("KEYWORD_SYNONYMS", '{"site": "X"}', "valid list at site"),
        ("SITE_LONGITUDES", '{"tfn": "west"}', "valid number"),
        ("TRUSTED_PROXIES", "10.0.0.0/8,", "not JSON: Extra data"),
        ("TRUSTED_PROXIES", '["nowhere"]', "'nowhere' does not appear to be an IPv4 or IPv6 network"),
        ("LOG_LEVEL", "chatty", "'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
        ("PORT", "http", "valid integer"),
        ("NOTIFY_URL", "ftp://example.org/", "not an http:// or https:// URL"),
        ("NOTIFY_URL", "https://", "not an http:// or https:// URL"),
        ("NOTIFY_URL", "https://example.org/a b", "not an http:// or https:// URL"),
        ("NOTIFY_URL", "https://example.org:x/", "not an http:// or https:// URL"),
        ("NOTIFY_URL", "https://[::1", "not an http:// or https:// URL"),
        ("NOTIFY_URL", "https://example.org/#a", "not an http:// or https:// URL"),
        ("NOTIFY_SECRET", "too short", "needs 16 characters or more"),
        ("METRICS_TOKEN", "too short", "needs 16 characters or more"),
        ("EVENT_SECRET", "too short", "needs 16 characters or more"),
        ("NOTIFY_QUEUE_URL", "frames", "not an http:// or https:// URL"),
        ("QUEUE_URL", "frames", "not an http:// or https:// URL"),
        ("RECONCILE_SECONDS", "inf", "less than or equal to"),
        ("SCAN_SECONDS", "1e12", "less than or equal to"),
        ("ORPHAN_SECONDS", "1e300", "less than or equal to"),
        ("NOTIFY_TOPIC_ARN", "arn:aws:sqs:eu-west-1:123456789012:frames", "not the ARN of an SNS topic"),
    ],
)
def test_a_wrong_value_is_told_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(f"FITSVAULT_{name}", value)
    with pytest.raises(ValidationError) as caught:
        Settings(_env_file=None)
    [problem] = problems(caught.value)
    assert problem.startswith(f"FITSVAULT_{name}: ")
    assert said in problem


def test_a_webhook_needs_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FITSVAULT_NOTIFY_URL", "https://example.org/hook?token=hidden")
    with pytest.raises(ValidationError) as caught:
        Settings(_env_file=None)
    assert problems(caught.value) == ["FITSVAULT_NOTIFY_SECRET: needed with FITSVAULT_NOTIFY_URL"]
    monkeypatch.setenv("FITSVAULT_NOTIFY_SECRET", "a secret of the two of us")
    settings = Settings(_env_file=None)
    assert settings.notify_targets == ("webhook",)
    assert "hidden" not in repr(settings)


def test_a_variable_that_is_no_setting_is_named() -> None:
    names = ["PATH", "FITSVAULT_PORT", "FITSVAULT_URL", "FITSVAULT_TOKEN", "FITSVAULT_TRIGER", "FITSVAULT_0"]
    assert unknown_variables(names) == [
        "there is no setting FITSVAULT_0",
        "there is no setting FITSVAULT_TRIGER; did you mean FITSVAULT_TRIGGER?",
    ]


def test_who_is_to_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings(_env_file=None).notify_targets == ()
    monkeypatch.setenv("FITSVAULT_NOTIFY_QUEUE_URL", "https://sqs.eu-west-1.amazonaws.com/123456789012/frames")
    monkeypatch.setenv("FITSVAULT_NOTIFY_TOPIC_ARN", "arn:aws:sns:eu-west-1:123456789012:frames.fifo")
    assert Settings(_env_file=None).notify_targets == ("queue", "topic")


@pytest.mark.parametrize("secret", ["a secret with blanks in it", "sésame-0123456789", "line\nbreak-0123456789"])
def test_an_event_secret_is_one_that_a_header_carries(monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    monkeypatch.setenv("FITSVAULT_EVENT_SECRET", secret)
    with pytest.raises(ValidationError) as caught:
        Settings(_env_file=None)
    assert problems(caught.value) == ["FITSVAULT_EVENT_SECRET: only visible ASCII characters, without blanks"]
    assert secret not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "origins"),
    [
        ({}, ("http://127.0.0.1:8000", "http://localhost:8000")),
        ({"host": "0.0.0.0", "port": 80}, ("http://127.0.0.1", "http://localhost")),
        ({"host": "dome.local"}, ("http://127.0.0.1:8000", "http://localhost:8000", "http://dome.local:8000")),
        ({"host": "fe80::1"}, ("http://127.0.0.1:8000", "http://localhost:8000", "http://[fe80::1]:8000")),
        ({"allowed_origins": '["https://archive.example.org"]'}, ("https://archive.example.org",)),
    ],
)
def test_pages_of_ones_own_address_may_write(given: dict[str, Any], origins: tuple[str, ...]) -> None:
    assert Settings(_env_file=None, **given).page_origins == origins


@pytest.mark.parametrize("origin", ["archive.example.org", "https://a.example/", "https://a,https://b", "https://*.a"])
def test_what_is_no_origin_is_refused(origin: str) -> None:
    with pytest.raises(ValidationError, match="not an origin"):
        Settings(_env_file=None, allowed_origins=[origin])


@pytest.mark.parametrize(
    "url",
    ["https://a.example/", "https://{name}.example/", "https://a.example/{name}/{name}", "ftp://a/{name}", "{name}"],
)
def test_a_resolver_needs_a_place_for_the_name(url: str) -> None:
    with pytest.raises(ValidationError, match="name_resolver_url"):
        Settings(_env_file=None, name_resolver_url=url)

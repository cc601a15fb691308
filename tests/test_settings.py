"""Settings from the environment: what they take, and what is said of wrong ones."""

import pytest
from pydantic import ValidationError

from shared.settings import Settings, problems


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

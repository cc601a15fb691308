"""What the README says of the settings is what their own descriptions say."""

from pathlib import Path

from shared.settings import settings_table

README = Path(__file__).resolve().parents[1] / "README.md"


def test_settings_are_documented_from_their_descriptions() -> None:
    text = README.read_text()
    written = text.split("<!-- settings -->\n")[1].split("<!-- /settings -->")[0]
    assert written == settings_table(), "run `fitsvault settings` and put its output into the README"

"""Whether everybody can use a page: by axe's rules, in each colour scheme, and on a telephone's screen."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

__all__ = ["check_for_everybody"]

_RULES: dict[str, Any] = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
}
_COLOURS: dict[str, Any] = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
_PHONE = 390


def check_for_everybody(page: Page) -> None:
    """Assert that axe finds nothing wrong in any colours, and that nothing hangs out of a small screen."""
    for theme, rules in (("light", _RULES), ("dark", _COLOURS), ("red", _COLOURS)):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        found = Axe().run(page, options=rules).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"], one["nodes"][0]["failureSummary"]) for one in found] == [], theme
    page.set_viewport_size({"width": _PHONE, "height": 780})
    assert page.evaluate("document.documentElement.scrollWidth") <= _PHONE

"""Whether everybody can use a page: by axe's rules, in each colour scheme, and on a telephone's screen."""

from collections.abc import Mapping
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

__all__ = ["PHONE", "check_for_everybody", "check_shape"]

PHONE = 390
"""Pixels that a telephone's screen is wide."""

_AXE = Axe().axe_script
_FIND = """async (options) => {
    const { violations } = await axe.run(document, options);
    return violations.map((one) => [one.id, one.nodes[0].html, one.nodes[0].failureSummary]);
}"""
_QUICKLY: dict[str, Any] = {"resultTypes": ["violations"], "selectors": False, "elementRef": False}
"""What passes is not described, which takes most of the time on pages of many elements."""

_RULES: dict[str, Any] = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
}
_COLOURS: dict[str, Any] = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}


def check_for_everybody(page: Page) -> None:
    """Assert that axe finds nothing wrong in any colours, and that nothing hangs out of a small screen."""
    for theme, rules in (("light", _RULES), ("dark", _COLOURS), ("red", _COLOURS)):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        assert _found(page, rules) == [], theme
    page.set_viewport_size({"width": PHONE, "height": 780})
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE


def check_shape(page: Page) -> None:
    """Assert that axe finds nothing wrong with the page as it is, and that nothing hangs out of the screen."""
    assert _found(page, _RULES) == [], page.url
    width = page.viewport_size["width"] if page.viewport_size else 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url


def _found(page: Page, rules: Mapping[str, Any]) -> list[list[str]]:
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(_AXE)
    found: list[list[str]] = page.evaluate(_FIND, {**rules, **_QUICKLY})
    return found

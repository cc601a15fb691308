"""Browsers that go somewhere, told from programs and scripts that ask for something."""

from starlette.requests import Request

__all__ = ["wants_page"]


def wants_page(request: Request) -> bool:
    """Tell whether a page is of more use than JSON or a file: browsers name HTML first when they go to an address."""
    first = request.headers.get("accept", "").partition(",")[0].partition(";")[0]
    return first.strip().lower() == "text/html"

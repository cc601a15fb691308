"""Pages with forms for people: HTML without scripts, in which every value is escaped."""

import re
from html import escape

from starlette.responses import HTMLResponse

__all__ = ["POLICY", "login_page", "logout_page", "page", "safe_target"]

POLICY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
}

_TARGET = re.compile(r"/(?!/)(?:[A-Za-z0-9\-._~!$&'()*+,;=:@%?#]|/(?!/))*")
_MAX_TARGET = 2000

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font-family: sans-serif; line-height: 1.5; max-width: 40em; margin: 3em auto; padding: 0 1em; }}
code {{ background: #eee; padding: 0.1em 0.3em; }}
label {{ display: block; margin: 1em 0; max-width: 20em; }}
input {{ display: block; width: 100%; font: inherit; }}
.problem {{ color: #a00; }}
</style>
</head>
<body>
<h1>{title}</h1>
{content}</body>
</html>
"""

_LOGIN = """{problem}<form method="post" action="{action}">
<input type="hidden" name="csrfmiddlewaretoken" value="{token}">
<input type="hidden" name="next" value="{target}">
<label>User name <input name="username" autocomplete="username" autofocus required></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button>Log in</button>
</form>
"""

_LOGOUT = """<form method="post" action="{action}">
<input type="hidden" name="csrfmiddlewaretoken" value="{token}">
<button>Log out</button>
</form>
"""


def page(title: str, content: str) -> str:
    """Return a whole page; ``content`` is HTML."""
    return _PAGE.format(title=escape(title), content=content)


def login_page(action: str, token: str, target: str, *, problem: str = "", status: int = 200) -> HTMLResponse:
    """Return the form for name and password, with what was wrong the last time."""
    told = f'<p class="problem" role="alert">{escape(problem)}</p>\n' if problem else ""
    content = _LOGIN.format(problem=told, action=escape(action), token=escape(token), target=escape(target))
    return HTMLResponse(page("Log in", content), status, POLICY)


def logout_page(action: str, token: str, *, status: int = 200) -> HTMLResponse:
    """Return the button that ends the session."""
    content = _LOGOUT.format(action=escape(action), token=escape(token))
    return HTMLResponse(page("Log out", content), status, POLICY)


def safe_target(target: str, default: str) -> str:
    """Return ``target`` if it is a path on this very host, however a browser may read it; else ``default``."""
    return target if len(target) <= _MAX_TARGET and _TARGET.fullmatch(target) else default

"""Where to go after logging in."""

import re

__all__ = ["safe_target"]

_TARGET = re.compile(r"/(?!/)(?:[A-Za-z0-9\-._~!$&'()*+,;=:@%?#]|/(?!/))*")
_MAX_TARGET = 2000


def safe_target(target: str, default: str) -> str:
    """Return ``target`` if it is a path on this very host, however a browser may read it; else ``default``."""
    return target if len(target) <= _MAX_TARGET and _TARGET.fullmatch(target) else default

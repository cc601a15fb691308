"""Whether browsers let the web page write to the store: asked as they ask, by a request before the request."""

import http.client
from collections.abc import Iterator
from urllib.parse import urlsplit

from shared.cli.examinations.finding import Finding, note, ok
from shared.exchange import exchange
from shared.settings import Settings

__all__ = ["examine_origins"]

_PART = "origins"
_SECONDS = 5.0
_HELP = "its bucket's CORS rule, or MINIO_API_CORS_ALLOW_ORIGIN, must name it: docs/operating.md"


def examine_origins(settings: Settings) -> Iterator[Finding]:
    """Ask the store, at its public address, whether pages of our own may write to the science bucket.

    A store that does not answer is told of elsewhere, and the stack of AWS sets the rule itself.
    """
    address = settings.s3_public_url or settings.s3_endpoint_url
    if address is None:
        return
    for origin in settings.page_origins:
        try:
            allowed = _allowed(address, settings.bucket, origin)
        except (OSError, http.client.HTTPException):
            return
        if allowed in ("*", origin):
            yield ok(_PART, f"{address} takes uploads of pages at {origin}")
        else:
            yield note(_PART, f"{address} takes no uploads of pages at {origin}: {_HELP}")


def _allowed(address: str, bucket: str, origin: str) -> str:
    """Return the origin that the store lets write."""
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    answer = exchange("OPTIONS", urlsplit(f"{address.rstrip('/')}/{bucket}"), seconds=_SECONDS, headers=asked)
    return answer.headers.get("Access-Control-Allow-Origin", "")

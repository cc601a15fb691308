"""SeaweedFS's own rename: the filer moves an entry, and tells of it in one event that is both removal and creation."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from urllib.parse import quote

import httpx

from localstack.state import LocalState

__all__ = ["Rename", "filer_rename"]

Rename = Callable[[str, str, str], None]
"""Moves an object: bucket, key, new key. Raises httpx.HTTPError."""


def filer_rename(state: LocalState) -> Rename:
    """Return what renames at the filer of an archive."""

    def rename(bucket: str, key: str, new_key: str) -> None:
        answer = httpx.post(
            f"http://127.0.0.1:{state.ports['filer']}/buckets/{bucket}/{quote(new_key)}",
            params={"mv.from": f"/buckets/{bucket}/{key}"},
            headers={"Authorization": f"Bearer {_token(state.filer_secret)}"},
            timeout=15,
            trust_env=False,
        )
        answer.raise_for_status()

    return rename


def _token(secret: str) -> str:
    """Return a JSON web token (RFC 7519) that lives a minute, signed with HMAC-SHA-256."""
    parts = [{"alg": "HS256", "typ": "JWT"}, {"exp": int(time.time()) + 60}]
    signed = ".".join(_base64(json.dumps(part).encode()) for part in parts)
    return f"{signed}.{_base64(hmac.digest(secret.encode(), signed.encode(), hashlib.sha256))}"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

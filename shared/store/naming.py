"""Names of derived objects, made from the identity of the science object.

A second ingest of the same object replaces what the first wrote. Another object under the same key has another
name: what an overtaken ingest still writes can never stand in for what the index points at.
"""

import hashlib
import re

from shared.store.model import ObjectState

__all__ = [
    "CATALOG",
    "HEADERS",
    "PREVIEW_LARGE",
    "PREVIEW_SMALL",
    "basename_of",
    "derived_digest",
    "derived_key",
    "derived_keys",
    "object_digest",
]

HEADERS = "headers.json"
PREVIEW_SMALL = "preview-small.png"
PREVIEW_LARGE = "preview-large"
CATALOG = "catalog.csv"
"""Only frames with a table CAT have one."""

_DERIVED = (HEADERS, PREVIEW_SMALL, PREVIEW_LARGE, CATALOG)
_EXTENSION = re.compile(r"\.(?:fits?|fts|fz|gz|bz2|z)$", re.IGNORECASE)


def object_digest(bucket: str, key: str) -> str:
    """Return the hex name (SHA-256) of the object ``key`` in ``bucket``; keys that differ by a byte differ here."""
    return hashlib.sha256(f"{bucket}\0{key}".encode("utf-8", "surrogatepass")).hexdigest()


def derived_digest(state: ObjectState) -> str:
    """Return the name under which the derived objects of exactly this object stand: of its key, then of its state."""
    revision = f"{state.etag}\0{state.version_id}\0{state.last_modified.isoformat()}"
    return f"{object_digest(state.bucket, state.key)}/{hashlib.sha256(revision.encode()).hexdigest()[:16]}"


def derived_key(digest: str, name: str) -> str:
    """Return the key in the derived bucket of the object ``name`` that belongs to ``digest``."""
    return f"frames/{digest[:2]}/{digest[2:4]}/{digest}/{name}"


def derived_keys(digest: str) -> tuple[str, ...]:
    """Return the keys of all derived objects that may belong to ``digest``."""
    return tuple(derived_key(digest, name) for name in _DERIVED)


def basename_of(filename: str) -> str:
    """Return a file name without its FITS and packing extensions.

    >>> basename_of("vault1m0-sim01-20261121-0012-e00.fits.fz")
    'vault1m0-sim01-20261121-0012-e00'
    >>> basename_of("Light_M 94_10.0s_IRCUT.fit")
    'Light_M 94_10.0s_IRCUT'
    """
    name = filename.rsplit("/", 1)[-1]
    while (shorter := _EXTENSION.sub("", name)) not in (name, ""):
        name = shorter
    return name

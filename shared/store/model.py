"""What the archive knows of an object in a store: plain data."""

import datetime as dt
from dataclasses import dataclass, field

__all__ = ["TRACE_METADATA", "ObjectState"]

TRACE_METADATA = "fitsvault-trace"
"""Under which name the trace of a request stands beside an object that our API wrote for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectState:
    """An object as the store shows it now.

    ``etag`` without its quotes, ``size`` in bytes, ``last_modified`` naive UTC. ``version_id`` is None in a bucket
    that was never versioned. ``trace`` is what the request to our API was called that wrote it
    (`shared.logs`), for logs.
    """

    bucket: str
    key: str
    etag: str
    size: int
    last_modified: dt.datetime
    version_id: str | None = None
    trace: str | None = field(default=None, compare=False)

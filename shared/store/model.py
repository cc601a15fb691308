"""What the archive knows of an object in a store: plain data."""

import datetime as dt
from dataclasses import dataclass

__all__ = ["ObjectState"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectState:
    """An object as the store shows it now.

    ``etag`` without its quotes, ``size`` in bytes, ``last_modified`` naive UTC. ``version_id`` is None in a bucket
    that was never versioned.
    """

    bucket: str
    key: str
    etag: str
    size: int
    last_modified: dt.datetime
    version_id: str | None = None

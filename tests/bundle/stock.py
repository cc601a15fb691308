"""Objects for plans, in a real store."""

import datetime as dt
import random
import zlib
from collections.abc import Iterable

from shared.bundle.plan import Entry, Plan
from shared.store.client import Store
from tests.bundle.layouts import MOMENT

__all__ = ["MIXED", "stocked", "virtual"]

MIXED = (11 << 20, 1000, 0, 6_000_000, 10 << 20)
"""Lengths of frames that are copied in part, not at all, and whole, and of an empty one."""


def stocked(store: Store, bucket: str, prefix: str, sizes: Iterable[int], *, seed: int = 1) -> Plan:
    """Put objects of these lengths, and plan a zip of them."""
    store.ensure_bucket(bucket)
    chance = random.Random(seed)
    entries = []
    for number, size in enumerate(sizes):
        data, key = chance.randbytes(size), f"{prefix}/{number} é+%.fits"
        store.write_bytes(bucket, key, data, "application/fits")
        moment = MOMENT + dt.timedelta(minutes=number)
        entries.append(Entry(f"night/{number}.fits", zlib.crc32(data), moment, store.head(bucket, key)))
    return Plan(entries)


def virtual(store: Store, plan: Plan) -> bytes:
    """Return the zip as the API sends it."""
    return b"".join(
        content if isinstance(content, bytes) else store.read_range(content.state, content.start, content.stop)
        for content in plan.contents()
    )

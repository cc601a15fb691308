"""Frames for tests."""

import datetime as dt
import hashlib
from dataclasses import fields
from typing import Any

from shared.index.record import FrameRecord

__all__ = ["make_record"]


def make_record(**overrides: Any) -> FrameRecord:
    """Make the record of a plausible light frame; ``basename``, ``filename`` and ``digest`` follow from the key."""
    key = overrides.get("key", "sutherland/2024-01-15/0m5-kb03-20240115-0001-e00.fits")
    filename = key.rpartition("/")[2]
    values: dict[str, Any] = dict.fromkeys((field.name for field in fields(FrameRecord)), None) | {
        "bucket": "frames",
        "key": key,
        "etag": hashlib.md5(key.encode(), usedforsecurity=False).hexdigest(),
        "size": 10_080,
        "last_modified": dt.datetime.fromisoformat("2024-01-15T18:01:00"),
        "crc32": 0xCBF43926,
        "sha256": hashlib.sha256(key.encode()).hexdigest(),
        "digest": hashlib.sha256(f"frames/{key}".encode()).hexdigest(),
        "basename": filename.partition(".")[0],
        "filename": filename,
        "site": "sutherland",
        "telescope": "0m5",
        "instrument": "kb03",
        "image_type": "object",
        "image_class": "object",
        "object_name": "M42",
        "filter_name": "Red",
        "exposure_time": 30.0,
        "date_obs": dt.datetime.fromisoformat("2024-01-15T18:00:10.123456"),
        "night": dt.date(2024, 1, 15),
        "x_binning": 2,
        "y_binning": 2,
        "reduction_level": 0,
        "ra": 83.822,
        "dec": -5.391,
        "width": 1024,
        "height": 1024,
        "data_mean": 1234.5,
        "hdu_count": 1,
        "hdu_kinds": ("image",),
        "science_hdu": 0,
        "container": "none",
        "checksum": "absent",
        "notes": (),
        "links": (),
    }
    return FrameRecord(**(values | overrides))

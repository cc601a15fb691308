"""What lies in a bundle beside its frames: a table of them, and a page that says what this is."""

import csv
import datetime as dt
import io
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shared.index.bundles import BundleFrame
from shared.index.shown import HIDING
from shared.index.times import format_time

__all__ = ["MANIFEST", "README", "RESERVED", "LeftOut", "Wish", "manifest_rows", "render_manifest", "render_readme"]

MANIFEST, README = "MANIFEST.csv", "README.txt"
RESERVED = (README, MANIFEST)
"""Names that no frame in a bundle has."""

_COLUMNS = (
    *("file", "id", "bytes", "sha256", "crc32", "DATE_OBS", "OBJECT", "FILTER", "EXPTIME", "OBSTYPE"),
    *("SITEID", "TELID", "INSTRUME", "RLEVEL"),
)
_LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Wish:
    """Who asked for a bundle, for what, and on which day (UTC): what its README tells, and nothing that changes later.

    ``asked`` are lines. Whoever asks the same on the same day gets the same bytes.
    """

    username: str
    day: dt.date
    asked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A frame that was asked for and is not in the bundle."""

    id: int
    filename: str
    reason: str


def manifest_rows(frames: Iterable[tuple[str, BundleFrame]]) -> Iterable[dict[str, object]]:
    """Yield what is told of each file; FILTER and OBJECT of a bias or dark are hidden, as in lists."""
    for name, frame in frames:
        hides = frame.image_type in HIDING
        yield dict(
            zip(
                _COLUMNS,
                (
                    name,
                    frame.id,
                    frame.size,
                    frame.sha256,
                    f"{frame.crc32:08x}",
                    format_time(frame.date_obs),
                    None if hides else frame.object_name,
                    None if hides else frame.filter_name,
                    frame.exposure_time,
                    frame.image_type,
                    frame.site,
                    frame.telescope,
                    frame.instrument,
                    frame.reduction_level,
                ),
                strict=True,
            )
        )


def render_manifest(rows: Iterable[dict[str, object]], more: Sequence[str] = ()) -> bytes:
    """Return a table of the files as CSV (RFC 4180, but for its line ends): UTF-8, empty for what is not known."""
    text = io.StringIO()
    writer = csv.DictWriter(text, (*_COLUMNS, *more), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode(errors="replace")


def render_readme(wish: Wish, frames: int, size: int, left_out: Sequence[LeftOut]) -> bytes:
    """Return the page: ``frames`` files of ``size`` bytes together, and why others are not among them."""
    lines = [
        "Frames from a fitsvault archive",
        "",
        f"Asked for:  {_plain(wish.asked[0] if wish.asked else 'every frame')}",
        *(f"            {_plain(line)}" for line in wish.asked[1:]),
        f"By:         {_plain(wish.username)}",
        f"On:         {wish.day.isoformat()} (UTC)",
        f"Frames:     {frames}, {size} bytes",
        f"Left out:   {len(left_out) or 'nothing'}",
        *(f"            {one.id} {_plain(one.filename)}: {_plain(one.reason)}" for one in left_out),
        "",
        f"{MANIFEST} names every file with its id in the archive, its length, and the SHA-256 of its bytes.",
        "",
    ]
    return "\n".join(lines).encode(errors="replace")


def _plain(text: str) -> str:
    """Return a text of one line, without what a terminal would obey."""
    return "".join(" " if unicodedata.category(char)[0] == "C" else char for char in text)[:_LONGEST]

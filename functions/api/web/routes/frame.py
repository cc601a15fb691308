"""The page of one frame: preview, what is known of it, related frames, headers."""

import json
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from functions.api.dependencies import get_services
from functions.api.lookup import find_frame, read_derived
from functions.api.paths import FrameId
from functions.api.web import wording
from functions.api.web.columns import COLUMNS
from functions.api.web.rendering import page
from functions.api.web.route import PageRoute
from shared.database import read
from shared.errors import StoreError
from shared.fits.document import full_results, science_cards
from shared.index.models import Frame
from shared.index.query import naming_frames, related_frames
from shared.store.naming import HEADERS

__all__ = ["router"]

_COMPRESSED = "compressed-image"
_MAX_BYTES = 64 << 20
_MOST_RELATED, _MOST_NAMING = 200, 25
_RELATED = ("OBSTYPE", "DATE_OBS", "FILTER", "EXPTIME", "binning", "RLEVEL", "size")
_FACTS = ("DATE_OBS", "night", "OBSTYPE", "FILTER", "EXPTIME", "binning", "RLEVEL", "SITEID", "TELID", "INSTRUME")
_MORE_FACTS = ("DATAMEAN", "PROPID", "REQNUM", "OBSNUM", "ingested", "key")

router = APIRouter(route_class=PageRoute, default_response_class=HTMLResponse, include_in_schema=False)


@dataclass(frozen=True, slots=True)
class _Card:
    key: str
    value: str
    comment: str


@dataclass(frozen=True, slots=True)
class _Hdu:
    title: str
    is_science: bool
    cards: list[_Card]


@router.get("/view/frame/{frame_id:digits}/", response_model=None)
def get_frame_page(request: Request, frame_id: FrameId) -> Response:
    """Return the page of one frame, with or without date."""
    frame = find_frame(request, frame_id).frame
    with read(get_services(request).readers) as session:
        related, naming = related_frames(session, frame_id), naming_frames(session, frame.basename, _MOST_NAMING)
    hdus, problem = _headers(request, frame)
    shown: dict[str, Any] = {
        "frame": frame,
        "facts": _facts(frame),
        "columns": COLUMNS,
        "related": list(related[:_MOST_RELATED]),
        "naming": naming,
        "most_naming": _MOST_NAMING,
        "related_columns": [COLUMNS[name] for name in _RELATED],
        "hdus": hdus,
        "headers_problem": problem,
    }
    return page(request, "frame.html", **shown)


def _facts(frame: Frame) -> list[tuple[str, str]]:
    position = f"{wording.right_ascension(frame.ra)} {wording.declination(frame.dec)}".strip()
    degrees = f"{frame.ra:.5f} {frame.dec:+.5f}" if frame.ra is not None and frame.dec is not None else ""
    facts = [(COLUMNS[name].label, COLUMNS[name].text(frame)) for name in _FACTS]
    facts += [
        ("Position (ICRS)", position),
        ("in degrees", degrees),
        ("Altitude (deg)", wording.number(frame.altitude, 1)),
    ]
    facts += [(COLUMNS[name].label, COLUMNS[name].text(frame)) for name in _MORE_FACTS]
    facts += [("File", frame.filename), ("Size", f"{wording.size(frame.size)} ({frame.size:,} bytes)")]
    facts += [("HDUs", ", ".join(frame.hdu_kinds)), ("Checksums in the file", frame.checksum)]
    facts += [("SHA-256", frame.sha256), ("Id", str(frame.id))]
    return [(label, value) for label, value in facts if value]


def _headers(request: Request, frame: Frame) -> tuple[list[_Hdu] | None, str]:
    """Return the headers of all HDUs; or None, and why they cannot be shown: the rest of the page still can."""
    try:
        document = json.loads(read_derived(request, frame, HEADERS, _MAX_BYTES))
    except HTTPException as error:
        return None, error.detail
    except StoreError:
        return None, "The object store does not answer just now. Reload the page in a moment."
    return [_hdu(hdu, document) for hdu in full_results(document)], ""


def _hdu(hdu: dict[str, Any], document: dict[str, Any]) -> _Hdu:
    """Return an HDU as people know it: a compressed image by the cards of the image, not of the table that holds it."""
    axes = " × ".join(str(length) for length in hdu["axes"])
    title = " ".join(str(part) for part in (hdu["index"], hdu["name"], hdu["kind"], axes) if part not in ("", None))
    is_science = hdu["index"] == document["science"]
    cards = science_cards(document) if is_science and hdu["kind"] == _COMPRESSED else hdu["cards"]
    return _Hdu(title, is_science, [_card(card) for card in cards])


def _card(card: dict[str, Any]) -> _Card:
    unit = f"[{card['unit']}] " if card["unit"] else ""
    return _Card(card["key"], _written(card["value"]), f"{unit}{card['comment']}")


def _written(value: object) -> str:
    """Return a card's value as FITS writes it, but for quotes."""
    if isinstance(value, bool):
        return "T" if value else "F"
    return "" if value is None else str(value)

"""Answers in the place of a zip: the same frames as a list of links."""

from collections.abc import Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response

from shared.bundle.assembly import bundle_name
from shared.bundle.links import LinkOf, aria2_input, csv_manifest, json_manifest, wget_script
from shared.database import utc_now
from shared.errors import InvalidParameterError
from shared.index.bundles import BundleFrame

__all__ = ["FORMATS", "answer_list", "asked_format"]

FORMATS = ("zip", "manifest", "csv", "wget", "aria2")
"""What `format` may be; the first is for none."""

_CSV = "text/csv"


def asked_format(given: str | None, accept: str) -> str:
    """Return the format that a request asks for; a manifest is CSV for who accepts that and no JSON."""
    name = (given or FORMATS[0]).strip().lower()
    if name not in FORMATS:
        raise InvalidParameterError("format")
    return "csv" if name == "manifest" and _CSV in accept and "json" not in accept else name


def answer_list(request: Request, name: str, frames: Sequence[BundleFrame], asked: Sequence[str]) -> Response:
    """Return the frames as a list of the format ``name``."""
    root = str(request.base_url)

    def link_of(frame_id: int) -> str:
        return f"{root}frames/{frame_id}/download/"

    kind, ending, render = _RENDERERS[name]
    stem = bundle_name(utc_now().date())
    headers = {"Content-Disposition": f"attachment; filename={stem}{ending}", "Cache-Control": "no-store"}
    return Response(render(frames, link_of, asked), 200, headers, media_type=kind)


_Render = Callable[[Sequence[BundleFrame], LinkOf, Sequence[str]], bytes]
_RENDERERS: dict[str, tuple[str, str, _Render]] = {
    "manifest": ("application/json", ".json", json_manifest),
    "csv": (f"{_CSV}; charset=utf-8", ".csv", lambda frames, link_of, _asked: csv_manifest(frames, link_of)),
    "wget": ("text/x-shellscript; charset=utf-8", ".sh", lambda frames, link_of, _asked: wget_script(frames, link_of)),
    "aria2": ("text/plain; charset=utf-8", ".aria2", lambda frames, link_of, _asked: aria2_input(frames, link_of)),
}

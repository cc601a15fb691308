"""Style sheet, scripts and icon."""

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from functions.api.web.assets import find_asset, version

__all__ = ["router"]

_FOREVER = "public, max-age=31536000, immutable"

router = APIRouter(include_in_schema=False)


@router.get("/static/{asked_version}/{name}", response_model=None)
def get_asset(request: Request, asked_version: str, name: str) -> Response:
    """Return an asset; of another version than today's, which an old page asks for, not to be kept."""
    asset = find_asset(name)
    if asset is None:
        raise HTTPException(404)
    headers = {
        "Cache-Control": _FOREVER if asked_version == version() else "no-cache",
        "Vary": "Accept-Encoding",
    }
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(asset.packed, headers=headers | {"Content-Encoding": "gzip"}, media_type=asset.media_type)
    return Response(asset.content, headers=headers, media_type=asset.media_type)

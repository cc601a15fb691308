"""What a page's forms send: read, and answered by a redirect, so that no reload sends it again."""

from starlette.requests import Request
from starlette.responses import Response

from functions.api.forms import Fields, parse_fields, read_body
from functions.api.stage import root_of

__all__ = ["fields_of", "see_other"]


async def fields_of(request: Request) -> Fields:
    """Return the fields of a form. HTTPException 400, 413 or 415 for a body that cannot be read."""
    return await parse_fields(request, await read_body(request))


def see_other(request: Request, place: str) -> Response:
    """Redirect to a page below the archive's address, to be fetched by GET."""
    return Response(status_code=303, headers={"Location": f"{root_of(request)}{place}", "Cache-Control": "no-store"})

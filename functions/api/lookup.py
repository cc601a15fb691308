"""One frame, and what was derived from it."""

from starlette.exceptions import HTTPException
from starlette.requests import Request

from functions.api.dependencies import get_services
from functions.api.errors import FrameNotFoundError
from shared.database import read
from shared.errors import ObjectGoneError
from shared.index.models import Frame
from shared.index.query import FrameRow, get_frame
from shared.store.model import ObjectState
from shared.store.naming import derived_key

__all__ = ["find_frame", "look_at_derived", "read_derived"]


def find_frame(request: Request, frame_id: int, *, as_it_is: bool = False) -> FrameRow:
    """Return a frame, with or without date; FrameNotFoundError if no frame has this id.

    A replica that does not have it may be behind, so the index itself has the last word; with ``as_it_is`` it alone is
    asked.
    """
    services = get_services(request)
    for sessions in (
        (services.sessions,) if as_it_is or services.replica is None else (services.replica, services.sessions)
    ):
        with read(sessions) as session:
            row = get_frame(session, frame_id)
        if row is not None:
            return row
    raise FrameNotFoundError


def read_derived(request: Request, frame: Frame, name: str, limit: int) -> bytes:
    """Return the derived object ``name`` of a frame; HTTPException 404 if ingest left none.

    A frame whose object was replaced since its row was read is looked up anew: what belonged to the old one is gone.
    """
    services = get_services(request)
    try:
        return services.quick_store.read_bytes(services.settings.derived_bucket, derived_key(frame.digest, name), limit)
    except ObjectGoneError as error:
        now = find_frame(request, frame.id, as_it_is=True).frame
        if now.digest == frame.digest:
            raise _missing(name) from error
    return read_derived(request, now, name, limit)


def look_at_derived(request: Request, frame: Frame, name: str) -> ObjectState:
    """Return what the derived object ``name`` of a frame is; HTTPException 404 if ingest left none."""
    services = get_services(request)
    try:
        return services.quick_store.head(services.settings.derived_bucket, derived_key(frame.digest, name))
    except ObjectGoneError as error:
        raise _missing(name) from error


def _missing(name: str) -> HTTPException:
    what = name.partition(".")[0].partition("-")[0]
    return HTTPException(404, f"The {what} of this frame is not there.")

"""Answers that are zips: which part is asked for, whether it may be sent, and how it is told."""

import datetime as dt
import logging
import re
from collections.abc import Sequence
from email.utils import format_datetime
from itertools import islice

from sqlalchemy.orm import Session, sessionmaker
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from functions.api.dependencies import Services, get_services
from functions.api.envelope import ASKED_METHOD
from functions.api.errors import FrameNotFoundError, answer
from functions.api.listing import FORMATS, answer_list
from functions.api.ordering import redirect_to_bundle
from functions.api.ranges import RangeNotSatisfiableError, asked_range, holds_if_range
from functions.api.streams import DOWNLOAD_COOKIE, is_buffered
from functions.api.wishes import Wanted
from functions.api.zips import ZipResponse, whole_zip
from shared.bundle.assembly import Assembly, Window, assemble, bundle_name
from shared.bundle.inside import Wish
from shared.bundle.plan import Plan
from shared.bundle.presence import missing_objects
from shared.database import read, utc_now
from shared.index.bundles import BundleFrame

__all__ = ["answer_zip", "load_frames"]

_LAMBDA_LIMIT = 4_000_000
_OUR_ETAG = re.compile(r'"[0-9a-f]{32}-([0-9]{8})"')
_RESUMED_WITHIN = dt.timedelta(days=30)
_LEFT_OUT_SHOWN = 100
_GONE = "Some of these frames are no longer in the archive. Go back, choose none, and choose anew."

_logger = logging.getLogger(__name__)


def answer_zip(request: Request, wanted: Wanted) -> Response:
    """Return the zip of the frames that are wanted, or the part of it that the request asks for.

    In another format than zip it is a list of links. Where a whole answer has to be in memory before it is sent, a long
    zip is built in the bucket: 303 to its place.

    Raises
    ------
    FrameNotFoundError
        Frames were asked for by id, and are not there.
    HTTPException
        413: more frames, or a longer answer, than the settings allow.
    """
    services = get_services(request)
    frames = load_frames(services, wanted)
    if wanted.format != FORMATS[0]:
        return answer_list(request, wanted.format, frames, wanted.asked)
    day = _day(request)
    wish = Wish(request.state.account.username, day, wanted.asked)
    try:
        assembly = assemble(
            frames,
            lambda: _load(services, services.sessions, wanted),
            lambda plan, changed: _asked(request, plan, day, changed=changed),
            lambda states: missing_objects(services.store, states, services.bundle_threads),
            wish=wish,
        )
    except RangeNotSatisfiableError as error:
        return answer(416, "No such range.", {"Content-Range": f"bytes */{error.length}", "Accept-Ranges": "bytes"})
    return _respond(request, services, assembly, wish)


def load_frames(services: Services, wanted: Wanted) -> Sequence[BundleFrame]:
    """Return the frames that are wanted. What a replica does not know yet, the database itself is asked for.

    Raises
    ------
    FrameNotFoundError
        Not all that were asked for by id are there.
    HTTPException
        413: more than the settings allow.
    """
    frames = _load(services, services.readers, wanted)
    if services.replica is not None and not _is_whole(frames, wanted):
        frames = _load(services, services.sessions, wanted)
    if not _is_whole(frames, wanted):
        raise FrameNotFoundError(_GONE)
    return frames


def _load(services: Services, sessions: sessionmaker[Session], wanted: Wanted) -> Sequence[BundleFrame]:
    limit = services.settings.zip_limit_frames
    with read(sessions) as session:
        frames = list(islice(wanted.ask(session), limit + 1))
    if len(frames) > limit:
        raise HTTPException(413, f"These are more than {limit} frames. Narrow the filters, or use limit and offset.")
    return frames


def _is_whole(frames: Sequence[BundleFrame], wanted: Wanted) -> bool:
    return wanted.frame_ids <= {frame.id for frame in frames}


def _day(request: Request) -> dt.date:
    """Return today, or the day on which the download began that a client resumes."""
    today = utc_now().date()
    match = _OUR_ETAG.fullmatch(request.headers.get("if-range", "").strip())
    if match is None:
        return today
    try:
        begun = dt.datetime.strptime(match[1], "%Y%m%d").date()  # noqa: DTZ007 - a date in UTC
    except ValueError:
        return today
    return begun if today - _RESUMED_WITHIN <= begun <= today else today


def _asked(request: Request, plan: Plan, day: dt.date, *, changed: bool) -> Window | None:
    condition = request.headers.get("if-range")
    if _is_head(request) or not holds_if_range(condition, _etag(plan, day)) or (changed and condition is None):
        return None
    return asked_range(request.headers.get("range"), plan.length)


def _etag(plan: Plan, day: dt.date) -> str:
    return f'"{plan.identity()}-{day:%Y%m%d}"'


def _last_modified(assembly: Assembly, day: dt.date) -> str:
    """Return when the last of what is in the zip was written; a zip is not older than its folder's day."""
    latest = max((frame.last_modified for frame in assembly.frames), default=dt.datetime.min)  # noqa: DTZ901
    moment = max(latest, dt.datetime.combine(day, dt.time()))
    return format_datetime(moment.replace(tzinfo=dt.UTC, microsecond=0), usegmt=True)


def _respond(request: Request, services: Services, assembly: Assembly, wish: Wish) -> Response:
    start, stop = assembly.window
    day = wish.day
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Disposition": f"attachment; filename={bundle_name(day)}.zip",
        "Content-Length": str(stop - start),
        "ETag": _etag(assembly.plan, day),
        "Last-Modified": _last_modified(assembly, day),
        "Set-Cookie": DOWNLOAD_COOKIE,
    }
    if assembly.left_out:
        headers["X-Left-Out"] = ", ".join(str(one.id) for one in assembly.left_out[:_LEFT_OUT_SHOWN])
    if assembly.asked:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{assembly.plan.length}"
    status = 206 if assembly.asked else 200
    if _is_head(request):
        return Response(None, status, headers, media_type="application/zip")
    _check_limit(services, stop - start)
    if is_buffered(request) and stop - start > _LAMBDA_LIMIT:
        return redirect_to_bundle(request, assembly.frames, wish)
    _log(request, assembly)
    make = whole_zip if is_buffered(request) else ZipResponse
    return make(services, assembly, status, headers)


def _check_limit(services: Services, length: int) -> None:
    limit = services.settings.zip_limit_bytes
    if limit is not None and length > limit:
        raise HTTPException(
            413,
            f"This zip takes {length} bytes, and this archive answers with {limit} at most. Ask for fewer frames, for "
            "ranges of the zip, or for the frames one by one: /frames/<id>/download/.",
        )


def _log(request: Request, assembly: Assembly) -> None:
    start, stop = assembly.window
    told = {
        "account": request.state.account.id,
        "frames": len(assembly.frames),
        "first_byte": start,
        "bytes": stop - start,
        "left_out": [one.id for one in assembly.left_out[:_LEFT_OUT_SHOWN]],
    }
    _logger.info("zip", extra=told)


def _is_head(request: Request) -> bool:
    return bool(request.scope.get(ASKED_METHOD) == "HEAD")

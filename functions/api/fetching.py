"""Bundles as their owners find them: the row, leave by a ticket, and the way to the bytes."""

import datetime as dt

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from functions.api.authentication import key_in_headers
from functions.api.dependencies import Services, get_services
from functions.api.errors import FrameNotFoundError
from functions.api.streams import DOWNLOAD_COOKIE, is_buffered, sends_token_on, stream_object
from functions.api.tickets import holds_ticket
from shared.accounts.account import Account, account_of
from shared.accounts.models import User
from shared.bundle.assembly import bundle_name
from shared.bundle.jobs import find_job
from shared.database import read, utc_now
from shared.errors import BadTokenError, InactiveAccountError, ObjectGoneError
from shared.index.bundle_jobs import BundleJob
from shared.index.times import format_time

__all__ = ["account_of_ticket", "bundle_link", "find_bundle", "served_bundle"]

_ZIP = "application/zip"
_NO_LINK = (
    "This client would send its token on to the object store, and {size} bytes are more than this archive sends by "
    "itself. Fetch the `url` of /bundles/{id}/, which needs no token."
)


def find_bundle(request: Request, bundle_id: str) -> BundleJob:
    """Return a bundle of the account; FrameNotFoundError if it has none of this id."""
    with read(get_services(request).sessions) as session:
        job = find_job(session, bundle_id)
    if job is None or job.user_id != request.state.account.id:
        raise FrameNotFoundError
    return job


def account_of_ticket(request: Request) -> Account:
    """Return the account whose bundle the ticket in the URL is for.

    Raises
    ------
    BadTokenError, InactiveAccountError
        It is none, or its account was switched off.
    """
    with read(get_services(request).sessions) as session:
        job = find_job(session, request.path_params["bundle_id"])
        if job is None or not holds_ticket(job, request.query_params["ticket"]):
            raise BadTokenError
        user = session.get_one(User, job.user_id)
        if not user.is_active:
            raise InactiveAccountError
        return account_of(user)


def bundle_link(services: Services, job: BundleJob) -> tuple[str, str]:
    """Return a link to a bundle that is ready, and when the link ends; not later than the bundle."""
    life = dt.timedelta(seconds=services.settings.link_seconds)
    if job.expires_at is not None:
        life = max(min(life, job.expires_at - utc_now()), dt.timedelta(seconds=1))
    ends = utc_now() + life
    url = services.store.presign_get(
        str(job.key),
        bucket=services.settings.derived_bucket,
        filename=f"{bundle_name(job.day)}.zip",
        expires=dt.timedelta(seconds=int(life.total_seconds()) or 1),
        content_type=_ZIP,
    )
    return url, str(format_time(ends.replace(microsecond=0)))


def served_bundle(request: Request, job: BundleJob) -> Response:
    """Redirect to a link; a client that would send its token there gets the bytes from here, if they are not too many.

    Raises
    ------
    HTTPException
        410: the store has it no more; 413: too many bytes.
    """
    services = get_services(request)
    try:
        state = services.store.head(services.settings.derived_bucket, str(job.key))
    except ObjectGoneError as error:
        raise HTTPException(410, "This bundle was removed before its time. Order it again.") from error
    headers = {"Set-Cookie": DOWNLOAD_COOKIE, "Cache-Control": "no-store"}
    if key_in_headers(request) is not None and sends_token_on(request):
        if is_buffered(request):
            raise HTTPException(413, _NO_LINK.format(size=state.size, id=job.id))
        told = {"Content-Type": _ZIP, "Content-Disposition": f"attachment; filename={bundle_name(job.day)}.zip"}
        return stream_object(request, state, headers | told)
    return Response(status_code=303, headers=headers | {"Location": bundle_link(services, job)[0]})

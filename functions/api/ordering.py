"""Bundles that are ordered: what is wanted, whether it may be, and where the client finds it."""

import datetime as dt
from collections.abc import Sequence
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from functions.api.authentication import session_of_request
from functions.api.browsers import wants_page
from functions.api.dependencies import Services, get_services
from functions.api.tickets import make_ticket
from functions.api.wishes import Wanted
from shared.bundle.inside import Wish
from shared.bundle.jobs import Order, count_unfinished, delete_job, order_bundle
from shared.database import utc_now, write
from shared.index.bundle_jobs import BundleJob
from shared.index.bundles import BundleFrame

__all__ = ["drop", "order", "order_wanted", "redirect_to_bundle"]

_MOST_UNFINISHED = 20
_TICKET_LIFE = dt.timedelta(hours=12)


def order(
    services: Services, user_id: int, frames: Sequence[BundleFrame], wish: Wish, *, uncompress: bool = False
) -> BundleJob:
    """Return the bundle of these frames: a new one, or the same as before while it lives.

    Raises
    ------
    HTTPException
        429: the account waits for too many bundles.
    """
    with write(services.sessions) as session:
        wanted = Order(user_id=user_id, wish=wish, frames=frames, uncompress=uncompress)
        unfinished = count_unfinished(session, user_id)
        job, is_new = order_bundle(session, wanted)
        if is_new and unfinished >= _MOST_UNFINISHED:
            detail = f"{unfinished} bundles of yours are not built yet. Wait for them, or delete some."
            raise HTTPException(429, detail, {"Retry-After": "60"})
    if is_new:
        services.bundle_caller.call(job.id)
    return job


def order_wanted(request: Request, wanted: Wanted, frames: Sequence[BundleFrame]) -> BundleJob:
    """Return the bundle of the frames that the account wants, and that were found. HTTPException as for `order`."""
    account = request.state.account
    wish = Wish(account.username, utc_now().date(), wanted.asked)
    return order(get_services(request), account.id, frames, wish, uncompress=wanted.uncompress)


def drop(services: Services, job: BundleJob) -> None:
    """Delete a bundle, built or not; what there is of it goes as soon as its builder notices."""
    with write(services.sessions) as session:
        delete_job(session, job.id)
    services.bundle_caller.call(job.id)


def redirect_to_bundle(request: Request, frames: Sequence[BundleFrame], wish: Wish) -> Response:
    """Have the zip built in the bucket, and send the client to where it will be: 303, so that a POST becomes a GET.

    A token that came in a form does not come along; a ticket takes its place. A person is led to the page of bundles.
    """
    job = order(get_services(request), request.state.account.id, frames, wish)
    depth = request.scope["path"].removeprefix(request.scope.get("root_path", "")).count("/") - 1
    location = f"{'../' * depth}bundles/{job.id}/file/"
    if _is_person(request):
        location = f"{'../' * depth}view/bundles/"
    elif getattr(request.state, "by_form", False):
        location += "?" + urlencode({"ticket": make_ticket(job, _TICKET_LIFE)})
    return Response(status_code=303, headers={"Location": location, "Cache-Control": "no-store"})


def _is_person(request: Request) -> bool:
    """Tell whether a page is of more use than a file: to a browser that somebody is logged in with."""
    by_session = not getattr(request.state, "by_form", False) and session_of_request(request) is not None
    return by_session and wants_page(request)

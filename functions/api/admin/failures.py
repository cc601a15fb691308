"""Failures: objects that could not be indexed, and another attempt at them."""

from collections.abc import Sequence
from typing import Any, ClassVar

from sqladmin import expose
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from functions.api.admin.changes import changed
from functions.api.admin.view import ArchiveView, Button, Choice, form_of, given
from functions.api.dependencies import get_services
from shared.database import read, write
from shared.errors import FitsError
from shared.index.failures import UNAVAILABLE, ask_retry, list_failures
from shared.index.models import Failure

__all__ = ["FailureView"]

_KINDS = (*sorted({FitsError.kind, *(error.kind for error in FitsError.__subclasses__())}), UNAVAILABLE, "unexpected")


class FailureView(ArchiveView, model=Failure):
    """Failures, the latest attempt first."""

    name = "Failure"
    name_plural = "Failures"
    column_list: ClassVar[Any] = ["key", "kind", "message", "attempts", "last_at", "retry_at"]
    column_details_list: ClassVar[Any] = [
        "bucket",
        "key",
        "version_id",
        "etag",
        "size",
        "kind",
        "message",
        "attempts",
        "first_at",
        "last_at",
        "retry_at",
    ]
    column_labels: ClassVar[Any] = {
        "bucket": "Bucket",
        "key": "Key",
        "version_id": "Version",
        "etag": "ETag",
        "size": "Bytes",
        "kind": "Kind",
        "message": "Why",
        "attempts": "Attempts",
        "first_at": "First attempt",
        "last_at": "Last attempt",
        "retry_at": "Next attempt",
    }
    choices: ClassVar[Sequence[Choice]] = (
        Choice("kind", "Kind", (("", "all"), *((kind, kind) for kind in _KINDS))),
        Choice("prefix", "Key begins with"),
    )
    buttons: ClassVar[Sequence[Button]] = (Button("retry", "Try again"),)
    news: ClassVar[Any] = {
        "asked": "Noted; whoever reads objects tries it soon.",
        "gone": "There is no such failure any more.",
    }

    def find(self, request: Request, limit: int, offset: int) -> tuple[int, Sequence[Any]]:
        """Return a page of failures."""
        kind, prefix = given(request, "kind"), given(request, "prefix")
        with read(get_services(request).sessions) as session:
            return list_failures(session, limit=limit, offset=offset, kind=kind, prefix=prefix)

    def find_one(self, request: Request, row_id: int) -> Any:
        """Return a failure."""
        with read(get_services(request).sessions) as session:
            return session.get(Failure, row_id)

    @expose("/{row_id:digits}/retry", methods=["POST"])
    async def retry(self, request: Request) -> Response:
        """Ask for another attempt."""
        query = (await form_of(request)).get("back", "")
        is_asked = await run_in_threadpool(_ask, request, request.path_params["row_id"])
        return self.back(request, "asked" if is_asked else "gone", query)


def _ask(request: Request, failure_id: int) -> bool:
    with write(get_services(request).sessions) as session:
        is_asked = ask_retry(session, failure_id) is not None
    if is_asked:
        changed(request, "retry asked for", failure=failure_id)
    return is_asked

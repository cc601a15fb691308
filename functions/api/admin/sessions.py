"""Sessions: who is logged in with a browser, and the end of it."""

from collections.abc import Sequence
from typing import Any, ClassVar

from sqladmin import expose
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from functions.api.admin.changes import changed
from functions.api.admin.view import ArchiveView, Button, Choice, form_of, given
from functions.api.dependencies import get_services
from shared.accounts.listing import page_of_sessions
from shared.accounts.models import LoginSession
from shared.accounts.sessions import end_session
from shared.database import read, write

__all__ = ["SessionView"]


class SessionView(ArchiveView, model=LoginSession):
    """Sessions that are not over, newest first."""

    name = "Session"
    name_plural = "Sessions"
    can_view_details = False
    column_list: ClassVar[Any] = ["username", "created_at", "expires_at"]
    column_labels: ClassVar[Any] = {"username": "Account", "created_at": "Begun", "expires_at": "Ends"}
    choices: ClassVar[Sequence[Choice]] = (Choice("account", "Account contains"),)
    buttons: ClassVar[Sequence[Button]] = (Button("end", "End", "End this session?"),)
    news: ClassVar[Any] = {"ended": "The session was ended.", "gone": "There is no such session any more."}

    def find(self, request: Request, limit: int, offset: int) -> tuple[int, Sequence[Any]]:
        """Return a page of sessions."""
        with read(get_services(request).sessions) as session:
            return page_of_sessions(session, part=given(request, "account"), limit=limit, offset=offset)

    @expose("/{row_id:digits}/end", methods=["POST"])
    async def end(self, request: Request) -> Response:
        """End a session."""
        query = (await form_of(request)).get("back", "")
        is_ended = await run_in_threadpool(_end, request, request.path_params["row_id"])
        return self.back(request, "ended" if is_ended else "gone", query)


def _end(request: Request, session_id: int) -> bool:
    with write(get_services(request).sessions) as session:
        is_ended = end_session(session, session_id)
    if is_ended:
        changed(request, "session ended", session=session_id)
    return is_ended

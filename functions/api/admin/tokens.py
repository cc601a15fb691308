"""Tokens: whose they are and when they were last used, issued and revoked."""

from collections.abc import Sequence
from typing import Any, ClassVar

from sqladmin import expose
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from functions.api.admin.changes import changed
from functions.api.admin.view import ArchiveView, Button, Choice, form_of, given
from functions.api.dependencies import get_services
from shared.accounts.account import account_of
from shared.accounts.listing import page_of_tokens
from shared.accounts.models import MAX_TOKEN_NAME, Token
from shared.accounts.service import find_user
from shared.accounts.tokens import issue_token, revoke_token
from shared.database import read, write
from shared.errors import AccountError, BadAccountError
from shared.index.text import is_storable

__all__ = ["TokenView"]

_FORM = "archive/new_token.html"


class TokenView(ArchiveView, model=Token):
    """Tokens by account; a key is shown once, when it is made."""

    name = "Token"
    name_plural = "Tokens"
    can_create = True
    can_view_details = False
    column_list: ClassVar[Any] = ["username", "name", "created_at", "last_used"]
    column_labels: ClassVar[Any] = {
        "username": "Account",
        "name": "Name",
        "created_at": "Made",
        "last_used": "Last used",
    }
    choices: ClassVar[Sequence[Choice]] = (Choice("account", "Account contains"),)
    buttons: ClassVar[Sequence[Button]] = (
        Button("revoke", "Revoke", "Revoke this token? Who sends it gets nothing from then on."),
    )
    news: ClassVar[Any] = {"revoked": "The token was revoked.", "gone": "There is no such token any more."}

    def find(self, request: Request, limit: int, offset: int) -> tuple[int, Sequence[Any]]:
        """Return a page of tokens."""
        with read(get_services(request).sessions) as session:
            return page_of_tokens(session, part=given(request, "account"), limit=limit, offset=offset)

    @expose("/new", methods=["GET", "POST"])
    async def new(self, request: Request) -> Response:
        """Show the form for a new token; make it, and show its key in this very answer alone."""
        if request.method != "POST":
            return await self._form(request, {"account": given(request, "account")})
        form = await form_of(request)
        try:
            key = await run_in_threadpool(_issue, request, form.get("account", ""), form.get("name", ""))
        except AccountError as error:
            return await self._form(request, form | {"problem": str(error)}, 400)
        return await self._form(request, form | {"key": key})

    @expose("/{row_id:digits}/revoke", methods=["POST"])
    async def revoke(self, request: Request) -> Response:
        """Revoke a token."""
        query = (await form_of(request)).get("back", "")
        is_revoked = await run_in_threadpool(_revoke, request, request.path_params["row_id"])
        return self.back(request, "revoked" if is_revoked else "gone", query)

    async def _form(self, request: Request, filled: dict[str, str], status: int = 200) -> Response:
        context = {"model_view": self, "filled": filled, "longest": MAX_TOKEN_NAME}
        return await self.templates.TemplateResponse(request, _FORM, context, status)


def _issue(request: Request, username: str, name: str) -> str:
    label = name.strip() or "admin panel"
    if not is_storable(label):
        raise BadAccountError("A token's name has no NUL in it.")
    with write(get_services(request).sessions) as session:
        owner = find_user(session, username.strip())
        if owner is None:
            raise BadAccountError("There is no account of that name.")
        if not owner.is_active:
            raise BadAccountError(f"{owner.username} is inactive.")
        key = issue_token(session, account_of(owner), label)
        owner_id = owner.id
    changed(request, "token issued", account=owner_id)
    return key


def _revoke(request: Request, token_id: int) -> bool:
    with write(get_services(request).sessions) as session:
        is_revoked = revoke_token(session, token_id)
    if is_revoked:
        changed(request, "token revoked", token=token_id)
    return is_revoked

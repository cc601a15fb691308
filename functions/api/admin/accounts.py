"""Accounts: made, given a role or another password, switched off and on. None is ever deleted: its id stays taken."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from sqladmin import expose
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from functions.api.admin.changes import changed
from functions.api.admin.view import ArchiveView, Choice, form_of, given
from functions.api.dependencies import get_services
from shared.accounts.account import Role
from shared.accounts.listing import find_account, page_of_accounts
from shared.accounts.models import MAX_ID, MAX_USERNAME, User
from shared.accounts.passwords import MAX_PASSWORD, MIN_PASSWORD
from shared.accounts.service import create_user, set_active, set_password, set_role
from shared.database import read, write
from shared.errors import AccountError, BadAccountError

__all__ = ["AccountView"]

_FORM = "archive/new_account.html"
_ROLES = {role.name.lower(): role for role in Role}

Change = Callable[[Session, User, dict[str, str]], None]


class AccountView(ArchiveView, model=User):
    """Accounts by name."""

    name = "Account"
    name_plural = "Accounts"
    can_create = True
    details_template = "archive/account.html"
    column_list: ClassVar[Any] = ["username", "role", "is_active", "tokens", "sessions", "created_at", "last_login"]
    column_details_list: ClassVar[Any] = column_list
    column_labels: ClassVar[Any] = {
        "username": "Name",
        "role": "Role",
        "is_active": "Active",
        "tokens": "Tokens",
        "sessions": "Sessions",
        "created_at": "Made",
        "last_login": "Last login",
    }
    column_formatters: ClassVar[Any] = {"role": lambda row, _: row.role.name.lower()}
    column_formatters_detail: ClassVar[Any] = column_formatters
    choices: ClassVar[Sequence[Choice]] = (Choice("account", "Name contains"),)
    news: ClassVar[Any] = {
        "made": "The account was made.",
        "role": "The account has another role.",
        "password": "The account has another password; its sessions were ended.",
        "activated": "The account is active.",
        "deactivated": "The account is inactive; its sessions were ended.",
    }
    roles: ClassVar[Sequence[str]] = tuple(_ROLES)
    limits: ClassVar[Any] = {"username": MAX_USERNAME, "shortest": MIN_PASSWORD, "longest": MAX_PASSWORD}

    def find(self, request: Request, limit: int, offset: int) -> tuple[int, Sequence[Any]]:
        """Return a page of accounts."""
        with read(get_services(request).sessions) as session:
            return page_of_accounts(session, part=given(request, "account"), limit=limit, offset=offset)

    def find_one(self, request: Request, row_id: int) -> Any:
        """Return an account."""
        with read(get_services(request).sessions) as session:
            return find_account(session, row_id)

    @expose("/new", methods=["GET", "POST"])
    async def new(self, request: Request) -> Response:
        """Show the form for a new account, or make it."""
        filled: dict[str, str] = {}
        if request.method == "POST":
            filled = await form_of(request)
            try:
                made = await run_in_threadpool(_make, request, filled)
            except AccountError as error:
                filled = {"username": filled.get("username", ""), "problem": str(error)}
            else:
                return self.back_to(request, made, "made")
        context = {"model_view": self, "filled": filled}
        return await self.templates.TemplateResponse(request, _FORM, context, 400 if filled else 200)

    @expose("/{row_id:digits}/role", methods=["POST"])
    async def change_role(self, request: Request) -> Response:
        """Give an account another role."""
        return await self._change(request, "role", lambda session, user, form: set_role(session, user, _role_in(form)))

    @expose("/{row_id:digits}/password", methods=["POST"])
    async def change_password(self, request: Request) -> Response:
        """Give an account another password."""
        return await self._change(
            request, "password", lambda session, user, form: set_password(session, user, form.get("password", ""))
        )

    @expose("/{row_id:digits}/activate", methods=["POST"])
    async def activate(self, request: Request) -> Response:
        """Switch an account on."""
        return await self._change(request, "activated", lambda session, user, _: set_active(session, user, active=True))

    @expose("/{row_id:digits}/deactivate", methods=["POST"])
    async def deactivate(self, request: Request) -> Response:
        """Switch an account off."""
        return await self._change(
            request, "deactivated", lambda session, user, _: set_active(session, user, active=False)
        )

    async def _change(self, request: Request, what: str, change: Change) -> Response:
        row_id: int = request.path_params["row_id"]
        form = await form_of(request)
        try:
            await run_in_threadpool(_apply, request, row_id, what, lambda session, user: change(session, user, form))
        except AccountError as error:
            return await self.show(request, row_id, str(error))
        return self.back_to(request, row_id, what)


def _make(request: Request, form: dict[str, str]) -> int:
    username, password, role = form.get("username", "").strip(), form.get("password", ""), _role_in(form)
    with write(get_services(request).sessions) as session:
        made = create_user(session, username, password, role=role)
    changed(request, "account made", account=made.id, role=role.name.lower())
    return made.id


def _apply(request: Request, row_id: int, what: str, change: Callable[[Session, User], None]) -> None:
    with write(get_services(request).sessions) as session:
        user = session.get(User, row_id) if row_id <= MAX_ID else None
        if user is None:
            raise HTTPException(404)
        change(session, user)
        about = {"role": "superuser" if user.is_superuser else "staff" if user.is_staff else "user"}
    changed(request, "account changed", account=row_id, change=what, **about)


def _role_in(form: dict[str, str]) -> Role:
    role = _ROLES.get(form.get("role", ""))
    if role is None:
        raise BadAccountError(f"A role is one of {', '.join(_ROLES)}.")
    return role

"""A token for a name and a password."""

import asyncio
import logging

from fastapi import APIRouter, Request
from sqlalchemy.orm import Session
from starlette.responses import JSONResponse, Response

from functions.api.credentials import CredentialFieldsError, check_fields, read_fields
from functions.api.dependencies import Services, get_services
from functions.api.peer import client_address
from functions.api.schemas import ERRORS, Credentials, Error, Key
from shared.accounts.account import Account
from shared.accounts.login import log_in
from shared.accounts.tokens import issue_token
from shared.errors import BadCredentialsError

__all__ = ["router"]

_NO_STORE = {"Cache-Control": "no-store"}
_REFUSED = {"non_field_errors": ["Unable to log in with provided credentials."]}
_KINDS = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
_CONTENT = {kind: {"schema": Credentials.model_json_schema()} for kind in _KINDS}

_logger = logging.getLogger(__name__)

router = APIRouter(tags=["accounts"])


@router.post(
    "/api-token-auth/",
    summary="Get a token",
    response_model=None,
    responses={
        200: {"model": Key},
        400: {"description": "Texts by field, or `non_field_errors`: no such name and password."},
        413: {"model": Error, "description": "The body is longer than 64 KiB."},
        415: {"model": Error, "description": "The body is neither form nor JSON."},
        429: ERRORS[429],
        503: ERRORS[503],
    },
    openapi_extra={"requestBody": {"required": True, "content": _CONTENT}},
)
async def make_token(request: Request) -> Response:
    """Return a new token for a user name and password, sent as form, multipart or JSON."""
    services = get_services(request)
    try:
        username, password = check_fields(await read_fields(request))
        address = client_address(request)
        key = await asyncio.wrap_future(services.login_threads.submit(_log_in, services, username, password, address))
    except CredentialFieldsError as error:
        return JSONResponse(error.errors, 400, _NO_STORE)
    except BadCredentialsError:
        _logger.warning("login refused")
        return JSONResponse(_REFUSED, 400, _NO_STORE)
    return JSONResponse({"token": key}, headers=_NO_STORE)


def _log_in(services: Services, username: str, password: str, address: str | None) -> str:
    return log_in(services.sessions, username, password, address=address, grant=_issue)


def _issue(session: Session, account: Account) -> str:
    _logger.info("login", extra={"account": account.id})
    return issue_token(session, account, "api-token-auth")

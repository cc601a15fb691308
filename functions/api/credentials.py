"""The body of a login: read up to a bound, as form, multipart or JSON, and checked field by field.

The texts for fields that are missing or cannot be read are those of the predecessor (Django REST framework).
"""

import json
from collections.abc import AsyncGenerator, Mapping
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

__all__ = ["MAX_BODY", "CredentialFieldsError", "check_fields", "read_fields"]

MAX_BODY = 64 * 1024
_MAX_PARTS = 16


class CredentialFieldsError(Exception):
    """Fields that are missing or cannot be read.

    Parameters
    ----------
    errors
        Texts by field, as the client gets them.
    """

    def __init__(self, errors: dict[str, list[str]]) -> None:
        self.errors = errors
        super().__init__(str(errors))


async def read_fields(request: Request) -> object:
    """Return the body's fields: a mapping, unless a JSON body is something else.

    Raises
    ------
    HTTPException
        400 for a body that cannot be read, 413 for one of more than 64 KiB, 415 for another content type.
    """
    body = await _read_body(request)
    content_type = request.headers.get("content-type", "")
    kind = content_type.partition(";")[0].strip().lower()
    if not body:
        return {}
    if kind == "application/json":
        return _parse_json(body)
    if kind == "application/x-www-form-urlencoded":
        return _parse_form(body)
    if kind == "multipart/form-data":
        return await _parse_multipart(request, body)
    raise HTTPException(415, f'Unsupported media type "{content_type}" in request.')


def check_fields(fields: object) -> tuple[str, str]:
    """Return user name and password.

    Raises
    ------
    CredentialFieldsError
        One is missing, blank or no text.
    """
    if not isinstance(fields, Mapping):
        kind = type(fields).__name__
        raise CredentialFieldsError({"non_field_errors": [f"Invalid data. Expected a dictionary, but got {kind}."]})
    errors: dict[str, list[str]] = {}
    values = {name: _check_field(fields, name, errors) for name in ("username", "password")}
    if errors:
        raise CredentialFieldsError(errors)
    return values["username"], values["password"]


def _check_field(fields: Mapping[object, object], name: str, errors: dict[str, list[str]]) -> str:
    value = fields.get(name, _check_field)
    text = ""
    if value is _check_field:
        errors[name] = ["This field is required."]
    elif value is None:
        errors[name] = ["This field may not be null."]
    elif isinstance(value, bool) or not isinstance(value, str | int | float):
        errors[name] = ["Not a valid string."]
    else:
        text = str(value).strip() if name == "username" else str(value)
        if not text:
            errors[name] = ["This field may not be blank."]
        elif "\0" in text:
            errors[name] = ["Null characters are not allowed."]
    return text


async def _read_body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise HTTPException(413, f"The request body is longer than {MAX_BODY} bytes.")
    return bytes(body)


def _parse_json(body: bytes) -> object:
    try:
        fields: object = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "JSON parse error.") from error
    return fields


def _parse_form(body: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=_MAX_PARTS))
    except ValueError as error:
        raise HTTPException(400, "Form parse error.") from error


async def _parse_multipart(request: Request, body: bytes) -> dict[str, object]:
    async def stream() -> AsyncGenerator[bytes, None]:
        yield body

    parser = MultiPartParser(request.headers, stream(), max_files=_MAX_PARTS, max_fields=_MAX_PARTS)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise HTTPException(400, "Multipart form parse error.") from error
    fields: dict[str, object] = dict(form.multi_items())
    await form.close()
    return fields

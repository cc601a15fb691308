"""Bodies that name frames: a form, multipart or JSON, read up to a bound."""

import json
from collections.abc import AsyncGenerator
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from shared.errors import InvalidParameterError

__all__ = ["MAX_BODY", "Fields", "is_json", "json_members", "json_text", "parse_fields", "read_body"]

MAX_BODY = 8 << 20
_MAX_PARTS = 20_000
_JSON = "application/json"

Fields = list[tuple[str, str]]
"""Names and values."""


async def read_body(request: Request) -> bytes:
    """Return the request's body; HTTPException 413 for one of more than 8 MiB."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise HTTPException(413, f"The request body is longer than {MAX_BODY} bytes.")
    return bytes(body)


async def parse_fields(request: Request, body: bytes) -> Fields:
    """Return the body's fields, in its order; of a JSON list each item is a field.

    Raises
    ------
    HTTPException
        400 for a body that cannot be read, 415 for another content type.
    InvalidParameterError
        A JSON value that is neither text nor an integer.
    """
    kind = _kind_of(request)
    if not body:
        return []
    if kind == "application/x-www-form-urlencoded":
        return await run_in_threadpool(_parse_form, body)
    if kind == _JSON:
        return await run_in_threadpool(_parse_json, body)
    if kind == "multipart/form-data":
        return await _parse_multipart(request, body)
    raise HTTPException(415, f'Unsupported media type "{request.headers.get("content-type", "")}" in request.')


def is_json(request: Request) -> bool:
    """Tell whether the body is said to be JSON."""
    return _kind_of(request) == _JSON


def json_members(body: bytes) -> dict[str, object]:
    """Return the members of a JSON object; a list is one of ids. HTTPException 400 for what is neither."""
    try:
        document: object = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "JSON parse error.") from error
    if isinstance(document, list):
        return {"frame_ids": document}
    if not isinstance(document, dict):
        raise HTTPException(400, "JSON parse error.")
    return document


def json_text(name: str, value: object) -> str:
    """Return a JSON value as a form has it; InvalidParameterError for what is neither text nor an integer."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise InvalidParameterError(name)
    try:
        return str(value)
    except ValueError as error:
        raise InvalidParameterError(name) from error


def _kind_of(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _parse_form(body: bytes) -> Fields:
    return parse_qsl(body.decode(errors="replace"), keep_blank_values=True)


def _parse_json(body: bytes) -> Fields:
    return [
        (name, json_text(name, item))
        for name, value in json_members(body).items()
        for item in (value if isinstance(value, list) else [value])
    ]


async def _parse_multipart(request: Request, body: bytes) -> Fields:
    async def stream() -> AsyncGenerator[bytes, None]:
        yield body

    parser = MultiPartParser(request.headers, stream(), max_files=1, max_fields=_MAX_PARTS)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise HTTPException(400, "Multipart form parse error.") from error
    fields = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    await form.close()
    return fields

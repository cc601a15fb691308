"""Bodies that name frames: a form, multipart or JSON, read up to a bound."""

import json
from collections.abc import AsyncGenerator
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from shared.errors import InvalidParameterError

__all__ = ["MAX_BODY", "Fields", "parse_fields", "read_body"]

MAX_BODY = 8 << 20
_MAX_PARTS = 20_000

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
    content_type = request.headers.get("content-type", "")
    kind = content_type.partition(";")[0].strip().lower()
    if not body:
        return []
    if kind == "application/x-www-form-urlencoded":
        return await run_in_threadpool(_parse_form, body)
    if kind == "application/json":
        return await run_in_threadpool(_parse_json, body)
    if kind == "multipart/form-data":
        return await _parse_multipart(request, body)
    raise HTTPException(415, f'Unsupported media type "{content_type}" in request.')


def _parse_form(body: bytes) -> Fields:
    return parse_qsl(body.decode(errors="replace"), keep_blank_values=True)


def _parse_json(body: bytes) -> Fields:
    try:
        document: object = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "JSON parse error.") from error
    if isinstance(document, list):
        document = {"frame_ids": document}
    if not isinstance(document, dict):
        raise HTTPException(400, "JSON parse error.")
    return [
        (name, _text(name, item))
        for name, value in document.items()
        for item in (value if isinstance(value, list) else [value])
    ]


def _text(name: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise InvalidParameterError(name)
    try:
        return str(value)
    except ValueError as error:
        raise InvalidParameterError(name) from error


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

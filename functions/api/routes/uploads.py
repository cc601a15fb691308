"""Uploads straight to the store, for programs that have a token and no keys."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from functions.api.authentication import TOKEN_SCHEME, StaffRoute
from functions.api.credentials import read_fields
from functions.api.dependencies import get_services
from functions.api.schemas import ERRORS, DirectUpload, Error, StoredObject, UploadId, UploadRequest
from functions.api.upload_schemas import MOST_KEYS, UploadKeys, UploadStates
from shared.errors import InvalidParameterError
from shared.intake.direct import DirectUploads, checked_key
from shared.intake.fates import Fate, fates
from shared.store.multipart import MAX_OBJECT, MAX_SINGLE

__all__ = ["router"]

_FLAGS = {"": False, "true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False}
_KINDS = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
_MAX_UPLOAD_ID = 1024

_REFUSALS: dict[int | str, dict[str, Any]] = {
    **{status: ERRORS[status] for status in (400, 401, 403, 502, 503)},
    413: {"model": Error, "description": "The body is longer than 64 KiB."},
    415: {"model": Error, "description": "The body is neither form nor JSON."},
}

router = APIRouter(
    prefix="/uploads",
    tags=["uploads"],
    route_class=StaffRoute,
    dependencies=[Depends(TOKEN_SCHEME)],
    responses=_REFUSALS,
)


def _body(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema()
    return {"requestBody": {"required": True, "content": {kind: {"schema": schema} for kind in _KINDS}}}


@router.post(
    "/",
    summary="Ask where to upload a file",
    response_model=None,
    responses={200: {"model": DirectUpload}},
    openapi_extra=_body(UploadRequest),
)
async def begin_upload(request: Request) -> Response:
    """Return a presigned form for a file of up to 5 GiB, or presigned parts for a larger one."""
    fields = await _fields(request)
    filename, size, in_parts = _text(fields, "filename"), _size(fields), _flag(fields, "multipart")
    uploads = _uploads(request)
    if not in_parts and (size is None or size <= MAX_SINGLE):
        document = await run_in_threadpool(uploads.by_form, filename, size)
    elif size is None:
        raise InvalidParameterError("size")
    else:
        document = await run_in_threadpool(uploads.in_parts, filename, size)
    return JSONResponse(document, headers={"Cache-Control": "no-store"})


@router.post(
    "/complete/",
    summary="Make an object of its parts",
    response_model=None,
    responses={200: {"model": StoredObject}, 404: {"model": Error, "description": "No such upload."}},
    openapi_extra=_body(UploadId),
)
async def complete_upload(request: Request) -> Response:
    """Make the object of the parts that are there; its frame follows in a moment."""
    fields = await _fields(request)
    key, upload_id, size = _text(fields, "key"), _upload_id(fields), _size(fields)
    state = await run_in_threadpool(_uploads(request).complete, key, upload_id, size)
    return JSONResponse({"key": state.key, "size": state.size, "etag": state.etag})


@router.post(
    "/abort/",
    summary="Drop an upload in parts",
    response_model=None,
    responses={
        200: {"description": "It is dropped.", "content": {"application/json": {"schema": {"type": "object"}}}},
        404: {"model": Error, "description": "No such upload."},
    },
    openapi_extra=_body(UploadId),
)
async def abort_upload(request: Request) -> Response:
    """Drop the parts that were written."""
    fields = await _fields(request)
    await run_in_threadpool(_uploads(request).abort, _text(fields, "key"), _upload_id(fields))
    return JSONResponse({})


@router.post(
    "/status/",
    summary="Ask what became of uploads",
    response_model=None,
    responses={200: {"model": UploadStates}},
    openapi_extra={
        "requestBody": {"required": True, "content": {_KINDS[0]: {"schema": UploadKeys.model_json_schema()}}}
    },
)
async def get_states(request: Request) -> Response:
    """Return what became of each object as it is now, in the order of the keys: nothing tells of one before it.

    Who waits asks again, after a second at first, then less often.
    """
    keys = _keys(await _fields(request))
    found = await run_in_threadpool(_states, request, keys)
    return JSONResponse({"results": [asdict(fate) for fate in found]}, headers={"Cache-Control": "no-store"})


def _states(request: Request, keys: Sequence[str]) -> Sequence[Fate]:
    services = get_services(request)
    return fates(services.sessions, services.store, services.bundle_threads, services.settings.bucket, keys)


def _keys(fields: Mapping[object, object]) -> Sequence[str]:
    """Return keys that uploads may have."""
    keys = fields.get("keys")
    if not isinstance(keys, list) or len(keys) > MOST_KEYS:
        raise InvalidParameterError("keys", f"Invalid value for keys: a list of {MOST_KEYS} at most is needed.")
    return [checked_key("keys", key) if isinstance(key, str) else _refused("keys") for key in keys]


def _refused(name: str) -> str:
    raise InvalidParameterError(name)


def _uploads(request: Request) -> DirectUploads:
    services = get_services(request)
    return DirectUploads(services.settings, services.store)


async def _fields(request: Request) -> Mapping[object, object]:
    fields = await read_fields(request)
    if not isinstance(fields, Mapping):
        raise InvalidParameterError("filename")
    return fields


def _text(fields: Mapping[object, object], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidParameterError(name)
    return value


def _upload_id(fields: Mapping[object, object]) -> str:
    value = _text(fields, "upload_id")
    if len(value) > _MAX_UPLOAD_ID or not value.isascii() or not value.isprintable():
        raise InvalidParameterError("upload_id")
    return value


def _size(fields: Mapping[object, object]) -> int | None:
    value = fields.get("size")
    if value is None or value == "":
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= MAX_OBJECT:
        raise InvalidParameterError("size")
    return value


def _flag(fields: Mapping[object, object], name: str) -> bool:
    value = fields.get(name, "")
    if isinstance(value, bool):
        return value
    flag = _FLAGS.get(str(value).lower()) if isinstance(value, str | int) else None
    if flag is None:
        raise InvalidParameterError(name)
    return flag

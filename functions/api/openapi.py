"""The OpenAPI document, as the routes describe themselves."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from functions.api.cookies import SESSION_COOKIE

__all__ = ["openapi_document"]

_NEVER_SENT = "422"
_WITHOUT_BODY = ("302", "304")
_SESSION = {
    "type": "apiKey",
    "in": "cookie",
    "name": SESSION_COOKIE,
    "description": "Of `/accounts/login/`. Methods other than GET and HEAD need `X-CSRFToken`, or the form field "
    "`csrfmiddlewaretoken`, as well: the value of the cookie `csrftoken`.",
}


def openapi_document(app: FastAPI, prefix: str) -> dict[str, Any]:
    """Return the document for clients that see the API below ``prefix``.

    FastAPI adds an answer for parameters that it refuses itself; ours say 400. And it adds a body to answers that have
    none.
    """
    if app.openapi_schema is None:
        app.openapi_schema = _described(app)
    return app.openapi_schema | {"servers": [{"url": prefix or "/"}]}


def _described(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        openapi_version=app.openapi_version,
        description=app.description,
        routes=app.state.routes.all(),
    )
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["responses"].pop(_NEVER_SENT, None)
            for status in _WITHOUT_BODY:
                operation["responses"].get(status, {}).pop("content", None)
            if "security" in operation:
                operation["security"] = [
                    *(way for way in operation["security"] if "Session" not in way),
                    {"Session": []},
                ]
    document["components"].setdefault("securitySchemes", {})["Session"] = _SESSION
    for schema in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(schema, None)
    return document

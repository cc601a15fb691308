"""The OpenAPI document, as the routes describe themselves."""

from typing import Any

from fastapi import FastAPI

__all__ = ["openapi_document"]

_NEVER_SENT = "422"


def openapi_document(app: FastAPI, prefix: str) -> dict[str, Any]:
    """Return the document for clients that see the API below ``prefix``.

    FastAPI adds an answer for parameters that it refuses itself; ours say 400.
    """
    document = app.openapi()
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["responses"].pop(_NEVER_SENT, None)
    for schema in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(schema, None)
    return document | {"servers": [{"url": prefix or "/"}]}

"""Requests as AWS hands them to a Lambda function: three shapes, as AWS documents them."""

import base64
import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

__all__ = ["GATEWAYS", "function_url_event", "http_event", "rest_event"]

_EVENTS = Path(__file__).parent / "events"
_REST, _HTTP, _FUNCTION_URL = (
    json.loads((_EVENTS / f"{name}.json").read_text()) for name in ("rest", "http", "function_url")
)


def rest_event(
    method: str, path: str, query: str = "", headers: Mapping[str, str] = {}, body: bytes = b"", *, stage: str = "prod"
) -> dict[str, Any]:
    """Payload 1.0: path without the stage, query decoded, every header as a list as well."""
    event: dict[str, Any] = copy.deepcopy(_REST)
    values = parse_qs(query, keep_blank_values=True)
    event |= {"path": path, "httpMethod": method, "pathParameters": {"proxy": unquote(path).strip("/")}}
    event["queryStringParameters"] = {name: several[-1] for name, several in values.items()} or None
    event["multiValueQueryStringParameters"] = values or None
    event["headers"] |= headers
    event["multiValueHeaders"] |= {name: [value] for name, value in headers.items()}
    event["requestContext"] |= {"path": f"/{stage}{path}", "httpMethod": method, "stage": stage}
    return event | _body(body)


def http_event(
    method: str,
    path: str,
    query: str = "",
    headers: Mapping[str, str] = {},
    body: bytes = b"",
    *,
    stage: str = "$default",
) -> dict[str, Any]:
    """Payload 2.0 of an HTTP API: path with the stage unless that is $default, raw query, cookies apart."""
    return _version_2(_HTTP, method, path, query, headers, body, stage)


def function_url_event(
    method: str, path: str, query: str = "", headers: Mapping[str, str] = {}, body: bytes = b""
) -> dict[str, Any]:
    """Payload 2.0 of a function URL."""
    return _version_2(_FUNCTION_URL, method, path, query, headers, body, "$default")


GATEWAYS = {"REST API": rest_event, "HTTP API": http_event, "function URL": function_url_event}


def _version_2(
    template: dict[str, Any], method: str, path: str, query: str, headers: Mapping[str, str], body: bytes, stage: str
) -> dict[str, Any]:
    event = copy.deepcopy(template)
    full = path if stage == "$default" else f"/{stage}{path}"
    event |= {"rawPath": full, "rawQueryString": query}
    event["headers"] |= {name.lower(): value for name, value in headers.items()}
    event["requestContext"]["stage"] = stage
    event["requestContext"]["http"] |= {"method": method, "path": full}
    return event | (_body(body) if body else {})


def _body(body: bytes) -> dict[str, Any]:
    return {"body": base64.b64encode(body).decode() if body else None, "isBase64Encoded": bool(body)}

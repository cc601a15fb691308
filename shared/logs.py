"""The one logger set-up: a JSON object on a line for each event, with bucket, key and frame id where they are known.

A trace is an id that all lines have in common which were written for one request or one event (`traced`), so that
``grep`` finds them.
"""

import datetime as dt
import json
import logging
import re
import sys
import traceback
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

__all__ = ["clean_trace", "configure_logs", "current_trace", "log_fields", "new_trace", "traced"]

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
_TRACE = re.compile(r"[A-Za-z0-9._:=;+/-]{1,128}")
_fields: ContextVar[Mapping[str, Any]] = ContextVar("log_fields", default=MappingProxyType({}))


@contextmanager
def log_fields(**fields: Any) -> Iterator[None]:
    """Have all lines that are written within the block, and in threads that take its context over, show fields."""
    token = _fields.set({**_fields.get(), **fields})
    try:
        yield
    finally:
        _fields.reset(token)


@contextmanager
def traced(trace: str | None) -> Iterator[None]:
    """Have all lines within the block show a trace: this one, else the one that there is, else a new one."""
    with log_fields(trace=trace or current_trace() or new_trace()):
        yield


def current_trace() -> str | None:
    """Return the trace of what is done just now."""
    found = _fields.get().get("trace")
    return found if isinstance(found, str) else None


def new_trace() -> str:
    """Return a trace that nothing else has."""
    return uuid.uuid4().hex


def clean_trace(text: object) -> str | None:
    """Return what somebody else calls a trace if it can be one: short, and of characters that are harmless."""
    return text if isinstance(text, str) and _TRACE.fullmatch(text) else None


class _JsonLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "event": record.getMessage(),
        }
        line.update(_fields.get())
        line.update((name, value) for name, value in vars(record).items() if name not in _OWN)
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            line["error"] = f"{type(error).__name__}: {error}"
            line["at"] = [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)[-6:]]
        return json.dumps(line, default=str)


def configure_logs(level: str) -> None:
    """Write all logs of this process to stderr, a line each, from ``level`` upwards."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLine())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("botocore", "boto3", "s3transfer", "urllib3", "asyncio", "uvicorn.access", "PIL"):
        logging.getLogger(noisy).setLevel(logging.WARNING)

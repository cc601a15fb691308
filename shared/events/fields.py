"""Fields of events that nobody vouches for: checked before they are believed, made harmless before they are shown."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeGuard
from urllib.parse import unquote_plus

from shared.errors import EventError
from shared.events.model import ObjectEvent, ObjectEventKind
from shared.logs import clean_trace

__all__ = [
    "MAX_KEY_BYTES",
    "form_decoded",
    "is_key",
    "json_of",
    "object_event",
    "perhaps_form_decoded",
    "shown",
    "within",
]

MAX_KEY_BYTES = 1024
"""Amazon S3 user guide, "Naming Amazon S3 objects"; other stores take no longer ones."""

_MAX_BUCKET_BYTES = 255
_SHOWN_CHARACTERS = 80
_FORM = re.compile(r"(?:[A-Za-z0-9\-_.~*'()!/+]|%[0-9A-Fa-f]{2})*")


def shown(value: object) -> str:
    """Return what a log may show of a value: a text quoted and cut short, of anything else its type."""
    if not isinstance(value, str):
        return type(value).__name__
    text = repr(value[:_SHOWN_CHARACTERS])
    return text if len(value) <= _SHOWN_CHARACTERS else f"{text}... ({len(value)} characters)"


def json_of(text: object, what: str) -> Any:
    """Return the JSON document that a field holds as text; EventError if it holds none."""
    if not isinstance(text, str):
        raise EventError(f"{what} is no text, but {shown(text)}")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise EventError(f"{what} is not JSON: {error}") from error


def within(document: Mapping[str, Any], *path: str) -> Any:
    """Return the field that a path of names leads to, or None if it leads nowhere."""
    found: Any = document
    for name in path:
        if not isinstance(found, Mapping):
            return None
        found = found.get(name)
    return found


def is_key(text: object) -> TypeGuard[str]:
    """Tell whether a field can be the key of an object: UTF-8, not empty, not too long, without NUL."""
    return _is_name(text, MAX_KEY_BYTES)


def form_decoded(spelling: str) -> str:
    """Return the key that a form-encoded one stands for; where it stands for none, the spelling itself."""
    try:
        key = unquote_plus(spelling, errors="strict")
    except UnicodeDecodeError:
        return spelling
    return key if is_key(key) else spelling


def perhaps_form_decoded(spelling: str) -> str:
    """Return the key of a spelling that may be form-encoded; one that no encoding leads to is the key itself."""
    return form_decoded(spelling) if _FORM.fullmatch(spelling) else spelling


def object_event(
    kind: ObjectEventKind,
    bucket: object,
    spelling: object,
    decode: Callable[[str], str] = str,
    *,
    version_id: object = None,
    sequencer: object = None,
    trace: object = None,
) -> ObjectEvent:
    """Return what an event tells, once bucket and key are fit to ask a store for; EventError if they are not."""
    if not _is_name(bucket, _MAX_BUCKET_BYTES):
        raise EventError(f"no bucket has this name: {shown(bucket)}")
    if not isinstance(spelling, str) or len(spelling) > 3 * MAX_KEY_BYTES:
        raise EventError(f"no object has this key: {shown(spelling)}")
    key = decode(spelling)
    if not is_key(key):
        raise EventError(f"no object has this key: {shown(spelling)}")
    return ObjectEvent(
        bucket=bucket,
        key=key,
        kind=kind,
        raw_key=spelling if spelling != key and is_key(spelling) else None,
        version_id=_label(version_id),
        sequencer=_label(sequencer),
        trace=clean_trace(trace),
    )


def _label(value: object) -> str | None:
    return value if _is_name(value, MAX_KEY_BYTES) else None


def _is_name(text: object, longest: int) -> TypeGuard[str]:
    if not isinstance(text, str) or not text or len(text) > longest or "\0" in text:
        return False
    try:
        return len(text.encode()) <= longest
    except UnicodeEncodeError:
        return False

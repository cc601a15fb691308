"""What an order of a bundle asks for: ids or a query, in the URL, a form or JSON."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from functions.api.csrf import FIELD
from functions.api.dependencies import get_services
from functions.api.errors import FrameNotFoundError
from functions.api.forms import Fields, is_json, json_members, json_text, parse_fields, read_body
from functions.api.listing import FORMATS
from functions.api.parameters import LIST_PARAMETERS
from shared.errors import InvalidParameterError
from shared.index.bundles import BundleFrame, bundle_of_ids, bundle_of_query, with_related
from shared.index.parameters import parse_query

__all__ = ["Wanted", "flag", "ids_of", "wanted_by_ids", "wanted_by_query", "wanted_of_order"]

_ID_FIELDS = ("frame_ids[]", "frame_ids")
_ID = re.compile(r"[0-9]{1,30}")
_FLAGS = dict.fromkeys(("true", "1", "yes", "on"), True) | dict.fromkeys(("", "false", "0", "no", "off"), False)
_NAMES = sorted(parameter["name"] for parameter in LIST_PARAMETERS if parameter["name"] != "cursor")
_ORDERED = ("query", "related", "uncompress", "auth_token", FIELD)
"""Names of an order's fields that choose no frames, or let it in."""

_RELATED = "with the frames that their headers name"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Frames, as a question to the index; ``asked`` are lines for people, ``frame_ids`` those that must be there."""

    ask: Callable[[Session], Iterable[BundleFrame]]
    asked: tuple[str, ...]
    frame_ids: frozenset[int] = frozenset()
    uncompress: bool = False
    format: str = FORMATS[0]


def wanted_by_query(request: Request, given: Fields, *, uncompress: bool = False) -> Wanted:
    """Return what the parameters of a list ask for; without a limit all of it."""
    query = parse_query(given, max_limit=get_services(request).settings.zip_limit_frames + 1)
    related = flag(given, "related")
    named = dict(given)
    asked = [f"{name}={named[name]}" for name in _NAMES if named.get(name)]

    def ask(session: Session) -> Iterable[BundleFrame]:
        found = bundle_of_query(session, query)
        return with_related(session, found) if related else found

    return Wanted(ask, _told(asked, related=related, uncompress=uncompress), uncompress=uncompress)


def wanted_by_ids(frame_ids: Sequence[int], *, related: bool = False, uncompress: bool = False) -> Wanted:
    """Return the frames of these ids, in their order."""

    def ask(session: Session) -> Iterable[BundleFrame]:
        found = bundle_of_ids(session, frame_ids)
        return with_related(session, found) if related else found

    asked = _told([f"{len(frame_ids)} frames by id"], related=related, uncompress=uncompress)
    return Wanted(ask, asked, frozenset(frame_ids), uncompress)


async def wanted_of_order(request: Request) -> Wanted:
    """Return what the order asks for: ids in its body, or a query in its URL, its body, or the body's ``query``.

    Raises
    ------
    HTTPException
        400, 413, 415: the body cannot be read.
    InvalidParameterError
        A value cannot be read, or nothing is asked for.
    """
    body = await read_body(request)
    if body and is_json(request):
        fields = await run_in_threadpool(_json_fields, body)
    else:
        fields = await parse_fields(request, body)
    fields = request.query_params.multi_items() + fields
    uncompress = flag(fields, "uncompress")
    if any(name in _ID_FIELDS for name, _ in fields):
        if any(name in ("query", *_NAMES) for name, _ in fields):
            raise InvalidParameterError("frame_ids", "Give either frame_ids or a query: both were given.")
        return wanted_by_ids(ids_of(fields), related=flag(fields, "related"), uncompress=uncompress)
    if not any(name == "query" or name in _NAMES for name, _ in fields):
        raise InvalidParameterError("frame_ids", "Neither frame_ids nor a query was given.")
    query = [pair for name, value in fields if name == "query" for pair in parse_qsl(value, keep_blank_values=True)]
    unknown = next((name for name, _ in query + fields if name not in (*_NAMES, *_ORDERED)), None)
    if unknown is not None:  # a list ignores it, but an order of all frames for a slip of the pen costs too much
        raise InvalidParameterError("query", f"Nothing can be asked by the name {unknown[:100]!r}.")
    return wanted_by_query(request, query + fields, uncompress=uncompress)


def ids_of(fields: Fields) -> Sequence[int]:
    """Return each id once; FrameNotFoundError for what no id can be."""
    values = [value.strip() for name, value in fields if name in _ID_FIELDS]
    if not all(_ID.fullmatch(value) for value in values):
        raise FrameNotFoundError
    return list(dict.fromkeys(int(value) for value in values))


def flag(fields: Fields, name: str) -> bool:
    """Return whether a flag is set; the last of its name counts."""
    word = dict(fields).get(name, "").strip().lower()
    if word not in _FLAGS:
        raise InvalidParameterError(name)
    return _FLAGS[word]


def _told(asked: Sequence[str], *, related: bool, uncompress: bool) -> tuple[str, ...]:
    more = [_RELATED] * related + ["unpacked where they are in tiles"] * uncompress
    return (*(asked or ["every frame"]), *more)


def _json_fields(body: bytes) -> Fields:
    """Return the members of an object, those of a list by their items, and those of ``query`` as they are.

    What is null is not given.
    """
    found: Fields = []
    for name, value in json_members(body).items():
        if value is None:
            continue
        if name == "query" and isinstance(value, dict):
            found += [("query", ""), *((inner, _text(inner, item)) for inner, item in value.items())]
        else:
            items = value if isinstance(value, list) else [value]
            text = json_text if name in _ID_FIELDS else _text
            found += [(name, text(name, item)) for item in items]
    return found


def _text(name: str, value: object) -> str:
    """Return a value as a URL has it: flags and numbers are words there, too."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, float) else json_text(name, value)

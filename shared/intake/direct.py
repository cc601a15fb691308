"""Uploads that a program without keys sends to the store itself: by presigned form, or in presigned parts."""

import datetime as dt

from shared.database import utc_now
from shared.errors import BadKeyError, InvalidParameterError
from shared.naming.keys import check_key
from shared.settings import Settings
from shared.store import multipart
from shared.store.client import Store
from shared.store.model import ObjectState

__all__ = ["DirectUploads", "checked_key"]

_FOLDER = "uploads/"
_CONTENT_TYPE = "application/fits"
_SUBSTITUTED = "${filename}"


class DirectUploads:
    """Hands out where to write an object, and makes one of its parts."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._store = store
        self._bucket = settings.bucket
        self._life = dt.timedelta(seconds=settings.upload_link_seconds)

    def by_form(self, filename: str, size: int | None) -> dict[str, object]:
        """Return address and fields of a form for a file of at most ``size`` bytes (5 GiB if it is unknown)."""
        key = _key(filename)
        most = multipart.MAX_SINGLE if size is None else size
        expires = utc_now() + self._life
        url, fields = self._store.presigner.post(
            key, bucket=self._bucket, expires=expires.replace(tzinfo=dt.UTC), sizes=range(1, most + 1)
        )
        return {"method": "POST", "key": key, "expires": _written(expires), "url": url, "fields": fields} | {
            "max_size": most
        }

    def in_parts(self, filename: str, size: int) -> dict[str, object]:
        """Begin a multipart upload of exactly ``size`` bytes, and return a link for each part."""
        key = _key(filename)
        parts = multipart.plan_parts(size)
        expires = utc_now() + self._life
        upload_id = multipart.begin(self._store, self._bucket, key, _CONTENT_TYPE)
        links = multipart.part_links(self._store, self._bucket, key, upload_id, parts, self._life)
        body = {"key": key, "upload_id": upload_id}
        return {
            "method": "PUT",
            "key": key,
            "expires": _written(expires),
            "upload_id": upload_id,
            "part_size": parts[0].size,
            "parts": [
                {"number": part.number, "size": part.size, "url": url} for part, url in zip(parts, links, strict=True)
            ],
            "complete": {"url": "uploads/complete/", "body": body | {"size": size}},
            "abort": {"url": "uploads/abort/", "body": body},
        }

    def complete(self, key: str, upload_id: str, size: int | None) -> ObjectState:
        """Make the object of the parts that are there.

        Raises
        ------
        InvalidParameterError
            A part is missing, or they are not ``size`` bytes together.
        ObjectGoneError
            There is no such upload.
        """
        parts = multipart.parts_there(self._store, self._bucket, checked_key("key", key), upload_id)
        if not parts or [part.number for part in parts] != list(range(1, len(parts) + 1)):
            raise InvalidParameterError("upload_id", "Parts of the upload are missing.")
        there = sum(part.size for part in parts)
        if size is not None and there != size:
            raise InvalidParameterError("size", f"{there} of {size} bytes are there.")
        multipart.complete(self._store, self._bucket, key, upload_id, parts)
        return self._store.head(self._bucket, key)

    def abort(self, key: str, upload_id: str) -> None:
        """Drop what was written of an upload; ObjectGoneError if there is no such upload."""
        multipart.parts_there(self._store, self._bucket, checked_key("key", key), upload_id)
        multipart.abort(self._store, self._bucket, key, upload_id)


def _key(filename: str) -> str:
    """Return the key of a file: a path is its own key, a name goes below ``uploads/``."""
    return checked_key("filename", filename if "/" in filename else f"{_FOLDER}{filename}")


def checked_key(parameter: str, key: str) -> str:
    """Return the key if an upload may have it; InvalidParameterError, which names the parameter, if not."""
    if _SUBSTITUTED in key:
        raise InvalidParameterError(
            parameter, f"Invalid value for {parameter}: the store would replace {_SUBSTITUTED}."
        )
    try:
        return check_key(key)
    except BadKeyError as error:
        raise InvalidParameterError(parameter, f"Invalid value for {parameter}: {error}.") from error


def _written(moment: dt.datetime) -> str:
    return moment.isoformat(timespec="seconds") + "Z"

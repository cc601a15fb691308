"""Presigned links and forms, for the store's public address, with the keys that boto3 found."""

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from shared.errors import StoreError
from shared.settings import Settings
from shared.store.signature import Keys, sign_form, sign_link

if TYPE_CHECKING:
    import boto3

__all__ = ["Presigner", "content_disposition"]

_UNSAFE = re.compile(r'[\x00-\x1f\x7f"\\/]')
_MOVING = re.compile(r"(^|/)\.\.?(/|$)")


class Presigner:
    """Signs links with an address of the store: Amazon's, or the one that is given.

    Links that others follow have the store's *public* address, which may differ from the one that functions use.
    ``session`` is asked for keys each time: those of a role are renewed.
    """

    def __init__(self, settings: Settings, session: Callable[[], "boto3.session.Session"], address: str | None) -> None:
        self._address = address.rstrip("/") if address is not None else None
        self._region, self._session = settings.s3_region, session
        if address is None:
            return
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/"):
            raise StoreError(f"not an address of an object store (http://host:port): {address}")

    def get(
        self,
        key: str,
        *,
        bucket: str,
        expires: dt.timedelta,
        version_id: str | None,
        filename: str | None = None,
        content_type: str | None = None,
    ) -> str:
        """Return a link that lets anyone GET the object until it expires.

        ``filename`` is what a browser saves it as. A key with a path segment ``.`` or ``..`` has no link that
        clients would not change on the way: StoreError.
        """
        if _MOVING.search(key):
            raise StoreError(f"no link for {bucket}/{key}: clients would change a path with . or .. in it")
        query = {
            "response-content-disposition": content_disposition(filename) if filename is not None else None,
            "response-content-type": content_type,
            "versionId": None if version_id == "null" else version_id,
        }
        return self._link("GET", bucket, key, expires, query)

    def post(self, key: str, *, bucket: str, expires: dt.datetime, sizes: range) -> tuple[str, dict[str, str]]:
        """Return address and fields of a form that lets anyone write the object until it expires.

        Parameters
        ----------
        expires
            With its time zone.
        sizes
            How many bytes the object may have.
        """
        conditions = [
            ["eq", "$bucket", bucket],
            ["eq", "$key", key],
            ["content-length-range", sizes.start, sizes.stop - 1],
        ]
        fields = sign_form(conditions, expires=expires.astimezone(dt.UTC), keys=self._keys(), region=self._region)
        address, path = self._place(bucket)
        return f"{address}{path}", {"key": key, **fields}

    def put_part(self, key: str, *, bucket: str, expires: dt.timedelta, upload_id: str, number: int) -> str:
        """Return a link that lets anyone PUT a part of a multipart upload until it expires."""
        return self._link("PUT", bucket, key, expires, {"uploadId": upload_id, "partNumber": str(number)})

    def _link(self, method: str, bucket: str, key: str, expires: dt.timedelta, query: Mapping[str, str | None]) -> str:
        address, path = self._place(bucket)
        return sign_link(
            method,
            address,
            f"{path.rstrip('/')}/{key}",
            {name: value for name, value in query.items() if value is not None},
            keys=self._keys(),
            region=self._region,
            life=int(expires.total_seconds()),
        )

    def _place(self, bucket: str) -> tuple[str, str]:
        """Return address and path of a bucket. With Amazon the host names it, unless no certificate covers that."""
        if self._address is not None:
            return self._address, f"/{bucket}"
        host = f"s3.{self._region}.amazonaws.com"
        return (f"https://{host}", f"/{bucket}") if "." in bucket else (f"https://{bucket}.{host}", "/")

    def _keys(self) -> Keys:
        credentials = self._session().get_credentials()
        keys = credentials.get_frozen_credentials() if credentials else None
        if keys is None or keys.access_key is None or keys.secret_key is None:
            raise StoreError("no keys for the object store: set FITSVAULT_S3_ACCESS_KEY and FITSVAULT_S3_SECRET_KEY")
        return Keys(keys.access_key, keys.secret_key, keys.token)


def content_disposition(filename: str) -> str:
    """Return the header value that saves a download under ``filename`` (RFC 6266, RFC 8187), whatever is in it."""
    safe = _UNSAFE.sub("_", filename) or "frame"
    plain = unicodedata.normalize("NFKD", safe).encode("ascii", "replace").decode().replace("?", "_")
    if plain == safe:
        return f'attachment; filename="{safe}"'
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(safe, safe='')}"

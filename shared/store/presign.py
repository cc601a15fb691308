"""Presigned links: made by the ``minio`` client, which signs some five times as fast as boto3."""

import datetime as dt
import re
import unicodedata
from urllib.parse import quote, urlsplit

import boto3
from minio import Minio
from minio.credentials.credentials import Credentials
from minio.credentials.providers import Provider
from minio.datatypes import PostPolicy

from shared.errors import StoreError
from shared.settings import Settings

__all__ = ["Presigner", "content_disposition"]

_UNSAFE = re.compile(r'[\x00-\x1f\x7f"\\/]')


class _BotoCredentials(Provider):
    """The keys that boto3 found (environment, role…), for the minio client; refreshed as boto3 refreshes them."""

    def __init__(self, session: boto3.session.Session) -> None:
        self._session = session

    def retrieve(self) -> Credentials:
        """Return the keys of this moment."""
        credentials = self._session.get_credentials()
        keys = credentials.get_frozen_credentials() if credentials else None
        if keys is None or keys.access_key is None or keys.secret_key is None:
            raise StoreError("no keys for the object store: set FITSVAULT_S3_ACCESS_KEY and FITSVAULT_S3_SECRET_KEY")
        return Credentials(keys.access_key, keys.secret_key, keys.token)


class Presigner:
    """Signs links with the store's *public* address, which may differ from the one that functions use."""

    def __init__(self, settings: Settings, session: boto3.session.Session) -> None:
        address = settings.s3_public_url or settings.s3_endpoint_url
        self._address, self._region = address, settings.s3_region
        if address is None:
            self._minio = Minio("s3.amazonaws.com", credentials=_BotoCredentials(session), region=settings.s3_region)
            return
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/"):
            raise StoreError(f"not an address of an object store (http://host:port): {address}")
        self._minio = Minio(
            parts.netloc,
            credentials=_BotoCredentials(session),
            secure=parts.scheme == "https",
            region=settings.s3_region,
        )

    def get(
        self,
        key: str,
        *,
        bucket: str,
        filename: str | None,
        expires: dt.timedelta,
        content_type: str | None,
        version_id: str | None,
    ) -> str:
        """Return a link that lets anyone GET the object until it expires.

        ``filename`` is what a browser saves it as. A key with a path segment ``.`` or ``..`` has no link that
        clients would not change on the way: StoreError.
        """
        headers: dict[str, str | list[str] | tuple[str]] = {}
        if filename is not None:
            headers["response-content-disposition"] = content_disposition(filename)
        if content_type is not None:
            headers["response-content-type"] = content_type
        try:
            return self._minio.presigned_get_object(
                bucket,
                key,
                expires=expires,
                response_headers=headers,
                version_id=None if version_id == "null" else version_id,
            )
        except ValueError as error:
            raise StoreError(f"no link for {bucket}/{key}: {error}") from error

    def post(self, key: str, *, bucket: str, expires: dt.datetime, sizes: range) -> tuple[str, dict[str, str]]:
        """Return address and fields of a form that lets anyone write the object until it expires.

        Parameters
        ----------
        expires
            With its time zone.
        sizes
            How many bytes the object may have.
        """
        policy = PostPolicy(bucket, expires)
        policy.add_equals_condition("key", key)
        policy.add_content_length_range_condition(sizes.start, sizes.stop - 1)
        fields = {"key": key, **self._minio.presigned_post_policy(policy)}
        if self._address is None:
            return f"https://{bucket}.s3.{self._region}.amazonaws.com/", fields
        return f"{self._address.rstrip('/')}/{bucket}", fields

    def put_part(self, key: str, *, bucket: str, expires: dt.timedelta, upload_id: str, number: int) -> str:
        """Return a link that lets anyone PUT a part of a multipart upload until it expires."""
        query: dict[str, str | list[str] | tuple[str]] = {"uploadId": upload_id, "partNumber": str(number)}
        return self._minio.get_presigned_url("PUT", bucket, key, expires=expires, extra_query_params=query)


def content_disposition(filename: str) -> str:
    """Return the header value that saves a download under ``filename`` (RFC 6266, RFC 8187), whatever is in it."""
    safe = _UNSAFE.sub("_", filename) or "frame"
    plain = unicodedata.normalize("NFKD", safe).encode("ascii", "replace").decode().replace("?", "_")
    if plain == safe:
        return f'attachment; filename="{safe}"'
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(safe, safe='')}"

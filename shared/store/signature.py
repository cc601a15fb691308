"""Amazon's signature version 4 for what is presigned, links and forms, by the signers of botocore.

A whole client of boto3 takes five times as long for each, and half a second to be made.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

__all__ = ["Keys", "sign_form", "sign_link"]


@dataclass(frozen=True, slots=True)
class Keys:
    """An access key with its secret, and the token of those that live for hours only."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


def sign_link(
    method: str, address: str, path: str, query: Mapping[str, str], *, keys: Keys, region: str, life: int
) -> str:
    """Return the link that lets anybody send this request.

    Parameters
    ----------
    address
        Scheme, host and port, such as ``https://host:9000``.
    path
        Bucket and key, or the key alone where the host names the bucket; not quoted.
    life
        Seconds from now on.
    """
    from botocore.auth import S3SigV4QueryAuth  # noqa: PLC0415 - a cold start does without, as long as nothing is signed
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415

    request = AWSRequest(method=method, url=f"{address}{quote(path, safe='/~')}", params=dict(query))
    S3SigV4QueryAuth(_credentials(keys), "s3", region, expires=life).add_auth(request)
    return str(request.url)


def sign_form(conditions: Sequence[Any], *, expires: dt.datetime, keys: Keys, region: str) -> dict[str, str]:
    """Return the fields that let anybody POST a form of which these conditions hold, until it expires (UTC)."""
    from botocore.auth import S3SigV4PostAuth  # noqa: PLC0415
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415

    fields: dict[str, str] = {}
    expiration = f"{expires:%Y-%m-%dT%H:%M:%S}.{expires.microsecond // 1000:03d}Z"
    request = AWSRequest(method="POST", url="https://any.bucket/")
    request.context["s3-presign-post-fields"] = fields
    request.context["s3-presign-post-policy"] = {"expiration": expiration, "conditions": list(conditions)}
    S3SigV4PostAuth(_credentials(keys), "s3", region).add_auth(request)
    return dict(request.context["s3-presign-post-fields"])


def _credentials(keys: Keys) -> Any:
    from botocore.credentials import Credentials  # noqa: PLC0415

    return Credentials(keys.access_key, keys.secret_key, keys.token)

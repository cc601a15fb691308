"""Where browsers meet the object store: the origins that links and forms lead to."""

from urllib.parse import urlsplit

from shared.settings import Settings

__all__ = ["store_origins"]


def store_origins(settings: Settings) -> tuple[str, ...]:
    """Return the origins of presigned links and forms: of the store's public address, or of both buckets on AWS."""
    address = settings.s3_public_url or settings.s3_endpoint_url
    if address is not None:
        parts = urlsplit(address)
        return (f"{parts.scheme}://{parts.netloc}",)
    host = f"s3.{settings.s3_region}.amazonaws.com"
    names = sorted({settings.bucket, settings.derived_bucket})
    return tuple(dict.fromkeys(f"https://{host}" if "." in name else f"https://{name}.{host}" for name in names))

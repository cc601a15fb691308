"""Uploads that break off half-way."""

import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["cut_put", "leave_multipart"]


def cut_put(s3: "S3Client", bucket: str, key: str, data: bytes, sent: int) -> None:
    """Promise an object, send so many of its bytes, and hang up."""
    url = urlsplit(s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=60))
    head = (
        f"PUT {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\n"
        f"Content-Length: {len(data)}\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection((url.hostname or "", url.port or 80), timeout=5) as connection:
        connection.sendall(head.encode("ascii") + data[:sent])


def leave_multipart(s3: "S3Client", bucket: str, key: str, data: bytes) -> None:
    """Begin an upload in parts, send one, and never come back."""
    upload = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=1, Body=data)

"""What stands before the store and writes down what it is asked for, in the words of IAM's policies."""

import http.client
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

__all__ = ["Action", "Recorder", "actions_of", "recording"]

_HOP = {"connection", "transfer-encoding", "keep-alive"}


class Action(NamedTuple):
    """What a policy allows or not."""

    name: str
    resource: str


def actions_of(method: str, target: str, headers: Mapping[str, str]) -> set[Action]:
    """Return what a request to S3, with the bucket in its path, needs to be allowed.

    As of "Actions defined by Amazon S3" in the Service Authorization Reference.
    """
    url = urlsplit(target)
    query = parse_qs(url.query, keep_blank_values=True)
    bucket, _, key = unquote(url.path).lstrip("/").partition("/")
    where = f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}"
    name = _bucket_action(method, query) if not key else _object_action(method, query)
    if name == "s3:DeleteObject" and not key:
        where += "/*"
    found = {Action(name, where)}
    if (source := headers.get("x-amz-copy-source")) is not None:
        path, _, version = unquote(source).lstrip("/").partition("?versionId=")
        found.add(Action("s3:GetObjectVersion" if version else "s3:GetObject", f"arn:aws:s3:::{path}"))
    return found


def _bucket_action(method: str, query: Mapping[str, Any]) -> str:
    if "delete" in query:
        return "s3:DeleteObject"
    if "uploads" in query:
        return "s3:ListBucketMultipartUploads"
    if "versioning" in query:
        return "s3:GetBucketVersioning"
    assert method in ("GET", "HEAD"), (method, query)
    return "s3:ListBucket"


def _object_action(method: str, query: Mapping[str, Any]) -> str:
    version = "Version" if "versionId" in query else ""
    match method:
        case "GET" if "uploadId" in query:
            return "s3:ListMultipartUploadParts"
        case "GET" | "HEAD":
            return f"s3:GetObject{version}"
        case "DELETE" if "uploadId" in query:
            return "s3:AbortMultipartUpload"
        case "DELETE":
            return f"s3:DeleteObject{version}"
    return "s3:PutObject"


class Recorder(ThreadingHTTPServer):
    """Hands on every request as it is."""

    daemon_threads = True

    def __init__(self, store: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.store = urlsplit(store).netloc
        self.actions: set[Action] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Recorder
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.actions |= actions_of(self.command, self.path, {k.lower(): v for k, v in self.headers.items()})
        connection = http.client.HTTPConnection(self.server.store, timeout=60)
        connection.request(self.command, self.path, body, dict(self.headers.items()))
        answer = connection.getresponse()
        data = answer.read()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _HOP and (name.lower() != "content-length" or self.command == "HEAD"):
                self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        connection.close()

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_PUT(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        self.do_GET()

    def do_DELETE(self) -> None:
        self.do_GET()

    def handle_expect_100(self) -> bool:
        self.send_response_only(100)
        self.end_headers()
        return True

    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def recording(store: str) -> Iterator[Recorder]:
    """Run one before the store for the length of the block."""
    recorder = Recorder(store)
    threading.Thread(target=recorder.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield recorder
    finally:
        recorder.shutdown()
        recorder.server_close()

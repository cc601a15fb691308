"""A stack of CloudFormation that waits for an answer: its event, and the address that takes what it is told."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["listening_stack", "stack_event"]


def stack_event(address: str, kind: str = "Create") -> dict[str, Any]:
    """Return what CloudFormation calls the function of a custom resource with."""
    return {
        "RequestType": kind,
        "ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:it-migrate",
        "ResponseURL": f"{address}/answer?signature=x",
        "StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/it/guid",
        "RequestId": "unique",
        "ResourceType": "AWS::CloudFormation::CustomResource",
        "LogicalResourceId": "Schema",
        "ResourceProperties": {"Revision": "0001"},
    }


@contextmanager
def listening_stack() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield an address, and the answers that came there."""
    told: list[dict[str, Any]] = []

    class Listener(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            assert not self.headers["Content-Type"], "the address is signed without one"
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

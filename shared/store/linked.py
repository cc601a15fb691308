"""Bytes by signed links, through boto3's own HTTP session; whoever imports this imports boto3."""

from botocore.awsrequest import AWSRequest
from botocore.exceptions import HTTPClientError
from botocore.response import StreamingBody

from shared.store.session import make_http_session

__all__ = ["LinkedBytes"]


class LinkedBytes:
    """What asks the store at ``address`` by links. Safe to share between threads."""

    def __init__(self, address: str) -> None:
        self._http = make_http_session(address)

    def open(self, link: str, headers: dict[str, str], length: int) -> StreamingBody | None:
        """Return the part of an object that the headers ask for, None if anything else is the answer."""
        try:
            answer = self._http.send(AWSRequest("GET", link, headers, stream_output=True).prepare())
        except HTTPClientError:
            return None
        if answer.status_code == 206:
            return StreamingBody(answer.raw, length)
        answer.raw.close()
        return None

"""A call by CloudFormation for a resource of a stack that is none of AWS's own: it waits for an answer at an address.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
"""

import json
import urllib.request
from collections.abc import Mapping
from typing import Any

__all__ = ["is_of_stack", "is_removal", "tell_stack"]

_SECONDS = 30.0
_RESOURCE = "fitsvault-schema"
"""One name for ever: CloudFormation deletes what it takes for replaced."""
_SHOWN = 1000


def is_of_stack(event: Mapping[str, Any]) -> bool:
    """Tell whether a stack waits for an answer."""
    return "ResponseURL" in event and "RequestType" in event


def is_removal(event: Mapping[str, Any]) -> bool:
    """Tell whether the stack gives the resource up."""
    return event.get("RequestType") == "Delete"


def tell_stack(event: Mapping[str, Any], data: Mapping[str, str], *, failure: str | None = None) -> None:
    """Answer the stack: all is well, or what is wrong, which lets it go back to what it was."""
    answer = {
        "Status": "SUCCESS" if failure is None else "FAILED",
        "Reason": (failure or "")[:_SHOWN],
        "PhysicalResourceId": _RESOURCE,
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "Data": dict(data),
    }
    request = urllib.request.Request(  # noqa: S310 - AWS's own address
        str(event["ResponseURL"]), json.dumps(answer).encode(), {"Content-Type": ""}, method="PUT"
    )
    with urllib.request.urlopen(request, timeout=_SECONDS):  # noqa: S310
        pass

"""The infrastructure template, deployed by CloudFormation: buckets, queue, dead-letter queue, notification."""

import re
import time
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localstack.state import StartError
from shared.settings import Settings
from shared.store.session import make_session

__all__ = ["TEMPLATE", "deploy_storage"]

TEMPLATE = Path(__file__).resolve().parents[2] / "infra" / "storage.yaml"
_SECONDS = 60.0
_PAUSE = 0.2
_BROKEN = ("ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED", "DELETE_FAILED")
_VISIBILITY_SECONDS = 30
"""The local poller extends it as long as it works, so it is how soon a message that failed is tried again."""


def deploy_storage(settings: Settings) -> str:
    """Deploy or update the stack of this archive's storage, and return the URL of its queue.

    Raises
    ------
    StartError
        CloudFormation says no, and why.
    """
    client = make_session(settings).client("cloudformation", endpoint_url=settings.s3_endpoint_url)
    stack = re.sub(r"[^A-Za-z0-9]+", "-", f"fitsvault-{settings.bucket}").strip("-")
    try:
        _ask(client, stack, settings)
        outputs = {one["OutputKey"]: one["OutputValue"] for one in _finished(client, stack).get("Outputs", [])}
    except (BotoCoreError, ClientError) as error:
        raise StartError(f"the storage template cannot be deployed: {error}") from error
    return str(outputs["QueueUrl"])


def _ask(client: Any, stack: str, settings: Settings) -> None:
    """Ask for the stack as the template has it now."""
    values = {
        "FramesBucketName": settings.bucket,
        "DerivedBucketName": settings.derived_bucket,
        "Versioning": "Off",
        "QueueName": f"{settings.bucket.replace('.', '-')}-events",
        "VisibilitySeconds": str(_VISIBILITY_SECONDS),
        "AllowedOrigins": ",".join(settings.page_origins),
    }
    parameters = [{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()]
    body = TEMPLATE.read_text()
    found = _found(client, stack)
    status = found["StackStatus"] if found else None
    if status in _BROKEN:
        client.delete_stack(StackName=stack)
        _finished(client, stack)
        status = None
    if status is None:
        client.create_stack(StackName=stack, TemplateBody=body, Parameters=parameters)
        return
    try:
        client.update_stack(StackName=stack, TemplateBody=body, Parameters=parameters)
    except ClientError as error:
        if "No updates are to be performed" not in str(error):
            raise


def _found(client: Any, stack: str) -> dict[str, Any] | None:
    try:
        stacks: list[dict[str, Any]] = client.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
        return None
    return next(iter(stacks), None)


def _finished(client: Any, stack: str) -> dict[str, Any]:
    """Return the stack once nothing is in progress; StartError with the reasons where it came to nothing."""
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        found = _found(client, stack)
        if found is None:
            return {}
        status = str(found["StackStatus"])
        if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE"):
            return found
        if not status.endswith("_IN_PROGRESS"):
            raise StartError(f"the stack {stack} is {status}: {_reasons(client, stack)}")
        time.sleep(_PAUSE)
    raise StartError(f"the stack {stack} is not ready after {_SECONDS:.0f} s")


def _reasons(client: Any, stack: str) -> str:
    events = client.describe_stack_events(StackName=stack)["StackEvents"]
    told = [
        f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}"
        for event in events
        if event["ResourceStatus"].endswith("_FAILED")
    ]
    return "; ".join(told) or "it does not say why"

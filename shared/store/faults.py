"""The one place that knows what a store's errors mean, and which of them are worth a retry."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from shared.errors import NoStoreKeysError, ObjectChangedError, ObjectGoneError, StoreError, StoreUnavailableError

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

__all__ = ["translated"]

_GONE = {"404", "NoSuchKey", "NoSuchVersion", "NoSuchUpload", "NotFound", "MethodNotAllowed", "405"}
_CHANGED = {"412", "PreconditionFailed"}
_BUSY = {"SlowDown", "Throttling", "ThrottlingException", "RequestTimeout", "ServiceUnavailable", "InternalError"}
_NO_KEYS = (
    "no keys for the object store; FITSVAULT_HOME must name the folder of a local archive that was started once,"
    " or set FITSVAULT_S3_ACCESS_KEY and FITSVAULT_S3_SECRET_KEY"
)


@contextmanager
def translated(action: str, bucket: str, key: str = "") -> Iterator[None]:
    """Turn what boto3 raises inside the block into the archive's own errors.

    Raises
    ------
    ObjectGoneError
        The object or that version of it does not exist; a version that is a delete marker counts as gone.
    ObjectChangedError
        A condition (If-Match) does not hold any more.
    StoreUnavailableError
        The store is away, overloaded or broken off; a retry may cure it.
    NoStoreKeysError
        There are no keys to ask it with.
    StoreError
        The store refused for good: no such bucket, no permission, a key that it does not take.
    """
    try:
        yield
    except Exception as error:
        fault = _fault(error, f"{action} {bucket}/{key}")
        if fault is None:
            raise
        raise fault from error


def _fault(error: Exception, what: str) -> StoreError | None:
    """Return what the archive calls an error; None for one that is not boto3's, which only an error has imported."""
    from botocore.exceptions import (  # noqa: PLC0415 - most answers of the API need no boto3
        BotoCoreError,
        ClientError,
        NoCredentialsError,
        ParamValidationError,
    )

    match error:
        case ClientError():
            return _from_answer(error, what)
        case NoCredentialsError():
            return NoStoreKeysError(_NO_KEYS)
        case ParamValidationError():
            return StoreError(f"{what}: {error}")
        case BotoCoreError():
            return StoreUnavailableError(f"{what}: {error}")
    return None


def _from_answer(error: "ClientError", what: str) -> StoreError:
    answer = error.response.get("Error", {})
    code = answer.get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    text = f"{what}: {code} {answer.get('Message', '')}".rstrip()
    if code in _GONE:
        return ObjectGoneError(text)
    if code in _CHANGED:
        return ObjectChangedError(text)
    if code in _BUSY or status >= 500 or status == 429:
        return StoreUnavailableError(text)
    return StoreError(text)

"""The one place that knows what a store's errors mean, and which of them are worth a retry."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    ParamValidationError,
    ResponseStreamingError,
)

from shared.errors import NoStoreKeysError, ObjectChangedError, ObjectGoneError, StoreError, StoreUnavailableError

__all__ = ["translated"]

_GONE = {"404", "NoSuchKey", "NoSuchVersion", "NoSuchUpload", "NotFound", "MethodNotAllowed", "405"}
_CHANGED = {"412", "PreconditionFailed"}
_BUSY = {"SlowDown", "Throttling", "ThrottlingException", "RequestTimeout", "ServiceUnavailable", "InternalError"}
_NO_KEYS = (
    "no keys for the object store; FITSVAULT_HOME must name the folder of a local archive that was started once,"
    " or set FITSVAULT_S3_ACCESS_KEY and FITSVAULT_S3_SECRET_KEY"
)
_BROKEN_CONNECTION = (HTTPClientError, IncompleteReadError, ResponseStreamingError)


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
    except ClientError as error:
        raise _from_answer(error, f"{action} {bucket}/{key}") from error
    except _BROKEN_CONNECTION as error:
        raise StoreUnavailableError(f"{action} {bucket}/{key}: {error}") from error
    except NoCredentialsError as error:
        raise NoStoreKeysError(_NO_KEYS) from error
    except ParamValidationError as error:
        raise StoreError(f"{action} {bucket}/{key}: {error}") from error
    except BotoCoreError as error:
        raise StoreUnavailableError(f"{action} {bucket}/{key}: {error}") from error


def _from_answer(error: ClientError, what: str) -> StoreError:
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

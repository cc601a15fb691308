"""All exceptions of the archive.

::

    FitsvaultError
    ├── FitsError                what an object is that cannot be indexed; permanent until it changes
    │   ├── NotFitsError         not FITS at all
    │   ├── TruncatedError       begins as FITS, ends too early
    │   ├── BadHeaderError       a header that cannot be read
    │   ├── BadDataError         a data unit that cannot be read
    │   ├── BadContainerError    a gzip or bzip2 stream that is broken
    │   ├── TooLargeError        unpacks to more than is allowed
    │   └── ReaderDiedError      whoever reads it is killed, again and again
    ├── StoreError               the object store said no
    │   ├── ObjectGoneError      no such object
    │   ├── ObjectChangedError   the object is not the one that was looked at
    │   ├── NoStoreKeysError     no keys to ask it with
    │   └── StoreUnavailableError  try again later
    ├── AccountError             an account or token that cannot be made or used
    │   ├── BadAccountError      a name or password that no account can have
    │   ├── AccountExistsError   the name is taken
    │   ├── LastSuperuserError   nobody would be left to manage accounts
    │   ├── BadCredentialsError  no such name and password
    │   ├── TooManyAttemptsError too many wrong passwords; wait
    │   ├── BadTokenError        no such token
    │   └── InactiveAccountError the token's account was switched off
    ├── RemoteError              a remote archive said no
    │   ├── RemoteRefusedError   no token, a wrong one, or a role that may not
    │   └── RemoteUnavailableError  try again later
    ├── NamingError              a name or key that cannot be made or used
    │   ├── BadTemplateError     a template that no name can be made from
    │   ├── MissingKeywordError  a header without a keyword that a name needs
    │   └── BadKeyError          a key, or what a header would make one of, that is refused
    ├── UploadError              an upload that does not become a frame
    ├── SourceError              an archive to be taken over that cannot be read
    ├── NotDeliveredError        a notification that its target did not take; a retry may cure it
    │   └── DeliveryRefusedError it never will
    ├── EventError               an event that no dialect knows, or a broken one
    │   └── UnwantedEventError   an event of a kind that changes no object, such as tagging
    ├── BackupError              a backup that cannot be read, or restored here
    ├── ResolverError            a name resolver that does not answer, or not as it should
    │   └── UnknownTargetError   it knows no position of a target of this name
    ├── SchemaError              the database's tables are not those of this version
    ├── OvertakenError           another has settled the object meanwhile; look again
    └── InvalidParameterError    a query parameter that cannot be read
"""

__all__ = [
    "AccountError",
    "AccountExistsError",
    "BackupError",
    "BadAccountError",
    "BadContainerError",
    "BadCredentialsError",
    "BadDataError",
    "BadHeaderError",
    "BadKeyError",
    "BadTemplateError",
    "BadTokenError",
    "DeliveryRefusedError",
    "EventError",
    "FitsError",
    "FitsvaultError",
    "InactiveAccountError",
    "InvalidParameterError",
    "LastSuperuserError",
    "MissingKeywordError",
    "NamingError",
    "NoStoreKeysError",
    "NotDeliveredError",
    "NotFitsError",
    "ObjectChangedError",
    "ObjectGoneError",
    "OvertakenError",
    "ReaderDiedError",
    "RemoteError",
    "RemoteRefusedError",
    "RemoteUnavailableError",
    "ResolverError",
    "SchemaError",
    "SourceError",
    "StoreError",
    "StoreUnavailableError",
    "TooLargeError",
    "TooManyAttemptsError",
    "TruncatedError",
    "UnknownTargetError",
    "UnwantedEventError",
    "UploadError",
]


class FitsvaultError(Exception):
    """Root of all exceptions of the archive."""


class FitsError(FitsvaultError):
    """An object that cannot be indexed; its message speaks to the author of the pipeline that wrote it.

    ``kind`` is the stable word under which failures are filed.
    """

    kind = "fits"


class NotFitsError(FitsError):
    """The object is not FITS at all."""

    kind = "not-fits"


class TruncatedError(FitsError):
    """The object begins as FITS and ends too early."""

    kind = "truncated"


class BadHeaderError(FitsError):
    """A header that cannot be read."""

    kind = "bad-header"


class BadDataError(FitsError):
    """A data unit that cannot be read."""

    kind = "bad-data"


class BadContainerError(FitsError):
    """A gzip or bzip2 stream that is broken."""

    kind = "bad-container"


class TooLargeError(FitsError):
    """The object unpacks to more bytes than the archive allows."""

    kind = "too-large"


class ReaderDiedError(FitsError):
    """Whoever reads the object is killed, again and again."""

    kind = "reader-died"


class StoreError(FitsvaultError):
    """The object store refused a request."""


class ObjectGoneError(StoreError):
    """There is no such object."""


class ObjectChangedError(StoreError):
    """The object is no longer the one that was looked at."""


class NoStoreKeysError(StoreError):
    """There are no keys to ask the object store with."""


class StoreUnavailableError(StoreError):
    """The object store is away or overloaded; a retry may cure it."""


class AccountError(FitsvaultError):
    """An account or token that cannot be made or used."""


class BadAccountError(AccountError):
    """A name or password that no account can have; the message says why."""


class AccountExistsError(AccountError):
    """There is an account of that name already."""


class LastSuperuserError(AccountError):
    """The last active superuser can be neither switched off nor given a lower role; the message says so."""


class BadCredentialsError(AccountError):
    """No active account has this name and password."""


class TooManyAttemptsError(AccountError):
    """Too many wrong passwords came for a name or from an address.

    Parameters
    ----------
    seconds
        How long to wait before the next attempt is looked at.
    """

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(f"too many attempts; {seconds} s to wait")


class BadTokenError(AccountError):
    """No token has this key."""


class InactiveAccountError(AccountError):
    """The account that the token belongs to was switched off."""


class RemoteError(FitsvaultError):
    """A remote archive did not do what it was asked for; the message says why."""


class RemoteRefusedError(RemoteError):
    """A remote archive wants a token, another one, or one of another role."""


class RemoteUnavailableError(RemoteError):
    """A remote archive is away or overloaded; a retry may cure it."""


class NamingError(FitsvaultError):
    """A name or key that cannot be made or used; the message is for whoever uploads."""


class BadTemplateError(NamingError):
    """A template that no name can be made from."""


class MissingKeywordError(NamingError):
    """A header without a keyword that a name needs.

    The message has double quotes around it, as clients of the predecessor know it.
    """

    def __init__(self, keyword: str) -> None:
        self.keyword = keyword
        super().__init__(f"\"Keyword '{keyword}' not found.\"")


class BadKeyError(NamingError):
    """A key, or what a header would make one of, that is refused."""


class UploadError(FitsvaultError):
    """An upload that does not become a frame; the message is for whoever uploads, and shows no internals."""


class SourceError(FitsvaultError):
    """An archive that is to be taken over and cannot be read, or a part of it that has no place here."""


class NotDeliveredError(FitsvaultError):
    """A notification that its target did not take, as far as is known; a retry may cure it.

    Parameters
    ----------
    retry_after
        Seconds that the target asks us to wait.
    """

    def __init__(self, message: str, *, retry_after: float = 0.0) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class DeliveryRefusedError(NotDeliveredError):
    """A notification that its target will not take, however often it is sent."""


class EventError(FitsvaultError):
    """An event that no dialect knows, or a broken one."""


class UnwantedEventError(EventError):
    """An event of a dialect that is known, of a kind that is none of ours: nobody should have subscribed to it."""


class BackupError(FitsvaultError):
    """A backup that is none, or damaged, or that this database does not take."""


class ResolverError(FitsvaultError):
    """A name resolver does not answer, or not as it should."""


class UnknownTargetError(ResolverError):
    """It knows no position of a target of this name."""


class SchemaError(FitsvaultError):
    """The database's tables are those of an older or a newer version; the message says what to do."""


class OvertakenError(FitsvaultError):
    """The index holds something else of the object than when it was looked at: what was seen may be old by now."""


class InvalidParameterError(FitsvaultError):
    """A query parameter that cannot be read.

    Parameters
    ----------
    name
        The parameter as the client wrote it.
    detail
        The whole sentence for the client; by default made from the name.
    """

    def __init__(self, name: str, detail: str | None = None) -> None:
        self.name = name
        self.detail = detail or f"Invalid value for {name}."
        super().__init__(self.detail)

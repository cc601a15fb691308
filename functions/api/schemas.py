"""What the answers look like, for the OpenAPI document. The answers themselves are made as plain data."""

import datetime as dt
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "ERRORS",
    "ZIP_CONTENT",
    "Bundle",
    "BundleOrder",
    "Bundles",
    "Created",
    "Credentials",
    "DirectUpload",
    "Download",
    "Error",
    "Facets",
    "Failure",
    "Failures",
    "Frame",
    "Frames",
    "Headers",
    "Health",
    "Key",
    "LeftOut",
    "Liveness",
    "LoginForm",
    "LogoutForm",
    "Readiness",
    "StoredObject",
    "UploadId",
    "UploadRequest",
]

ZIP_CONTENT = {"application/zip": {"schema": {"type": "string", "format": "binary"}}}


Position = Annotated[list[float], Field(min_length=2, max_length=2)]


class _Described(BaseModel):
    """What is only described: validators and serializers are built for nobody."""

    model_config = ConfigDict(defer_build=True)


class Error(_Described):
    """What went wrong."""

    detail: str


class Credentials(_Described):
    """Name and password of an account."""

    username: str
    password: str


class LoginForm(_Described):
    """What the form for logging in sends; `csrfmiddlewaretoken` must equal the cookie `csrftoken`."""

    username: str
    password: str
    csrfmiddlewaretoken: str
    next: str = ""


class LogoutForm(_Described):
    """What the form for logging out sends."""

    csrfmiddlewaretoken: str


class Key(_Described):
    """A new token."""

    token: str = Field(description="40 hexadecimal digits, shown only here.")


class Frame(_Described):
    """A frame. Times are UTC with `Z`, angles degrees (ICRS), EXPTIME seconds, sizes bytes or pixels."""

    id: int
    basename: str = Field(description="File name without extension.")
    SITEID: str
    TELID: str
    INSTRUME: str
    RLEVEL: int = Field(description="Reduction level; 0 for raw and unknown.")
    DATE_OBS: dt.datetime | None = Field(description="Start of the exposure, milliseconds cut.")
    FILTER: str | None = Field(description="null for a bias or dark.")
    OBJECT: str | None = Field(description="null for a bias or dark.")
    EXPTIME: float | None
    REQNUM: str | None
    OBSNUM: str | None
    OBSTYPE: str = Field(description="The header's own word for the type of frame.")
    binning: str = Field(description="As in `2x2`.")
    related_frames: list[int] = Field(description="Ids of the frames that this one's header names, ascending.")
    url: str = Field(description="Path of the download, relative to the API's root.")
    night: dt.date | None
    DAY_OBS: dt.date | None
    PROPID: str | None
    L1PUBDAT: dt.datetime | None = Field(description="When the frame becomes public.")
    RA: float | None
    DEC: float | None
    footprint: list[Position] | None = Field(description="RA and Dec of the four corners.")
    IMAGECLASS: str = Field(description="object, bias, dark, flat, focus, spectrum or other.")
    XBINNING: int | None
    YBINNING: int | None
    DATAMEAN: float | None = Field(description="Mean of the pixels.")
    width: int | None
    height: int | None
    bucket: str
    key: str
    filename: str
    size: int
    etag: str
    version_id: str | None
    last_modified: dt.datetime
    uploaded: dt.datetime
    ingested: dt.datetime
    crc32: str = Field(description="Of the stored bytes, 8 hexadecimal digits.")
    sha256: str = Field(description="Of the stored bytes.")
    checksum: str = Field(description="What CHECKSUM and DATASUM say: absent, verified or failed.")
    container: str = Field(description="none, gzip or bzip2.")
    hdus: list[str] = Field(description="Kinds of the HDUs.")
    notes: list[str] = Field(description="Oddities that ingest met.")
    ORIGNAME: str | None


class Frames(_Described):
    """A page of frames."""

    count: int = Field(description="How many frames the filters leave in all, exactly.")
    results: list[Frame]
    next: str | None = Field(None, description="With `cursor` alone: that of the next page; null on the last.")


class Facets(_Described):
    """Values that occur among the frames that the filters leave, sorted by code point."""

    imagetypes: list[str]
    sites: list[str]
    telescopes: list[str]
    instruments: list[str]
    filters: list[str] = Field(description='"None" stands for frames without filter keyword.')
    binnings: list[str]


class Headers(_Described):
    """Header cards, by default `{"key", "value"}` of the science header sorted by key."""

    results: list[dict[str, Any]]


class Download(_Described):
    """A link to the frame's bytes, which needs no token, and what they must add up to."""

    url: str
    expires: dt.datetime
    filename: str
    size: int
    crc32: str
    sha256: str


class FailedUpload(_Described):
    """A file that did not become a frame."""

    filename: str = Field(description="As its sender calls it.")
    error: str


class Created(_Described):
    """What became of uploaded files."""

    created: int = Field(description="How many frames were made or replaced.")
    filenames: list[str] = Field(description="Their basenames.")
    errors: list[str] = Field([], description="Why the others were not; the key is left out where all is well.")
    failed: list[FailedUpload] = Field([], description="The same, for each file; left out as well.")


class UploadRequest(_Described):
    """A file that a program wants to upload to the store itself."""

    filename: str = Field(description="A name, or a path with slashes, which is the key then.")
    size: int | None = Field(None, description="Bytes, which a multipart upload needs; for a form the most it takes.")
    multipart: bool = Field(False, description="In parts, whatever the size.")


class DirectUpload(_Described):
    """Where the bytes go: a form (`method` POST: `fields`, then the field `file`), or parts (PUT), then `complete`."""

    method: str
    key: str
    expires: dt.datetime
    url: str | None = None
    fields: dict[str, str] | None = None
    max_size: int | None = None
    upload_id: str | None = None
    part_size: int | None = None
    parts: list[dict[str, Any]] | None = Field(None, description="`number`, `size` and `url` of each.")
    complete: dict[str, Any] | None = Field(None, description="`url` to POST `body` to when all parts are there.")
    abort: dict[str, Any] | None = Field(None, description="`url` to POST `body` to instead.")


class UploadId(_Described):
    """A multipart upload, as the answer that began it names it."""

    key: str
    upload_id: str
    size: int | None = Field(None, description="Bytes of all parts together.")


class StoredObject(_Described):
    """An object that is there; its frame follows in a moment."""

    key: str
    size: int
    etag: str


class Failure(_Described):
    """An object that could not be indexed. It stays in the bucket."""

    id: int
    bucket: str
    key: str
    filename: str
    kind: str = Field(description="A stable word, such as `truncated` or `not-fits`.")
    message: str = Field(description="The reason, for the author of the pipeline that wrote the object.")
    size: int | None
    etag: str | None
    version_id: str | None
    attempts: int
    first_at: dt.datetime
    last_at: dt.datetime
    retry_at: dt.datetime | None = Field(description="When the next attempt is due, if one is.")


class Failures(_Described):
    """A page of failures, the latest attempt first."""

    count: int = Field(description="How many the filters leave in all.")
    results: list[Failure]


class BundleOrder(_Described):
    """What a bundle is to be made of: ids, or the filters of lists, here or in the URL."""

    frame_ids: list[int] | None = None
    query: str | dict[str, str] | None = Field(None, description="Filters as in the URL of a list: `night=2026-01-01`.")
    related: bool = Field(False, description="Also the frames that their headers name.")
    uncompress: bool = Field(False, description="Unpack what is tile-compressed.")


class LeftOut(_Described):
    """A frame that was asked for and is not in a bundle."""

    id: int
    filename: str
    reason: str


class Bundle(_Described):
    """A bundle that was ordered; `queued`, `building`, `ready` or `failed`. Paths are relative to its root."""

    id: str
    state: str
    status_url: str
    file_url: str = Field(description="Waits until it is ready, and redirects to the zip.")
    url: str | None = Field(description="A link to the zip that needs no token, once it is ready.")
    url_expires: dt.datetime | None
    filename: str
    asked: list[str] = Field(description="What was asked for, for people.")
    frames: int
    bytes: int = Field(description="Of the zip; of its frames alone, until it is planned.")
    bytes_done: int
    progress: float = Field(description="From 0 to 1.")
    bytes_passed: int | None = Field(description="Bytes that were not copied inside the store.")
    crc32: str | None = Field(description="Of the whole zip.")
    left_out: list[LeftOut]
    detail: str | None = Field(description="Why it failed, or waits.")
    created: dt.datetime
    finished: dt.datetime | None
    expires: dt.datetime | None = Field(description="When it is removed.")


class Bundles(_Described):
    """Bundles, the newest first."""

    count: int
    results: list[Bundle]


class Health(_Described):
    """State of the archive: `ok`, or what is wrong."""

    status: str
    database: str
    replica: str | None = Field(None, description="Only where there is one.")
    store: str


class Readiness(Health):
    """State of the archive and of its tables: `ok`, or what is wrong."""

    tables: str


class Liveness(_Described):
    """That the process answers."""

    status: str


ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": Error, "description": "A parameter cannot be read."},
    401: {"model": Error, "description": "No token, or one that does not let in."},
    403: {"model": Error, "description": "The account may not do this."},
    404: {"model": Error, "description": "No such frame."},
    429: {"model": Error, "description": "Too many wrong passwords; Retry-After says how long to wait."},
    502: {"model": Error, "description": "The object store refused."},
    503: {"model": Error, "description": "The index or the store is away, or a query took too long."},
}
"""Error answers by status."""

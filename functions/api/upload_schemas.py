"""What questions after uploads and their answers look like, for the OpenAPI document."""

from pydantic import BaseModel, Field

__all__ = ["MOST_KEYS", "UploadKeys", "UploadStates"]

MOST_KEYS = 200
"""Objects that can be asked after at once."""


class UploadKeys(BaseModel):
    """Objects of the science bucket."""

    keys: list[str] = Field(max_length=MOST_KEYS)


class UploadState(BaseModel):
    """What became of an object."""

    key: str
    state: str = Field(
        description="`waiting`, `indexed`, `failed`, or `absent`: there is no such object.",
        json_schema_extra={"enum": ["absent", "waiting", "indexed", "failed"]},
    )
    frame_id: int | None = Field(description="Of an indexed one.")
    kind: str | None = Field(description="Of a failure, a stable word; `unavailable` may be tried again by itself.")
    reason: str | None = Field(description="Of a failure, for the author of the file.")


class UploadStates(BaseModel):
    """What became of each object, in the order in which they were asked after."""

    results: list[UploadState]

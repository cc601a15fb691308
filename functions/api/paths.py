"""The parameters that paths have: ids of frames, of failures and of bundles."""

from typing import Annotated

from fastapi import Path
from starlette.convertors import Convertor, register_url_convertor

__all__ = ["BundleId", "FailureId", "FrameId"]

_LARGEST = 2**63 - 1


class _Digits(Convertor[int]):
    """ASCII digits, any number of them; what no database could hold becomes an id that no frame has."""

    regex = "[0-9]+"

    def convert(self, value: str) -> int:
        digits = value.lstrip("0") or "0"
        return min(int(digits), _LARGEST) if len(digits) <= len(str(_LARGEST)) else _LARGEST

    def to_string(self, value: int) -> str:
        return str(value)


class _Hex(Convertor[str]):
    """What ids of bundles look like."""

    regex = "[0-9a-f]{32}"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("digits", _Digits())
register_url_convertor("bundle", _Hex())

FrameId = Annotated[int, Path(description="Id of a frame, as in the frame object.")]
"""A frame's id in a path: ``{frame_id:digits}``."""

FailureId = Annotated[int, Path(description="Id of a failure.")]
"""A failure's id in a path: ``{failure_id:digits}``."""

BundleId = Annotated[str, Path(description="Id of a bundle.", json_schema_extra={"pattern": f"^{_Hex.regex}$"})]
"""A bundle's id in a path: ``{bundle_id:bundle}``."""

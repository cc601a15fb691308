"""The one kind of parameter that paths have: a frame's id."""

from typing import Annotated

from fastapi import Path
from starlette.convertors import Convertor, register_url_convertor

__all__ = ["FrameId"]

_LARGEST = 2**63 - 1


class _Digits(Convertor[int]):
    """ASCII digits, any number of them; what no database could hold becomes an id that no frame has."""

    regex = "[0-9]+"

    def convert(self, value: str) -> int:
        digits = value.lstrip("0") or "0"
        return min(int(digits), _LARGEST) if len(digits) <= len(str(_LARGEST)) else _LARGEST

    def to_string(self, value: int) -> str:
        return str(value)


register_url_convertor("digits", _Digits())

FrameId = Annotated[int, Path(description="Id of a frame, as in the frame object.")]
"""A frame's id in a path: ``{frame_id:digits}``."""

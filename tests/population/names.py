"""Names of files, as cameras and pipelines write them."""

from collections.abc import Iterable

__all__ = ["CODES", "lco_name", "maxim_name", "nina_name"]

CODES = {"bias": "b", "dark": "d", "skyflat": "f", "guiding": "g", "focus": "x", "acquisition": "a"}
"""The letters of image types in names of the observatory's own; all others are ``e``."""


def lco_name(place: str, date: str, number: int, code: str, level: int) -> str:
    """Return such as ``coj1m011-fl08-20151216-0049-e00``; ``place`` is site, telescope and instrument."""
    return f"{place}-{date}-{number:04d}-{code}{level:02d}"


def nina_name(words: Iterable[str], date: str, number: int, seconds: float, level: int) -> str:
    """Return such as ``2019-03-14_M 31_LIGHT_Hβ_60.00s_0012``."""
    day = f"{date[:4]}-{date[4:6]}-{date[6:]}"
    suffix = "_calibrated" if level else ""
    return f"{day}_{'_'.join(word for word in words if word)}_{seconds:.2f}s_{number:04d}{suffix}"


def maxim_name(words: Iterable[str], date: str, number: int, level: int) -> str:
    """Return such as ``M 31-20190314-0012R``."""
    target, *rest = (word for word in words if word)
    return f"{target}-{date}-{number:04d}{''.join(rest)}{'-red' if level else ''}"

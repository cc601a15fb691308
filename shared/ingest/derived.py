"""Derived objects against the index: what is missing, and what belongs to no frame. Pure.

Both sides come in the order of digests, so that memory does not grow with the archive.
"""

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from shared.index.holdings import DerivedOwner
from shared.store.model import ObjectState
from shared.store.naming import HEADERS, PREVIEW_LARGE, PREVIEW_SMALL, derived_key

__all__ = [
    "DERIVED_PREFIX",
    "REQUIRED",
    "DerivedSet",
    "Missing",
    "Orphan",
    "compare_derived",
    "derived_bound",
    "derived_folder",
    "derived_sets",
]

DERIVED_PREFIX = "frames/"
REQUIRED = frozenset({HEADERS, PREVIEW_SMALL, PREVIEW_LARGE})
"""Names that every frame has a derived object of."""

_LAST = "\U0010ffff"
_KEY = re.compile(r"frames/[0-9a-f]{2}/[0-9a-f]{2}/([0-9a-f]{64}/[0-9a-f]{16})/[^/]+")


@dataclass(frozen=True, slots=True)
class DerivedSet:
    """All derived objects under one digest, and when the last of them was written (naive UTC)."""

    digest: str
    keys: tuple[str, ...]
    last_modified: dt.datetime

    @property
    def names(self) -> frozenset[str]:
        """The last parts of the keys."""
        return frozenset(key.rsplit("/", 1)[-1] for key in self.keys)


@dataclass(frozen=True, slots=True)
class Missing:
    """A frame without some of its derived objects."""

    owner: DerivedOwner
    names: frozenset[str]

    @property
    def digest(self) -> str:
        """The digest under which they should stand."""
        return self.owner.digest


@dataclass(frozen=True, slots=True)
class Orphan:
    """Derived objects that belong to no frame."""

    found: DerivedSet

    @property
    def digest(self) -> str:
        """The digest under which they stand."""
        return self.found.digest


def derived_folder(digest: str) -> str:
    """Return what the keys of all derived objects under a digest begin with."""
    return derived_key(digest, "")


def derived_bound(digest: str) -> str:
    """Return a key behind all derived objects under ``digest`` and before those of the next.

    The first two digits of a digest stand before all that begin so. They end with a slash, since SeaweedFS, asked for
    what is behind a folder's name, leaves out the folder.
    """
    if "/" in digest:
        return derived_key(digest, _LAST)
    return f"{DERIVED_PREFIX}{digest}/" if digest else DERIVED_PREFIX


def derived_sets(listing: Iterable[ObjectState]) -> Iterator[DerivedSet]:
    """Group a listing of the derived bucket, which is in key order, by digest; other objects are left out."""
    keyed = ((match[1], found) for found in listing if (match := _KEY.fullmatch(found.key)))
    for digest, group in groupby(keyed, key=lambda pair: pair[0]):
        found = [state for _, state in group]
        yield DerivedSet(digest, tuple(state.key for state in found), max(state.last_modified for state in found))


def compare_derived(
    stored: Iterable[DerivedSet], owners: Iterable[DerivedOwner]
) -> Iterator[tuple[str, Missing | Orphan | None]]:
    """Merge the two, each in the order of digests; yield each digest with what is wrong with it, None for nothing."""
    remaining = iter(owners)
    owner = next(remaining, None)
    for found in stored:
        while owner is not None and owner.digest < found.digest:
            yield owner.digest, Missing(owner, REQUIRED)
            owner = next(remaining, None)
        if owner is None or owner.digest != found.digest:
            yield found.digest, Orphan(found)
            continue
        lacking = REQUIRED - found.names
        yield owner.digest, Missing(owner, lacking) if lacking else None
        owner = next(remaining, None)
    while owner is not None:
        yield owner.digest, Missing(owner, REQUIRED)
        owner = next(remaining, None)

"""Listings in byte order, from stores that list in byte order and from those that list folder by folder.

S3 lists keys in byte order: ``site-north/1`` before ``site/1``, since ``-`` is less than ``/``. SeaweedFS lists the
folder ``site`` before the folder ``site-north``, as file systems do. Whoever merges a listing with an index, cuts it
into ranges or goes on where another has stopped needs the same order everywhere.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from shared.errors import StoreError
from shared.store.model import ObjectState

__all__ = ["ListPage", "Page", "in_byte_order", "ranges_behind"]

_LAST = "\U0010ffff"
_BEHIND_SLASH = chr(ord("/") + 1)


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of a listing; ``is_truncated`` tells that there are more objects behind it, ``token`` leads there."""

    objects: Sequence[ObjectState]
    is_truncated: bool
    token: str | None = None


ListPage = Callable[[str, str], Page]
"""Lists objects with keys that begin with a prefix, behind a key, in the order of the store."""


def in_byte_order(list_page: ListPage, prefix: str = "", after: str = "") -> Iterator[ObjectState]:
    """Yield objects with keys that begin with ``prefix``, those behind ``after`` only, in byte order of their keys.

    Right for both orders. Memory is bounded by some pages for each level of folders; a folder costs requests of its
    own only where it does not fit into a page, so that they grow with the number of objects, not of folders.
    """
    if after < prefix:
        after = ""
    if after.startswith(prefix) or not after:
        yield from _Level(list_page, prefix, after).walk(None)


def ranges_behind(prefix: str, after: str) -> Iterator[tuple[str, str, bool]]:
    """Cut what lies behind ``after`` into listings of folders that begin at a name directly in them.

    Yields for each listing its prefix, the key behind which it begins, and whether that key itself belongs to it. For
    stores in byte order. MinIO, asked for what is behind ``2026/x``, counts all of ``2026-11-21/…`` as answered, which
    comes before it, and says that there is no more.
    """
    if after < prefix or not after:
        yield prefix, "", False
        return
    if not after.startswith(prefix):
        return
    base = prefix.rfind("/") + 1
    folder = after.rfind("/") + 1
    yield after[: max(folder, len(prefix))], after, False
    while folder > base:
        name_end = folder - 1
        folder = after.rfind("/", 0, name_end) + 1
        yield after[: max(folder, len(prefix))], after[:name_end] + _BEHIND_SLASH, True


class _Level:
    """The names directly below one folder.

    Of a listing folder by folder, a folder's keys come before those of its siblings with a longer name that go on
    with a character less than ``/``. They are held until all names are passed that may belong before them. What is
    left of a folder that goes on beyond the page is not read here, but jumped over, and walked at its turn.
    """

    def __init__(self, list_page: ListPage, prefix: str, after: str) -> None:
        self._list_page = list_page
        self._prefix = prefix
        self._base = prefix[: prefix.rfind("/") + 1]
        self._after = after
        self._position = ""
        self._held: list[tuple[str, int, ObjectState | tuple[str, Page | None]]] = []
        self._count = 0
        self._apart: tuple[str, ...] = self._pass_over(after) if after else ()

    def walk(self, page: Page | None) -> Iterator[ObjectState]:
        """Yield the objects; ``page`` is the first page where it was read already."""
        page = page or self._list_page(self._prefix, self._position)
        before = ""
        while page.is_truncated and page.objects:
            last = page.objects[-1].key
            if last == before:
                raise StoreError(
                    f"list: asked for what comes behind {self._position!r}, the store ends with {last!r} again"
                )
            before = last
            self._take(page, self._folder_of(last))
            yield from self._release(self._base + self._name_of(last))
            page = self._list_page(self._prefix, self._position)
        self._take(page, None)
        yield from self._release(None)

    def _pass_over(self, after: str) -> tuple[str, ...]:
        """Begin behind ``after``; return the folders that may stand before it in the listing and belong behind it."""
        name = self._name_of(after)
        if not name:  # keys with two slashes are in stores that list in byte order only
            self._position = after
            return ()
        longer = [name[:end] for end in range(1, len(name)) if name[end] < "/"]
        folders = [self._base + part + "/" for part in (*longer, name)]
        apart = tuple(folder for folder in folders if folder.startswith(self._prefix))
        for folder in apart:
            if folder + _LAST > after:
                self._hold(folder, (folder, None))
        self._position = after if after == self._base + name else self._base + name + "/" + _LAST
        return apart

    def _take(self, page: Page, goes_on: str | None) -> None:
        inside = []
        for found in page.objects:
            if found.key <= self._after or (self._apart and found.key.startswith(self._apart)):
                continue
            if goes_on is not None and found.key.startswith(goes_on):
                inside.append(found)
            else:
                self._hold(found.key, found)
        if goes_on is None:
            self._position = page.objects[-1].key if page.objects else self._position
            return
        if inside:
            self._hold(goes_on, (goes_on, Page(inside, is_truncated=True)))
        self._position = goes_on + _LAST

    def _hold(self, key: str, what: ObjectState | tuple[str, Page | None]) -> None:
        self._count += 1
        heappush(self._held, (key, self._count, what))

    def _release(self, limit: str | None) -> Iterator[ObjectState]:
        """Yield what is held up to a key that nothing unseen comes before; all of it without one."""
        while self._held and (limit is None or self._held[0][0] <= limit):
            what = heappop(self._held)[2]
            if isinstance(what, ObjectState):
                yield what
            else:
                folder, page = what
                after = self._after if self._after.startswith(folder) else ""
                yield from _Level(self._list_page, folder, after).walk(page)

    def _name_of(self, key: str) -> str:
        return key[len(self._base) :].split("/", 1)[0]

    def _folder_of(self, key: str) -> str | None:
        name, slash, _ = key[len(self._base) :].partition("/")
        return self._base + name + "/" if slash else None

"""Whether objects are still what the index says, without asking for each where a listing tells of a thousand."""

from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from itertools import groupby, islice

from shared.errors import ObjectChangedError, ObjectGoneError
from shared.store.client import Store
from shared.store.model import ObjectState

__all__ = ["missing_objects"]

_LISTED = 20_000
_LOOKED_AT = 500
_WORTH_A_LISTING = 8
_STRANGERS = 1000


def missing_objects(
    store: Store, states: Iterable[ObjectState], executor: Executor, *, waits: bool = False
) -> list[ObjectState]:
    """Return those of the objects that are gone or others by now.

    Listings confirm most of them; what no listing confirms is looked at, in threads of ``executor``. Where nobody
    ``waits`` as long as that takes, it is the first 20,000 objects, and up to 500 looks: for the rest, it turns out
    when they are read.
    """
    first = list(states if waits else islice(states, _LISTED))
    confirmed = set(_confirmed(store, first))
    doubtful = [state for state in first if state not in confirmed][: None if waits else _LOOKED_AT]

    def is_missing(state: ObjectState) -> bool:
        try:
            store.check(state)
        except (ObjectGoneError, ObjectChangedError):
            return True
        return False

    return [state for state, missing in zip(doubtful, executor.map(is_missing, doubtful), strict=True) if missing]


def _confirmed(store: Store, states: Iterable[ObjectState]) -> Iterator[ObjectState]:
    """Yield the objects that a listing of their folder shows as they should be."""
    for (bucket, folder), some in groupby(sorted(states, key=_by_key), key=_folder):
        group = {state.key: state for state in some}
        if len(group) >= _WORTH_A_LISTING:
            yield from _confirmed_in(store, bucket, folder, group)


def _confirmed_in(store: Store, bucket: str, folder: str, group: dict[str, ObjectState]) -> Iterator[ObjectState]:
    """Walk from the first of the keys to the last, unless too many others lie between them."""
    first, last = min(group, key=str.encode), max(group, key=str.encode)
    for listed in islice(store.walk_as_listed(bucket, prefix=folder, after=first[:-1]), len(group) + _STRANGERS):
        state = group.get(listed.key)
        if state is not None and (state.etag, state.size) == (listed.etag, listed.size):
            yield state
        if listed.key.encode() >= last.encode():
            return


def _by_key(state: ObjectState) -> tuple[str, bytes]:
    return state.bucket, state.key.encode()


def _folder(state: ObjectState) -> tuple[str, str]:
    path, slash, _ = state.key.rpartition("/")
    return state.bucket, path + slash

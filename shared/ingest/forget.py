"""An object that is gone leaves the index, and its derived objects go with it. Imports no reader."""

from sqlalchemy.orm import Session, sessionmaker

from shared.errors import ObjectGoneError, OvertakenError, StoreUnavailableError
from shared.ingest.entries import Entries
from shared.settings import Settings
from shared.store.client import Store

__all__ = ["forget_object"]

_ROUNDS = 8


def forget_object(settings: Settings, store: Store, sessions: sessionmaker[Session], key: str) -> bool:
    """Remove frame, failure and derived objects of an object that is gone; False if it is there (again).

    Raises
    ------
    StoreUnavailableError
        The store is away, or others settle the object again and again meanwhile.
    """
    entries = Entries(settings, store, sessions)
    for _ in range(_ROUNDS):
        known = entries.known(key)
        try:
            store.head(settings.bucket, key)
        except ObjectGoneError:
            try:
                entries.remove(key, known)
            except OvertakenError:
                continue
            return True
        return False
    raise StoreUnavailableError(f"{settings.bucket}/{key} was settled by others {_ROUNDS} times meanwhile")

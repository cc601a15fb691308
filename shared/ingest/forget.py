"""An object that is gone leaves the index, and its derived objects go with it. Imports no reader."""

import logging

from sqlalchemy.orm import Session, sessionmaker

from shared.database import write
from shared.index.failures import clear_failure
from shared.index.frames import find_object, remove_frame
from shared.settings import Settings
from shared.store.client import Store
from shared.store.naming import derived_keys

__all__ = ["forget_object"]

_log = logging.getLogger("fitsvault.ingest")


def forget_object(settings: Settings, store: Store, sessions: sessionmaker[Session], key: str) -> None:
    """Remove frame, failure and derived objects of an object of the science bucket."""
    bucket = settings.bucket
    with write(sessions) as session:
        before = find_object(session, bucket, key)
        remove_frame(session, bucket, key)
        clear_failure(session, bucket, key)
    if before is not None:
        store.delete(settings.derived_bucket, derived_keys(before.digest))
    _log.info("removed", extra={"bucket": bucket, "key": key, "frame": before.id if before else None})

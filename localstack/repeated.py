"""Work that is done again and again in a thread of the ingest host."""

import logging
import random
import threading
from abc import ABC, abstractmethod

from shared.backoff import delay
from shared.database import DATABASE_TROUBLE, reason_of
from shared.errors import StoreError

__all__ = ["Repeated"]

_LONGEST_PAUSE = 60.0
_PATIENCE = 15.0


class Repeated(ABC):
    """Does its work from ``start`` to ``stop``, every so many seconds and whenever it is woken; less often if it fails.

    Parameters
    ----------
    name
        Of the thread, and of what waits while the work fails: that goes to ``log``.
    every
        Seconds from one time to the next.
    """

    def __init__(self, name: str, log: logging.Logger, every: float) -> None:
        self._name = name
        self._log = log
        self._every = every
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @abstractmethod
    def work(self) -> None:
        """Do it; leave early if ``is_stopping``."""

    def is_stopping(self) -> bool:
        """Tell whether it is time to end."""
        return self._stop.is_set()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Have it work now."""
        self._wake.set()

    def stop(self) -> None:
        """End, after what is under way."""
        self._stop.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(_PATIENCE)

    def _run(self) -> None:
        troubles = 0
        while not self.is_stopping():
            self._wake.clear()
            try:
                self.work()
            except (StoreError, *DATABASE_TROUBLE) as error:
                troubles += 1
                self._log.error("%s wait", self._name, extra={"reason": reason_of(error)})
                self._stop.wait(delay(troubles, base=1.0, cap=_LONGEST_PAUSE, random=random.random()))  # noqa: S311
            except Exception:  # noqa: BLE001 - it is logged, and what waits is done all the same
                troubles += 1
                self._log.exception("%s wait", self._name)
                self._stop.wait(_LONGEST_PAUSE)
            else:
                troubles = 0
                if not self.is_stopping():
                    self._wake.wait(self._every)

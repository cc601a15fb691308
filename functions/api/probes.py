"""Whether what the API leans on is there: asked with a deadline, by one thread for each question."""

import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTimeError
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker
from starlette.responses import JSONResponse, Response

from functions.api.errors import describe
from shared.database import read
from shared.errors import ObjectGoneError, SchemaError, StoreError, StoreUnavailableError
from shared.index.models import Frame
from shared.schema import check_schema
from shared.settings import Settings

if TYPE_CHECKING:
    from shared.store.client import Store

__all__ = ["Probe", "health_answer", "index_state", "store_state", "tables_state"]

_DEADLINE = 3.0
_FRESH = {"Cache-Control": "no-store"}

_logger = logging.getLogger(__name__)


class Probe:
    """Asks one question at a time, and shares its answer among all who ask meanwhile.

    Parameters
    ----------
    question
        Returns ``ok`` or, in a few words for anyone, what is wrong.
    """

    def __init__(self, question: Callable[[], str], *, deadline: float = _DEADLINE) -> None:
        self._question = question
        self._deadline = deadline
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="probe")
        self._lock = threading.Lock()
        self._asked: Future[str] | None = None

    def state(self) -> str:
        """Return the answer, or ``no answer`` after the deadline in seconds."""
        with self._lock:
            if self._asked is None or self._asked.done():
                self._asked = self._thread.submit(self._question)
            asked = self._asked
        try:
            return asked.result(self._deadline)
        except NotInTimeError:
            return "no answer"

    def close(self) -> None:
        """End the thread, without waiting for an answer that is not there yet."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def health_answer(states: Mapping[str, str]) -> Response:
    """Return 200 where every part's state is ``ok``, else 503 with what is not; never to be kept."""
    wrong = [name for name, state in states.items() if state != "ok"]
    if not wrong:
        return JSONResponse({"status": "ok", **states}, headers=_FRESH)
    body = {"status": "unavailable", **states, "detail": f"Not ok: {', '.join(wrong)}."}
    return JSONResponse(body, 503, _FRESH | {"Retry-After": "5"})


def index_state(sessions: sessionmaker[Session]) -> str:
    """Return the state of the index."""
    try:
        with read(sessions) as session:
            session.execute(select(Frame.id).limit(1)).all()
    except SQLAlchemyError as error:
        _logger.error("index not available", extra=describe(error))  # noqa: TRY400
        return "not available" if isinstance(error, OperationalError) else "failing"
    return "ok"


def tables_state(sessions: sessionmaker[Session]) -> str:
    """Return whether the index has the tables of this version, or what to do."""
    try:
        check_schema(sessions.kw["bind"])
    except SchemaError as error:
        _logger.error("wrong schema", extra={"reason": str(error)})  # noqa: TRY400 - its words say it all
        return str(error)
    except SQLAlchemyError:
        return "not available"
    return "ok"


def store_state(store: "Store", settings: Settings) -> str:
    """Return the state of the object store's two buckets."""
    try:
        for bucket in (settings.bucket, settings.derived_bucket):
            store.check_bucket(bucket)
    except StoreError as error:
        _logger.error("store not available", extra=describe(error))  # noqa: TRY400
        return _WORDS.get(type(error), "refuses access")
    return "ok"


_WORDS = {ObjectGoneError: "bucket missing", StoreUnavailableError: "not available"}

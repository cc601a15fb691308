"""Nobody migrates before the first request on Lambda: the function itself makes sure that the schema is its own."""

import logging

from sqlalchemy import Engine
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from functions.api.errors import answer, describe
from shared.database import DATABASE_TROUBLE
from shared.errors import SchemaError
from shared.schema import check_schema

__all__ = ["SchemaCheck"]

_logger = logging.getLogger(__name__)


class SchemaCheck:
    """Middleware that answers 503 until the schema was found right, once for each instance of the function."""

    def __init__(self, app: ASGIApp, engine: Engine) -> None:
        self.app = app
        self._engine = engine
        self._is_right = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        detail = None if self._is_right else await run_in_threadpool(self._trouble)
        if detail is None:
            self._is_right = True
            await self.app(scope, receive, send)
        else:
            await answer(503, detail, {"Retry-After": "5"})(scope, receive, send)

    def _trouble(self) -> str | None:
        try:
            check_schema(self._engine)
        except SchemaError as error:
            _logger.error("wrong schema", extra={"reason": str(error)})  # noqa: TRY400 - its words say it all
            return "The index is of another version than the archive. Try again later."
        except DATABASE_TROUBLE as error:
            _logger.error("index not available", extra=describe(error))  # noqa: TRY400
            return "The index is not available. Try again later."
        return None

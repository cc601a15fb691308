"""The API on AWS Lambda, behind API Gateway (REST or HTTP API) or a function URL."""

import gc
from typing import Any

from mangum import Mangum

from functions.api.app import create_app
from functions.api.schema_check import SchemaCheck
from functions.api.stage import StagePrefix
from shared.logs import configure_logs
from shared.settings import settings

__all__ = ["handler"]

configure_logs(settings().log_level)

_app = create_app(pool="function")
_adapter = Mangum(StagePrefix(SchemaCheck(_app, _app.state.services.engine)), lifespan="off")
gc.freeze()  # what was imported stays: no answer waits until it has been looked through for garbage


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one request; the application is made once for each instance of the function."""
    return _adapter(event, context)

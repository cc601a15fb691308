"""The API on AWS Lambda, behind API Gateway (REST or HTTP API) or a function URL."""

import gc
from typing import Any

from mangum import Mangum

__all__ = ["handler"]


def _start() -> Mangum:
    """Import and make the application.

    What is made meanwhile stays: it is not looked through for garbage, neither now, which would be a tenth of a cold
    start, nor while a request waits for its answer.
    """
    from functions.api.app import create_app
    from functions.api.schema_check import SchemaCheck
    from functions.api.stage import StagePrefix
    from shared.logs import configure_logs
    from shared.settings import settings

    configure_logs(settings().log_level)
    app = create_app(pool="function")
    return Mangum(StagePrefix(SchemaCheck(app, app.state.services.engine)), lifespan="off")


gc.disable()
_adapter = _start()
gc.freeze()
gc.enable()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one request; the application is made once for each instance of the function."""
    return _adapter(event, context)

"""One log line for each change that somebody makes in the panel; never a password or a key."""

import logging

from starlette.requests import Request

__all__ = ["changed"]

_logger = logging.getLogger(__name__)


def changed(request: Request, what: str, **about: object) -> None:
    """Write down what was changed, and the account that did it."""
    _logger.info(what, extra=about | {"by": request.state.account.id})

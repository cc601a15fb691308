"""The bundle function, called as soon as there is work for it."""

import json
import logging
from typing import Any

from shared.settings import Settings

__all__ = ["BundleCaller"]

_log = logging.getLogger("fitsvault.bundle")


class BundleCaller:
    """Calls the function of the settings, without waiting for it; where there is none, others look for themselves."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: Any = None

    def call(self, job_id: str) -> None:
        """Have a bundle built. That the function cannot be called is only logged: it is called by the clock, too."""
        name = self._settings.bundle_function
        if name is None:
            return
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - who has no bundles needs no boto3

        from shared.store.session import make_session  # noqa: PLC0415

        try:
            if self._client is None:
                self._client = make_session(self._settings).client("lambda")
            payload = json.dumps({"bundle": job_id}).encode()
            self._client.invoke(FunctionName=name, InvocationType="Event", Payload=payload)
        except (BotoCoreError, ClientError) as error:
            _log.error("bundle function not called", extra={"bundle": job_id, "reason": str(error)})

"""The two web processes of the local archive: ``python -m localstack.serve api|ingest``."""

import os
import sys

import uvicorn

from shared.logs import configure_logs
from shared.settings import Settings

__all__ = ["main"]


def main() -> None:
    """Serve until we are told to stop; port and secret of the event door come by environment."""
    settings = Settings()
    configure_logs(settings.log_level)
    if sys.argv[1:] == ["ingest"]:
        from localstack.ingest_host import make_ingest_host  # noqa: PLC0415 - brings astropy, which the API does without

        app = make_ingest_host(settings, os.environ["FITSVAULT_EVENT_SECRET"])
        _serve(app, "127.0.0.1", int(os.environ["FITSVAULT_EVENT_PORT"]))
    else:
        from functions.api.app import create_app  # noqa: PLC0415

        _serve(create_app(settings), settings.host, settings.port)


def _serve(app: object, host: str, port: int) -> None:
    uvicorn.run(
        app,  # type: ignore[arg-type]
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=10,
    )


if __name__ == "__main__":
    main()

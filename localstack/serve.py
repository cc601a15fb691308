"""The processes of the archive, one by one: ``python -m localstack.serve api|ingest|prepare``.

``prepare`` makes what the other two need (tables, superuser, buckets, notification), and ends. It is for those who do
not let ``python -m localstack`` start them all.
"""

import sys

import uvicorn

from localstack.preparing import prepare_database
from localstack.protocol import GuardedProtocol
from localstack.state import StartError
from localstack.stores.setup import set_up_store
from shared.logs import configure_logs
from shared.settings import Settings

__all__ = ["main"]


def main() -> None:
    """Serve until we are told to stop."""
    settings = Settings()
    configure_logs(settings.log_level)
    parts = {"api": _api, "ingest": _ingest, "prepare": _prepare}
    if len(sys.argv) != 2 or sys.argv[1] not in parts:
        sys.exit(f"usage: python -m localstack.serve {'|'.join(parts)}")
    try:
        parts[sys.argv[1]](settings)
    except StartError as error:
        sys.exit(f"fitsvault: {error}")


def _api(settings: Settings) -> None:
    from functions.api.app import create_app  # noqa: PLC0415

    _serve(create_app(settings), settings.host, settings.port)


def _ingest(settings: Settings) -> None:
    from localstack.ingest_host import make_ingest_host  # noqa: PLC0415 - brings astropy, which the API does without

    if settings.event_port is None:
        raise StartError("the ingest host needs FITSVAULT_EVENT_PORT")
    _serve(make_ingest_host(settings), settings.event_host, settings.event_port)


def _prepare(settings: Settings) -> None:
    if settings.s3_endpoint_url is None or settings.admin_password is None:
        raise StartError("to prepare an archive, set FITSVAULT_S3_ENDPOINT_URL and FITSVAULT_ADMIN_PASSWORD")
    prepare_database(settings)
    for news in set_up_store(settings).news:
        print(f"fitsvault: {news}", file=sys.stderr)  # noqa: T201 - for who prepares


def _serve(app: object, host: str, port: int) -> None:
    uvicorn.run(
        app,  # type: ignore[arg-type]
        host=host,
        port=port,
        http=GuardedProtocol,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=10,
    )


if __name__ == "__main__":
    main()

"""The processes of the archive, one by one: ``python -m localstack.serve api|ingest|prepare``.

``prepare`` makes what the other two need (tables, superuser, buckets, notification), and ends. It is for those who do
not let ``python -m localstack`` start them all.
"""

import asyncio
import gc
import socket
import sys
from collections.abc import Callable
from contextlib import suppress

import uvicorn
from nats.errors import Error as NatsError
from starlette.applications import Starlette

from localstack.preparing import prepare_database
from localstack.protocol import GuardedProtocol, StoreProtocol
from localstack.state import StartError
from localstack.stores.setup import set_up_store
from shared.logs import configure_logs
from shared.settings import Settings

__all__ = ["main", "make_api_server", "make_ingest_server"]

_IDLE_SECONDS = 180
"""How long an idle connection stays: longer than stores, clients and proxies keep theirs (SeaweedFS 90 s, Caddy 120 s),
who would post to one that is just being closed.
"""


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
    _run(make_api_server(settings))


def _ingest(settings: Settings) -> None:
    _run(make_ingest_server(settings))


def make_api_server(settings: Settings) -> uvicorn.Server:
    """Return the server of the API, ready to run."""
    from functions.api.app import create_app  # noqa: PLC0415
    from localstack.metrics import meter  # noqa: PLC0415

    return _Server(meter(create_app(settings)), settings.host, settings.port)


def make_ingest_server(settings: Settings) -> uvicorn.Server:
    """Return the server of the ingest host, ready to run; StartError where settings lack."""
    from localstack.ingest_host import make_ingest_host  # noqa: PLC0415 - brings astropy, which the API does without

    if settings.event_port is None:
        raise StartError("the ingest host needs FITSVAULT_EVENT_PORT")
    host = make_ingest_host(settings)
    return _Server(host, settings.event_host, settings.event_port, protocol=StoreProtocol, at_stop=host.state.let_go)


def _prepare(settings: Settings) -> None:
    if settings.s3_endpoint_url is None or settings.admin_password is None:
        raise StartError("to prepare an archive, set FITSVAULT_S3_ENDPOINT_URL and FITSVAULT_ADMIN_PASSWORD")
    prepare_database(settings)
    if settings.nats_url is not None:
        _prepare_streams(settings)
    for news in set_up_store(settings).news:
        print(f"fitsvault: {news}", file=sys.stderr)  # noqa: T201 - for who prepares


def _prepare_streams(settings: Settings) -> None:
    from localstack.jetstream import ensure_streams  # noqa: PLC0415 - only where there is one

    try:
        asyncio.run(ensure_streams(settings))
    except (NatsError, OSError) as error:
        raise StartError(f"no streams in the NATS of FITSVAULT_NATS_URL: {error}") from error


class _Server(uvicorn.Server):
    """Lets go of requests that wait for something else, before those that are under way are waited for."""

    def __init__(
        self,
        app: Starlette,
        host: str,
        port: int,
        *,
        protocol: type[GuardedProtocol] = GuardedProtocol,
        at_stop: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                http=protocol,
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=_IDLE_SECONDS,
                timeout_graceful_shutdown=10,
            )
        )
        self._at_stop = at_stop

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._at_stop()
        await super().shutdown(sockets)


def _run(server: uvicorn.Server) -> None:
    # What was imported stays. To look through it for garbage again and again would hold up long answers by 0.1 s.
    gc.collect()
    gc.freeze()
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(3)


if __name__ == "__main__":
    main()

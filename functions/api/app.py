"""The REST API as an ASGI application."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from functions.api.dependencies import make_services
from functions.api.envelope import Envelope
from functions.api.errors import add_error_answers
from functions.api.routes import (
    accounts,
    bundle_files,
    bundles,
    catalogs,
    creation,
    downloads,
    failures,
    frames,
    headers,
    health,
    metrics,
    orders,
    overviews,
    pages,
    previews,
    tokens,
    uploads,
)
from functions.api.slashes import add_routing_answers
from functions.api.tracing import Traced
from functions.api.web.routes import frame as frame_page
from functions.api.web.routes import search, static
from shared.database import Pool
from shared.settings import Settings
from shared.settings import settings as process_settings

__all__ = ["create_app"]

_DESCRIPTION = """An archive of astronomical images: query frames, look at headers and previews, download.

Every path answers HEAD where it answers GET. A path without its last slash is redirected to the one with it.
Errors are JSON, `{"detail": "…"}`."""


def create_app(settings: Settings | None = None, *, pool: Pool = "server") -> FastAPI:
    """Make the application; without ``settings`` with those of the process."""
    services = make_services(settings or process_settings(), pool=pool)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None, None]:
        yield
        services.close()

    app = FastAPI(
        title="fitsvault",
        description=_DESCRIPTION,
        version="1",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.state.services = services
    app.state.metrics = None
    for routes in (
        search,
        frame_page,
        static,
        pages,
        health,
        metrics,
        tokens,
        accounts,
        frames,
        overviews,
        headers,
        previews,
        catalogs,
        downloads,
        creation,
        uploads,
        bundles,
        orders,
        bundle_files,
        failures,
    ):
        app.include_router(routes.router)
    add_error_answers(app)
    add_routing_answers(app)
    app.add_middleware(Envelope)
    app.add_middleware(Traced)
    return app

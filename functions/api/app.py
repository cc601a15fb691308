"""The REST API as an ASGI application."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from functions.api.dependencies import make_services
from functions.api.envelope import Envelope
from functions.api.errors import add_error_answers
from functions.api.lazy import LazyRoutes
from functions.api.parts import PARTS
from functions.api.slashes import add_routing_answers
from functions.api.tracing import Traced
from shared.database import Pool
from shared.settings import Settings
from shared.settings import settings as process_settings

__all__ = ["create_app"]

_DESCRIPTION = """An archive of astronomical images: query frames, look at headers and previews, download.

Every path answers HEAD where it answers GET. A path without its last slash is redirected to the one with it.
Errors are JSON, `{"detail": "…"}`, but a page for browsers, which accept `text/html` first."""


def create_app(settings: Settings | None = None, *, pool: Pool = "server") -> FastAPI:
    """Make the application; without ``settings`` with those of the process.

    Its parts are imported when a path of theirs is first asked for; a server that starts imports all of them at once.
    """
    services = make_services(settings or process_settings(), pool=pool)
    routes = LazyRoutes(PARTS, services)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None, None]:
        routes.all()
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
    app.state.routes = routes
    app.router.routes.append(routes)
    add_error_answers(app)
    add_routing_answers(app)
    app.add_middleware(Envelope)
    app.add_middleware(Traced)
    return app

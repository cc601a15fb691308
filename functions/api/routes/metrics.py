"""Figures for Prometheus, where a process keeps any."""

import hmac

from fastapi import APIRouter, Depends, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from functions.api.authentication import TOKEN_SCHEME, StaffRoute
from functions.api.dependencies import get_services
from functions.api.schemas import ERRORS

__all__ = ["router"]


class _MetricsRoute(StaffRoute):
    """A route for staff, and for whoever shows the token of the settings: that works while the index is away."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        token = get_services(request := Request(scope, receive)).settings.metrics_token
        expected = f"Bearer {token.get_secret_value()}" if token is not None else ""
        given = request.headers.get("authorization", "")
        if expected and hmac.compare_digest(given.encode(), expected.encode()):
            await self.answer(scope, receive, send)
        else:
            await super().handle(scope, receive, send)


router = APIRouter(
    tags=["service"],
    route_class=_MetricsRoute,
    dependencies=[Depends(TOKEN_SCHEME)],
    responses={status: ERRORS[status] for status in (401, 403, 503)},
)


@router.get(
    "/metrics/",
    summary="Show figures for Prometheus",
    response_class=Response,
    response_model=None,
    responses={
        200: {"description": "Prometheus's text format.", "content": {"text/plain": {"schema": {"type": "string"}}}},
        404: {"model": ERRORS[404]["model"], "description": "This process keeps none: on AWS CloudWatch does."},
    },
)
@router.get("/metrics", include_in_schema=False, response_model=None)
def get_metrics(request: Request) -> Response:
    """Return what this process has done, and the state of the archive. For staff, or with the metrics token."""
    metrics = request.app.state.metrics
    if metrics is None:
        raise HTTPException(404, "Not found.")
    body, content_type = metrics()
    return Response(body, media_type=content_type, headers={"Cache-Control": "no-store"})

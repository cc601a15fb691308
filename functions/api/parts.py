"""The parts of the API, in the order of its documentation: what answers which paths, and how each is imported.

Whoever asks for one list of frames does not wait until the rest has been imported, which on Lambda is much of a cold
start. The imports stand within functions, where `infra.packaging` finds them as well.
"""

from collections.abc import Sequence

from starlette.routing import BaseRoute, Mount

from functions.api.dependencies import Services
from functions.api.lazy import Load

__all__ = ["PARTS"]

Routes = Sequence[BaseRoute]


def _search(_: Services) -> Routes:
    from functions.api.web.routes import search

    return search.router.routes


def _frame_page(_: Services) -> Routes:
    from functions.api.web.routes import frame

    return frame.router.routes


def _bundles_page(_: Services) -> Routes:
    from functions.api.web.routes import bundles

    return bundles.router.routes


def _failures_page(_: Services) -> Routes:
    from functions.api.web.routes import failures

    return failures.router.routes


def _upload_page(_: Services) -> Routes:
    from functions.api.web.routes import upload

    return upload.router.routes


def _static(_: Services) -> Routes:
    from functions.api.web.routes import static

    return static.router.routes


def _pages(_: Services) -> Routes:
    from functions.api.routes import pages

    return pages.router.routes


def _health(_: Services) -> Routes:
    from functions.api.routes import health

    return health.router.routes


def _metrics(_: Services) -> Routes:
    from functions.api.routes import metrics

    return metrics.router.routes


def _tokens(_: Services) -> Routes:
    from functions.api.routes import tokens

    return tokens.router.routes


def _accounts(_: Services) -> Routes:
    from functions.api.routes import accounts

    return accounts.router.routes


def _frames(_: Services) -> Routes:
    from functions.api.routes import frames

    return frames.router.routes


def _resolve(_: Services) -> Routes:
    from functions.api.routes import resolve

    return resolve.router.routes


def _overviews(_: Services) -> Routes:
    from functions.api.routes import overviews

    return overviews.router.routes


def _headers(_: Services) -> Routes:
    from functions.api.routes import headers

    return headers.router.routes


def _previews(_: Services) -> Routes:
    from functions.api.routes import previews

    return previews.router.routes


def _catalogs(_: Services) -> Routes:
    from functions.api.routes import catalogs

    return catalogs.router.routes


def _downloads(_: Services) -> Routes:
    from functions.api.routes import downloads

    return downloads.router.routes


def _creation(_: Services) -> Routes:
    from functions.api.routes import creation

    return creation.router.routes


def _uploads(_: Services) -> Routes:
    from functions.api.routes import uploads

    return uploads.router.routes


def _bundles(_: Services) -> Routes:
    from functions.api.routes import bundles

    return bundles.router.routes


def _orders(_: Services) -> Routes:
    from functions.api.routes import orders

    return orders.router.routes


def _bundle_files(_: Services) -> Routes:
    from functions.api.routes import bundle_files

    return bundle_files.router.routes


def _failures(_: Services) -> Routes:
    from functions.api.routes import failures

    return failures.router.routes


def _admin(_: Services) -> Routes:
    from functions.api.admin.gate import AdminGate
    from functions.api.admin.panel import make_panel

    return [Mount("/admin", app=AdminGate(make_panel()), name="admin")]


PARTS: dict[str, Load] = {
    "": _search,
    "view": _frame_page,
    "view/bundles": _bundles_page,
    "view/delete": _bundles_page,
    "view/failures": _failures_page,
    "view/upload": _upload_page,
    "static": _static,
    "docs": _pages,
    "openapi.json": _pages,
    "health": _health,
    "metrics": _metrics,
    "api-token-auth": _tokens,
    "accounts": _accounts,
    "frames": _frames,
    "frames/aggregate": _overviews,
    "frames/facets": _overviews,
    "frames/nights": _overviews,
    "frames/sky": _overviews,
    "resolve": _resolve,
    "frames/headers": _headers,
    "frames/preview": _previews,
    "frames/catalog": _catalogs,
    "frames/download": _downloads,
    "create": _creation,
    "frames/create": _creation,
    "frames/delete": _creation,
    "uploads": _uploads,
    "zip": _bundles,
    "frames/zip": _bundles,
    "bundles": _orders,
    "bundles/file": _bundle_files,
    "ingest": _failures,
    "admin": _admin,
}
"""How parts are loaded, by the first segment of their paths, or by the first and the last (`LazyRoutes`)."""

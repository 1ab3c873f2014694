"""The console as an ASGI application."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec
import structlog
from quart import request
from quart_trio import QuartTrio
from quart_trio.wrappers import TrioResponse as Response
from werkzeug.exceptions import HTTPException

from console.access import MAX_BODY_BYTES
from console.api.auth import auth_api
from console.api.contacts import contacts_api
from console.api.files import files_api, request_class
from console.api.pages import pages_api
from console.api.site import site_api
from console.api.socket import socket_api
from console.api.supervisor import supervisor_api
from console.live import Hub
from console.problems import Problem, problem_of
from engine.config import SiteConfig
from engine.facade import Facade
from engine.logins import Logins
from engine.store import Store

STATIC: Final = Path(__file__).parent / "static"
BODY_TIMEOUT_S: Final = 10

_log: Final = structlog.get_logger(__name__)


def create_console(
    service: Facade, store: Store, auth: Logins, site: SiteConfig, *, static: Path = STATIC
) -> QuartTrio:
    """Return the console.

    Args:
        service: the running engine.
        store: conversations and messages.
        auth: who is let in.
        site: names and titles.
        static: where the page's build is.
    """
    app = QuartTrio(__name__, static_folder=None)
    app.request_class = request_class(site.store.attachment_bytes)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.config["BODY_TIMEOUT"] = BODY_TIMEOUT_S
    hub = Hub(service, store, site)

    @app.before_serving
    async def start() -> None:
        await app.nursery.start(hub.run)

    @app.after_serving
    async def stop() -> None:
        hub.stop()

    app.register_error_handler(Exception, _answer_error)
    app.after_request(_no_store)
    for blueprint in (
        auth_api(auth),
        site_api(service, site, auth),
        socket_api(service, store, auth, hub),
        contacts_api(service, store, auth),
        files_api(service, store, auth),
        supervisor_api(service, store, auth, hub),
        pages_api(static),
    ):
        app.register_blueprint(blueprint)
    return app


async def _answer_error(error: Exception) -> Response:
    problem = problem_of(error)
    if problem is None and isinstance(error, HTTPException):
        code = (error.name or "error").lower().replace(" ", "_")
        problem = Problem(error.code or 500, code, error.description or code)
    if problem is None:
        # Numbers alone, a contact's: whatever else stands in an address was typed by somebody.
        numbers = {name: at for name, at in (request.view_args or {}).items() if isinstance(at, int)}
        _log.error("a request failed", **numbers, exc_info=error)
        problem = Problem(500, "error", "this went wrong here; it has been logged")
    response = Response(
        msgspec.json.encode({"error": problem.body()}), status=problem.status, content_type="application/json"
    )
    if problem.retry_after_ms is not None:
        response.headers["Retry-After"] = str(-(-problem.retry_after_ms // 1_000))
    return response


async def _no_store(response: Response) -> Response:
    """Keep answers out of caches: they are one person's, and true for a moment."""
    if request.path.startswith("/api/"):
        response.headers["Cache-Control"] = "no-store"
    return response

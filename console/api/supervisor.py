"""`/api/overview` and `/api/agents`: what supervisors see and do."""

from __future__ import annotations

from quart import Blueprint, request
from quart_trio.wrappers import TrioResponse as Response

from console.access import check_origin, supervisor
from console.acts import unlock
from console.api.site import done
from console.live import Hub
from console.sight import sight_of
from engine.facade import Facade
from engine.logins import Logins
from engine.store import Store


def supervisor_api(service: Facade, store: Store, logins: Logins, hub: Hub) -> Blueprint:
    """Return the blueprint."""
    api = Blueprint("supervisor", __name__, url_prefix="/api")

    @api.get("/overview")
    async def overview() -> Response:
        sight = sight_of(service.site, await supervisor(logins))
        return Response(hub.overview(sight), content_type="application/json")

    @api.post("/agents/<agent>/unlock")
    async def unlock_agent(agent: str) -> Response:
        check_origin(request)
        await unlock(service, store, await supervisor(logins), agent)
        return done()

    return api

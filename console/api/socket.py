"""`/api/ticket` and `/ws`: a page's live connection.

Browsers cannot put a header on a WebSocket, and an address with a token in it ends in logs. So the page asks
for a ticket that is good once, for half a minute, and opens the socket with that.
"""

from __future__ import annotations

from quart import Blueprint, request, websocket
from quart_trio.wrappers import TrioResponse as Response

from console.access import check_origin, identify
from console.api.site import reply
from console.live import Hub
from console.problems import Problem
from console.socket import Socket
from engine.auth import BadToken
from engine.facade import Facade
from engine.logins import Logins
from engine.store import Store


def socket_api(service: Facade, store: Store, logins: Logins, hub: Hub) -> Blueprint:
    """Return the blueprint."""
    api = Blueprint("socket", __name__)

    @api.post("/api/ticket")
    async def ticket() -> Response:
        check_origin(request)
        return reply({"ticket": logins.ticket(await identify(logins))})

    @api.websocket("/ws")
    async def live() -> None:
        # Both before `accept`: a refused page never gets a socket to keep open.
        check_origin(websocket)
        try:
            identity = logins.redeem(websocket.args.get("ticket", ""))
        except BadToken:
            raise Problem(
                403, "bad_ticket", "the ticket is unknown, used or expired; get a new one"
            ) from None
        await websocket.accept()
        socket = Socket(service, store, logins, identity)
        await socket.serve(websocket, hub, websocket.scope.get("state", {}).get("closing"))

    return api

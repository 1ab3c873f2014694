"""`/api/contacts`: the messages of a contact in hand."""

from __future__ import annotations

from quart import Blueprint, request
from quart_trio.wrappers import TrioResponse as Response

from console.access import identify
from console.acts import acts_of
from console.api.site import reply
from console.problems import Problem, unknown_contact
from engine.facade import Facade
from engine.logins import Logins
from engine.store import Store


def contacts_api(service: Facade, store: Store, logins: Logins) -> Blueprint:
    """Return the blueprint."""
    api = Blueprint("contacts", __name__, url_prefix="/api/contacts")

    @api.get("/<int:contact>/messages")
    async def messages(contact: int) -> Response:
        identity = await identify(logins)
        if contact >= 1 << 53:
            raise unknown_contact()
        return reply(await acts_of(service, store, identity).history(contact, _after()))

    return api


def _after() -> int:
    text = request.args.get("after", "0")
    if not (text.isascii() and text.isdecimal() and len(text) < 16):
        raise Problem(400, "malformed", "after: expected a position, 0 or more", field="after")
    return int(text)

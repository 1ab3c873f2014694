"""`/api/site` for everybody, `/api/config-view` for those inside: names and titles."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from quart import Blueprint
from quart_trio.wrappers import TrioResponse as Response

from console.access import identify
from console.desk_view import titles
from console.sight import sight_of
from engine.config import SiteConfig
from engine.facade import Facade
from engine.logins import Logins

LANGUAGES = ("zh", "en")


def site_api(service: Facade, site: SiteConfig, logins: Logins) -> Blueprint:
    """Return the blueprint."""
    api = Blueprint("site", __name__, url_prefix="/api")

    @api.get("/site")
    async def show_site() -> Response:
        return reply({"name": site.name, "title": titles(site), "languages": LANGUAGES})

    @api.get("/config-view")
    async def show_configuration() -> Response:
        sight = sight_of(site, await identify(logins))
        return reply(
            {
                "queues": _named((name, one) for name, one in site.queues.items() if sight.has_queue(name)),
                "reasons": _named(site.reasons.items()),
                "agents": _named((name, one) for name, one in site.agents.items() if sight.has_agent(name)),
                "channels": [
                    {
                        "name": name,
                        "title": titles(channel),
                        "exclusive": channel.exclusive,
                        "file_bytes": _file_bytes(service, name),
                    }
                    for name, channel in site.channels.items()
                ],
                "targets": _named(site.targets.items()),
            }
        )

    return api


def _file_bytes(service: Facade, channel: str) -> int:
    """How large a file an agent may send to the channel's customers; 0 = none."""
    return 0 if service.conversations is None else service.conversations.takes_bytes(channel)


def reply(value: Any) -> Response:
    """Return a JSON response."""
    return Response(msgspec.json.encode(value), content_type="application/json")


def done() -> Response:
    """Return an answer without content."""
    return Response(b"", status=204)


def _named(sections: Iterable[tuple[str, Any]]) -> list[dict[str, Any]]:
    return [{"name": name, "title": titles(section)} for name, section in sections]

"""Who is at the other end of a connection of the gateway."""

from __future__ import annotations

from typing import NamedTuple

from engine.bus import Scope
from engine.gateway_submit import PeerKind


class Peer(NamedTuple):
    """Who is at the other end.

    Attributes:
        kind: what its token says it is.
        name: what it calls itself, for the log.
        channel: a plugin's channel, name and number.
        scope: the events that it gets.
        address: where it comes from; None over a Unix socket.
        any_agent: whether an edge may attach agents without their sign-ins.
    """

    kind: PeerKind
    name: str
    channel: tuple[str, int] | None
    scope: Scope
    address: str | None
    any_agent: bool = True

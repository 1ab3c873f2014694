"""An edge beside a service, in one process: the same facade over a real socket and the real journal."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from engine.edge.door import EdgeDoor
from engine.edge.handing import receive_site
from engine.edge.opening import Edge, open_edge
from engine.health import HealthPage
from engine.message_store import MessageStore
from engine.service import Service

WELL = HealthPage(200, b'{"ok":true}')


@asynccontextmanager
async def edge_beside(service: Service, store: MessageStore, secret: bytes) -> AsyncIterator[Edge]:
    """Open an edge of a running service.

    Args:
        service: the core.
        store: the store of both.
        secret: the site's key for arrival keys.
    """
    ours, theirs = (trio.SocketStream(trio.socket.from_stdlib_socket(one)) for one in socket.socketpair())
    async with trio.open_nursery() as nursery:
        door = EdgeDoor(service.site, nursery)
        door.unlock(service, _well)
        door.connect(ours)
        site = await receive_site(theirs)
        async with theirs, open_edge(site, theirs, store, secret, clock=service.clock) as edge:
            yield edge
        nursery.cancel_scope.cancel()


async def _well(path: str, trusted: bool) -> HealthPage:
    await trio.lowlevel.checkpoint()
    return WELL

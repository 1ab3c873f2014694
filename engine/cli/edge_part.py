"""The edge as the core runs it: what it is given, and what happens to one that stands still."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from functools import partial

import trio

from engine.cli.parts import Given, Part
from engine.config import SiteConfig
from engine.edge.door import EdgeDoor
from engine.errors import ConfigError
from engine.lifecycle import PID_FILE
from engine.web import listen

STOP_S = 10.0
"""Its pages say good-bye first, which takes as long as `engine.web.WebLimits` has it."""

GONE_WITHIN_S = 5.0
"""An edge that the core does not hear any more ends by itself, if it can."""

LET_GO_S = 5.0
"""How long a killed site's edge may take to let go of the pages' address; mostly it is milliseconds."""


def edge_part(door: EdgeDoor, listeners: Sequence[trio.SocketListener], words: Sequence[str]) -> Part:
    """Return the part, not started yet.

    Args:
        door: where it comes in.
        listeners: of the pages.
        words: how it logs.
    """
    return Part(["edge", *words], give=partial(_given_to_edge, door, listeners), stop_s=STOP_S)


async def listen_for_pages(stack: AsyncExitStack, site: SiteConfig) -> list[trio.SocketListener]:
    """Open the pages' address for the edge: who comes while it is started again waits, and is not refused.

    After a `kill -9` the edge before lets go of it some milliseconds later than this process.
    """
    killed = (site.data / PID_FILE).exists()
    until_s = trio.current_time() + (LET_GO_S if killed else 0)
    while True:
        try:
            listeners = await listen(site.web.bind, "web.bind")
        except ConfigError:
            if trio.current_time() >= until_s:
                raise
            await trio.sleep(LET_GO_S / 100)
        else:
            for listener in listeners:
                stack.push_async_callback(listener.aclose)
            return listeners


async def end_silent(door: EdgeDoor, edge: Part) -> None:
    """Kill an edge that has left and lives on: it stands still, and another one can serve the pages."""
    while True:
        await door.left.wait()
        door.left = trio.Event()
        await trio.sleep(GONE_WITHIN_S)
        if not door.connected:
            edge.signal(signal.SIGKILL)


@contextmanager
def _given_to_edge(door: EdgeDoor, listeners: Sequence[trio.SocketListener]) -> Iterator[Given]:
    """A socket to this process, and those of the pages."""
    ours, theirs = socket.socketpair()
    with theirs:
        door.connect(trio.SocketStream(trio.socket.from_stdlib_socket(ours)))
        web = [listener.socket.fileno() for listener in listeners]
        words = ["--link", str(theirs.fileno()), "--web", *map(str, web)]
        yield Given(words, [theirs.fileno(), *web])

"""Opens an edge at its end of the socket: what it sees of the site, up to date."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import NamedTuple

import structlog
import trio

from engine.clock import Clock
from engine.config import SiteConfig
from engine.conversations import Conversations
from engine.edge.link import Link
from engine.edge.pages import CorePages
from engine.edge.service import EdgeService
from engine.follower import Follower
from engine.message_store import MessageStore
from engine.messages.between import Page
from engine.model import Frame

_log = structlog.get_logger(__name__)


class Edge(NamedTuple):
    """An edge that is up to date.

    Attributes:
        service: what pages and channels see of the site.
        link: to the core.
        core: shows the core's health.
    """

    service: EdgeService
    link: Link
    core: CorePages


@asynccontextmanager
async def open_edge(
    site: SiteConfig,
    stream: trio.SocketStream,
    store: MessageStore,
    secret: bytes,
    *,
    clock: Clock | None = None,
) -> AsyncIterator[Edge]:
    """Follow the site within the block.

    Args:
        site: the configuration that is in force in the core, see `engine.edge.handing`.
        stream: to the core, see `engine.edge.door`.
        store: where conversations are kept.
        secret: the site's key for arrival keys.
        clock: another clock, for tests.

    Raises:
        LinkLost: the core has gone; the block is cancelled.
        JournalError: the journal cannot be followed; likewise.
    """
    link = Link(stream)
    follower = await trio.to_thread.run_sync(partial(Follower, site.data / "journal", newest=True))
    try:
        service = EdgeService(site, link, follower, clock)
        service.conversations = Conversations(service, store, secret)
        core = CorePages(link)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(link.run, partial(_take, service, core))
            nursery.start_soon(service.run)
            await service.up_to_date()
            _log.info("the edge is up to date", seq=service.seq)
            yield Edge(service, link, core)
            nursery.cancel_scope.cancel()
    finally:
        follower.close()


def _take(service: EdgeService, core: CorePages, message: Frame) -> None:
    if isinstance(message, Page):
        core.take(message)
    else:
        service.take(message)

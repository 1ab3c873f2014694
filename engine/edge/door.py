"""The core's end of the socket to its own edge: a connection of the gateway with more to say.

No token is asked for: the socket is one of a pair that the core has made itself, and handed to the process
that it has started.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog
import trio

from engine.bus import ForNotices
from engine.channel_health import Away, ChannelHealth, hosted
from engine.config import SiteConfig
from engine.edge.handing import hand_over_site
from engine.edge.telling import notice_of, told
from engine.gateway_connection import Connection
from engine.gateway_peer import Peer
from engine.health import HealthPage, Pages
from engine.messages.between import (
    Asked,
    Bell,
    Between,
    ByHand,
    ChannelAway,
    EdgeState,
    Heard,
    Holds,
    LeaseOver,
    MessageTold,
    Page,
    TypingTold,
    decode_between,
)
from engine.model import encode_frame
from engine.notices import Notice
from engine.service import Service

PEER: Final = Peer("part", "edge", None, ForNotices(), None)
STARTING: Final = HealthPage(503, b'{"ok":false}')
_log = structlog.get_logger(__name__)


class EdgeDoor:
    """Takes the site's edge in, and again after it has come back.

    Args:
        site: its configuration.
        nursery: where connections are served.

    Attributes:
        channels: hosted channel -> how it is.
        opened: set once an edge has its pages open.
        is_open: whether one has them open now.
        left: set when one has gone; whoever waits for it makes it anew.
        connected: whether one is at the other end, or is being started there.
        page: gives the health pages that an edge shows; None until there is a service.
    """

    def __init__(self, site: SiteConfig, nursery: trio.Nursery) -> None:
        self.channels = hosted(site)
        self.opened = trio.Event()
        self.is_open = False
        self.left = trio.Event()
        self.connected = False
        self.page: Pages | None = None
        self._site = site
        self._nursery = nursery
        self._service: Service | None = None
        self._unlocked = trio.Event()

    def unlock(self, service: Service, page: Pages) -> None:
        """Let the edge in: the service runs."""
        self._service, self.page = service, page
        service.hosted = self.channels
        self._unlocked.set()

    def connect(self, stream: trio.SocketStream) -> None:
        """Serve an edge at the other end of `stream`, as soon as there is a service."""
        self._nursery.start_soon(self._serve, stream)

    def state(self, said: EdgeState) -> None:
        """Take what the edge says of itself."""
        for name, health in said.channels.items():
            if name in self.channels:
                self.channels[name] = ChannelHealth(*health)
        self.is_open = True
        self.opened.set()

    async def _serve(self, stream: trio.SocketStream) -> None:
        self.connected = True
        async with stream:
            try:
                await self._unlocked.wait()
                assert self._service is not None
                await hand_over_site(stream, self._site)
                await _EdgeConnection(self._service, stream, self).run(b"", lambda: None)
            except* (trio.BrokenResourceError, trio.ClosedResourceError):
                pass  # it has gone, and whoever runs it starts it again
            finally:
                self.is_open = self.connected = False
                self.left.set()
                self.channels.update(hosted(self._site))


class _EdgeConnection(Connection):
    """One life of an edge."""

    def __init__(self, service: Service, stream: trio.SocketStream, door: EdgeDoor) -> None:
        super().__init__(service, stream, PEER, None)
        self._door = door
        self._heard = trio.Event()
        self._held_agents: set[int] = set()
        self._held_channels: set[int] = set()

    async def run(self, received: bytes, opened: Callable[[], None]) -> None:
        """Serve until either side closes; whom it held is held by it no more."""
        leases = self._service.leases
        leases.on_lost, leases.on_away = self._tell_lease, self._tell_away
        try:
            await super().run(received, opened)
        finally:
            leases.on_lost = leases.on_away = None
            if trio.current_effective_deadline() == -math.inf:
                leases.stop()
            leases.agents.drop(self._held_agents)
            leases.channels.drop(self._held_channels)

    def _welcome(self) -> None:
        """Before the welcome it is told who is not there: its pages never show anything else."""
        leases = self._service.leases
        for agent, at_us in leases.lost_at_us.items():
            self._tell_lease(agent, at_us)
        for channel, away in leases.away.items():
            self._tell_away(channel, away)
        super()._welcome()

    def _tasks(self) -> Sequence[Callable[[], Awaitable[None]]]:
        return (self._ring,)

    async def _ring(self) -> None:
        """Say that there are batches, and not again before those have been read: the edge sets the pace."""
        seq = self._service.seq
        while True:
            seq = await self._service.bus.beyond(seq)
            self._heard = trio.Event()
            self._subscriber.push_frame(encode_frame(Bell(seq=seq)))
            await self._heard.wait()

    async def _frame_of(self, notice: Notice) -> bytes:
        return encode_frame(told(notice, self._service.seq))

    async def _control(self, body: bytes) -> None:
        message = decode_between(body)
        if message is None:
            await super()._control(body)
        else:
            self._take(message)

    def _take(self, message: Between) -> None:
        service = self._service
        match message:
            case Heard():
                self._heard.set()
            case MessageTold() | TypingTold():
                service.bus.notify(notice_of(message, service.seq), but=self._subscriber.id)
            case Holds(on=on, agents=agents, channels=channels):
                self._hold(agents, channels, on=on)
            case ByHand(queue=queue, state=state, at=at):
                service.by_hand.note(queue, state, at)
            case LeaseOver(agent=agent):
                service.leases.lost_at_us.pop(agent, None)
            case EdgeState():
                self._door.state(message)
            case Asked():
                self._nursery.start_soon(self._show, message)
            case _:
                _log.error("an edge has said what only the core says", kind=type(message).__name__)

    def _hold(self, agents: Sequence[int], channels: Sequence[int], *, on: bool) -> None:
        leases = self._service.leases
        for held, holds, numbers in (
            (self._held_agents, leases.agents, agents),
            (self._held_channels, leases.channels, channels),
        ):
            if on:
                holds.take(set(numbers) - held)
                held.update(numbers)
            else:
                holds.drop(held.intersection(numbers))
                held.difference_update(numbers)

    def _tell_lease(self, agent: int, at_us: int) -> None:
        self._subscriber.push_frame(encode_frame(LeaseOver(agent=agent, at=at_us)))

    def _tell_away(self, channel: int, away: Away | None) -> None:
        since_us, until_us = away or (0, 0)
        told = ChannelAway(channel=channel, since=since_us, until=until_us)
        self._subscriber.push_frame(encode_frame(told))

    async def _show(self, asked: Asked) -> None:
        shown = STARTING if self._door.page is None else await self._door.page(asked.path, asked.trusted)
        page = Page(
            number=asked.number, status=shown.status, content_type=shown.content_type, body=shown.body
        )
        self._subscriber.push_frame(encode_frame(page))

"""Leases of agents and graces of plugins: what happens when nobody has been there for too long.

1. An agent is held by whoever shows presence for it: the feed of its console pages, and every edge connection
   that has attached it. When the last has been gone for `agent_lease_s`, the core is told `lease_lost`.
2. A channel is held by its plugin: a connection that speaks for it, or the hosted channel while it is open.
   When the last has been gone for the channel's `grace_s`, who waits or rings on it is released, and whoever
   comes to wait while it is still gone at the next look. Engaged contacts are left to their agents.
3. Coming back in time changes nothing. After a start all agents who are in, and all channels, have it whole;
   who had lost it before is recalled from the events that are at hand.
4. Agents whom nobody has ever held since the start, as those that a connection of type admin signs in, have
   no lease. When the service stops nobody loses one: it is the service that goes.

Nothing of it is journaled but what comes of it.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

import structlog
import trio

from engine.channel_health import Away
from engine.conversations import number_of
from engine.errors import Busy, Malformed, Refused
from engine.model import AgentSignedIn, Command, LeaseLost, LeaseLostEvent, Release, ReleasedBy
from engine.router import decode_events

if TYPE_CHECKING:
    from engine.service import Service

SIGNED_OUT: Final = 0
RELEASED_STATES: Final = (0, 1)
"""Waiting and offered."""
MICROS: Final = 1_000_000
LOST_MARK: Final = b"\x95\x72\x01"
SIGNED_IN_MARK: Final = b"\x94\x50\x01"
"""How such events begin: an array of five or four, kind 114 or 80, version 1. The rest is not decoded."""
SHOWN: Final = 20
"""Contacts that a line of the log names; a crowd's would be a long one."""
AT_ONCE: Final = 500
"""Contacts whose release is asked for together: a batch holds them, and the inbox has room for others."""

_log = structlog.get_logger(__name__)


class Holds:
    """Numbers that somebody holds, and that are lost some time after the last holder has gone.

    Args:
        lasts_s: how long after; 0 = never lost.
        lose: what is done then. It is called for many at the same time.
        told: called with a number when the first has come and when the last has gone.
    """

    def __init__(
        self,
        lasts_s: Callable[[int], float],
        lose: Callable[[int], Awaitable[None]],
        told: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._lasts_s = lasts_s
        self._lose = lose
        self._told = told
        self._holders: Counter[int] = Counter()
        self._ends: dict[int, float] = {}
        self._order: list[tuple[float, int]] = []
        self._changed = trio.Event()
        self._stopped = False

    def is_held(self, number: int) -> bool:
        """Return whether somebody is there."""
        return number in self._holders

    @contextmanager
    def held(self, number: int) -> Iterator[None]:
        """Hold a number in this block."""
        self.take([number])
        try:
            yield
        finally:
            self.drop([number])

    def take(self, numbers: Iterable[int]) -> None:
        """Hold each of these once more."""
        for number in numbers:
            self._holders[number] += 1
            self._ends.pop(number, None)
            if self._holders[number] == 1:
                self._told(number)

    def drop(self, numbers: Iterable[int]) -> None:
        """Hold each of these once less."""
        for number in numbers:
            self._holders[number] -= 1
            if not self._holders[number]:
                del self._holders[number]
                self.begin([number])
                self._told(number)

    def begin(self, numbers: Iterable[int]) -> None:
        """Let those that nobody holds be lost, as long from now as they last."""
        now_s = trio.current_time()
        for number in numbers:
            lasts_s = self._lasts_s(number)
            if lasts_s and not self._stopped and number not in self._holders:
                self._ends[number] = now_s + lasts_s
                heapq.heappush(self._order, (now_s + lasts_s, number))
        self._changed.set()

    def stop(self) -> None:
        """Lose nothing any more."""
        self._stopped = True
        self._ends.clear()

    async def run(self) -> None:
        """Lose what is due, until cancelled."""
        async with trio.open_nursery() as nursery:
            while True:
                await self._until_due()
                now_s = trio.current_time()
                while (first := self._first()) is not None and first[0] <= now_s:
                    heapq.heappop(self._order)
                    del self._ends[first[1]]
                    nursery.start_soon(self._lose, first[1])

    def _first(self) -> tuple[float, int] | None:
        """The first end that still holds."""
        while self._order:
            end_s, number = self._order[0]
            if self._ends.get(number) == end_s:
                return end_s, number
            heapq.heappop(self._order)
        return None

    async def _until_due(self) -> None:
        while True:
            first = self._first()
            end_s = math.inf if first is None else first[0]
            if end_s <= trio.current_time():
                return
            self._changed = trio.Event()
            with trio.move_on_at(end_s):
                await self._changed.wait()


class Leases:
    """Who is there. Made and run by `open_service`.

    Args:
        service: who is told what is lost.

    Attributes:
        agents: by number.
        channels: likewise.
        lost_at_us: agent -> when its lease was lost (Unix microseconds), until it signs in at its desk again.
        away: channels behind which nobody is, by number.
        on_lost: called with an agent and that moment, 0 = it is over; what shows it in other processes.
        on_away: likewise with a channel, None = somebody is there again.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._lease_s = service.site.routing.agent_lease_s
        self.agents = Holds(lambda _: self._lease_s, self._lose_agent)
        self.channels = Holds(self._grace_s, self._lose_channel, self._note_channel)
        self.lost_at_us: dict[int, int] = {}
        self.away: dict[int, Away] = {}
        self.on_lost: Callable[[int, int], None] | None = None
        self.on_away: Callable[[int, Away | None], None] | None = None

    def signs_in(self, agent: int) -> None:
        """The agent is back at its desk: what was lost before is no news any more."""
        if self.lost_at_us.pop(agent, None) is not None:
            self._show(agent, 0)

    def _show(self, agent: int, at_us: int) -> None:
        if self.on_lost is not None:
            self.on_lost(agent, at_us)

    def recall(self, remembered: Iterable[bytes]) -> None:
        """Note again whose lease was lost before this start, and who has not signed in since.

        Args:
            remembered: batches of events as frames, the oldest first; what they do not tell stays unknown.
        """
        lost: dict[int, int] = {}
        for frames in remembered:
            if LOST_MARK not in frames and not (lost and SIGNED_IN_MARK in frames):
                continue
            with suppress(Malformed):  # of another release; nobody's desk is worth a start
                for event in decode_events(frames):
                    if isinstance(event, LeaseLostEvent):
                        lost[event.agent] = event.at
                    elif isinstance(event, AgentSignedIn):
                        lost.pop(event.agent, None)
        for line in self._service.router.overview().agents:
            if line.agent in lost and (line.presence == SIGNED_OUT or line.signing_out):
                self.lost_at_us[line.agent] = lost[line.agent]

    async def run(self) -> None:
        """Look after all of them, until cancelled."""
        service = self._service
        lines = service.router.overview().agents
        self.agents.begin(line.agent for line in lines if line.presence != SIGNED_OUT)
        self.channels.begin(self._sections())
        for channel in self._sections():
            self._note_channel(channel)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.agents.run)
            nursery.start_soon(self.channels.run)

    def stop(self) -> None:
        """The service goes, not they: lose nothing any more."""
        self.agents.stop()
        self.channels.stop()

    def _note_channel(self, channel: int) -> None:
        """Note whether somebody is behind a channel, and since when nobody is."""
        if self.channels.is_held(channel):
            self.away.pop(channel, None)
        else:
            now_us, grace_us = self._service.clock.now_us(), round(self._grace_s(channel) * MICROS)
            self.away[channel] = Away(now_us, now_us + grace_us if grace_us else 0)
        if self.on_away is not None:
            self.on_away(channel, self.away.get(channel))

    def _sections(self) -> dict[int, int]:
        """Channel -> its grace in seconds, of those that are in force."""
        names, channels = self._service.names, self._service.site.channels.values()
        numbers = ((number_of(names, "channel", one.name), one.grace_s) for one in channels)
        return {number: grace_s for number, grace_s in numbers if number is not None}

    def _grace_s(self, channel: int) -> float:
        return self._sections().get(channel, 0)

    async def _lose_agent(self, agent: int) -> None:
        desk = self._service.router.desk(agent)
        if desk is None or desk.presence == SIGNED_OUT:
            return
        name = self._service.names.name("agent", agent)
        _log.warning(
            "nobody is at an agent's desk: its lease is lost",
            agent=name,
            lease_s=self._lease_s,
            contacts=[one.contact for one in desk.contacts],
            seq=self._service.seq,
        )
        # Noted before: the desk is drawn again by the events.
        self.lost_at_us[agent] = self._service.clock.now_us()
        self._show(agent, self.lost_at_us[agent])
        if not await self._told(LeaseLost(agent=agent), lambda: self.agents.is_held(agent)):
            self.signs_in(agent)

    async def _lose_channel(self, channel: int) -> None:
        contacts = [
            contact
            for contact, state, *_ in self._service.channel_contacts(channel)
            if state in RELEASED_STATES
        ]
        if contacts:
            name = self._service.names.name("channel", channel)
            grace_s = self._grace_s(channel)
            _log.error(
                "a channel's plugin is gone: who waits is released",
                channel=name,
                contacts=len(contacts),
                first_contacts=contacts[:SHOWN],
                seq=self._service.seq,
                grace_s=grace_s,
            )
        for at in range(0, len(contacts), AT_ONCE):
            await self._release(channel, contacts[at : at + AT_ONCE])
        self.channels.begin([channel])

    async def _release(self, channel: int, contacts: Sequence[int]) -> None:
        async with trio.open_nursery() as nursery:
            for contact in contacts:
                command = Release(contact=contact, by=ReleasedBy.ENGINE)
                nursery.start_soon(self._told, command, lambda: self.channels.is_held(channel))

    async def _told(self, command: Command, is_back: Callable[[], bool]) -> bool:
        """Carry a command out, as soon as there is room; not if it is there again. Whether it was."""
        while not is_back():
            try:
                with suppress(Refused):  # over, or engaged, in the meantime
                    await self._service.command(command)
            except Busy as busy:
                await trio.sleep(busy.retry_after_ms / 1_000)
            else:
                return True
        return False

"""Strategies from outside: from the core's `choice_wanted` to the site's functions, and back as `choose`."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog
import trio

from engine.bus import ForAll, SlowReader, TooOld
from engine.config_types import SiteConfig
from engine.errors import Busy, Refused
from engine.model import ChoiceWanted, Choose
from engine.strategies import Candidate, Choice
from engine.strategy_process import StrategyProcess
from engine.subscription import decode_events

if TYPE_CHECKING:
    from engine.service import Service

CONNECTING: Final = 2
"""The state of a contact in a desk's hands that is not in conversation yet."""
MARK: Final = b"\x99\x70\x01"
"""How every `choice_wanted` begins: an array of nine, kind 112, version 1. What lacks it is not decoded."""

_log = structlog.get_logger(__name__)


def asks_outside(site: SiteConfig) -> bool:
    """Return whether any queue has a strategy from outside."""
    return any(section.outside is not None for section in site.queues.values())


class Outside:
    """Asks the site's functions for the choices of their queues. Make it before the service starts.

    Args:
        service: the service.

    Attributes:
        processes: queue -> what runs its function.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._subscription = service.subscribe(ForAll())
        self.processes = {
            name: StrategyProcess(name, section.outside.function, service.clock, self._decide)
            for name, section in service.site.queues.items()
            if section.outside is not None
        }

    async def run(self) -> None:
        """Ask until cancelled."""
        async with trio.open_nursery() as nursery:
            for process in self.processes.values():
                nursery.start_soon(process.run)
            while True:
                try:
                    frames = await self._subscription.raw()
                except (SlowReader, TooOld) as error:
                    # What was missed has had its deadline by now.
                    _log.warning("choices were missed", seq=self._service.seq, reason=str(error))
                    self._subscription = self._service.subscribe(ForAll())
                    continue
                if MARK in frames:
                    for batch in decode_events(frames):
                        for _, event in batch.events:
                            if isinstance(event, ChoiceWanted):
                                self._ask(event, nursery)

    def _ask(self, event: ChoiceWanted, nursery: trio.Nursery) -> None:
        process = self.processes.get(self._service.names.name("queue", event.queue))
        choice = self._choice(event)
        # A contact that has gone has taken its choice along.
        if choice is not None and (process is None or not process.ask(choice)):
            nursery.start_soon(partial(self._decide, choice, None))

    def _choice(self, event: ChoiceWanted) -> Choice | None:
        names, live = self._service.names, self._service.router.contact(event.contact)
        if live is None:
            return None
        channel = names.name("channel", event.channel)
        candidates = [self._candidate(agent, channel, event.at) for agent in event.agents]
        return Choice(
            choice=event.choice,
            contact=event.contact,
            channel=channel,
            queue=names.name("queue", event.queue),
            at_us=event.at,
            deadline_us=event.deadline,
            arrived_at_us=live.arrived_at,
            enqueued_at_us=live.enqueued_at,
            candidates=tuple(one for one in candidates if one is not None),
        )

    def _candidate(self, agent: int, channel: str, at_us: int) -> Candidate | None:
        name, desk = self._service.names.name("agent", agent), self._service.router.desk(agent)
        section = self._service.site.agents.get(name)
        if desk is None or section is None:
            return None
        connecting = sum(one.state == CONNECTING for one in desk.contacts)
        return Candidate(
            name=name,
            skills=section.skills,
            units=section.capacity.get(channel, 0),
            idle_us=max(0, at_us - desk.idle_since),
            offers=len(desk.offers),
            connecting=connecting,
            engaged=len(desk.contacts) - connecting,
            joined=len(desk.joined),
            wrap_ups=len(desk.wrap_ups),
            misses=desk.misses,
        )

    async def _decide(self, choice: Choice, agent: str | None) -> None:
        number = self._service.names.id("agent", agent) if agent is not None else 0
        # Refused: it is over, by its deadline or with its contact; busy: the deadline comes anyway.
        with suppress(Refused, Busy):
            await self._service.command(Choose(choice=choice.choice, agent=number))

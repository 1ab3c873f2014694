"""The auditor's eye on domains and on the pace of queues, for which it has to know the configuration."""

from __future__ import annotations

from typing import Any

from tests.oracle import events as ev
from tests.oracle.auditor_books import Step
from tests.oracle.auditor_hours import Hours
from tests.oracle.config import Config, Goal

IN_HAND = {Step.OFFERED, Step.ACCEPTED, Step.CONNECTING, Step.ENGAGED}


class Tenancy(Hours):
    """Rules that hold by the configuration; without one nothing is said."""

    def __init__(self) -> None:
        super().__init__()
        self.config: Config | None = None
        self._next: Config | None = None

    def know(self, config: Config) -> None:
        """Hear of a configuration that is in force from the next `configured` on."""
        self._next = config

    def take_config(self) -> None:
        """Go by the configuration that was heard of."""
        self.config, self._next = self._next, None
        if self.config is None:
            return
        self._domains = {queue.id: queue.domain for queue in self.config.queues}
        self._caps = {queue.id: queue.max_in_hand for queue in self.config.queues}
        self._channels = {channel.id: channel.domain for channel in self.config.channels}
        self._agents = {agent.id: agent.domain for agent in self.config.agents}
        self._contracts = {(contract.queue, contract.domain) for contract in self.config.contracts}

    def _check_use(self, event: Any, domain: int, queue: int) -> None:
        allowed = domain == self._domains[queue] or (queue, domain) in self._contracts
        assert allowed, f"{event}: queue {queue} is nothing for domain {domain}"

    def check_way(self, event: Any, source: int, target: int) -> None:
        """Check that a contact may go from one queue to another."""
        if self.config is not None:
            self._check_use(event, self._domains[source], target)

    def check_agent(self, event: Any, agent: int) -> None:
        """Check that an agent may have a contact of its queue."""
        if self.config is not None:
            self._check_use(event, self._agents[agent], event.queue)

    def check_channel(self, event: ev.Arrived) -> None:
        """Check that a channel's contacts may get into the queue."""
        if self.config is not None:
            self._check_use(event, self._channels[event.channel], event.queue)

    def check_pace(self, event: ev.OfferMade) -> None:
        """Check that a queue has no more in hand than it may."""
        if self.config is None:
            return
        here = [one for one in self.contacts.values() if one.queue == event.queue and one.step in IN_HAND]
        assert len(here) <= self._caps[event.queue], f"{event}: {len(here)} are in hand"

    def overflowed(self, event: ev.Overflowed) -> None:
        """Check that a contact leaves by a rule that can hold, and stays in its domain."""
        super().overflowed(event)
        if event.to_kind is Goal.QUEUE:
            self.check_way(event, event.queue, event.to)

    def invited(self, event: ev.Invited) -> None:
        """Check who asks whom."""
        super().invited(event)
        self.check_agent(event, event.invitee)

    def served_by_another(self, event: ev.HandedOver | ev.TakenOver) -> None:
        """Check that it goes from whoever serves it to somebody who may."""
        super().served_by_another(event)
        if isinstance(event, ev.TakenOver):
            self.check_agent(event, event.to_agent)

"""The model's state with its clock, its timers and its hash, and no decision at all."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum

from tests.oracle.calibration import Calibration
from tests.oracle.config import ChannelConfig, Config, Contract, Limits, QueueConfig, QueueState
from tests.oracle.events import Event
from tests.oracle.state import (
    WORD,
    Agent,
    Choice,
    ClosedOffer,
    Contact,
    Ended,
    How,
    Ledger,
    Offer,
    Outcome,
    Purpose,
    SeenCommand,
    State,
    entity_hash,
)


class Timer(IntEnum):
    """What a deadline is about; the number beside it is an offer's, a contact's or a wrap-up's."""

    OFFER = 0
    CONNECTING = 1
    WRAP_UP = 2
    RETRY = 3
    WAKE = 4
    SCHEDULED = 5
    CHOICE = 6


class World:
    """Plain data and the few operations that keep it whole."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.now = 0
        self.config: Config | None = None
        self.channels: dict[int, ChannelConfig] = {}
        self.queues: dict[int, QueueConfig] = {}
        self.agents: dict[int, Agent] = {}
        self.contacts: dict[int, Contact] = {}
        self.offers: dict[int, Offer] = {}
        self.choices: dict[int, Choice] = {}
        self.ended: Ledger[int, Ended] = Ledger()
        self.closed: Ledger[int, ClosedOffer] = Ledger()
        self.seen: Ledger[bytes, SeenCommand] = Ledger()
        self.keys: dict[bytes, int] = {}
        self.calibrations: dict[int, Calibration] = {}
        self.got_in: list[int] = []
        """Contacts that have got into a queue since the last overflow pass."""
        self.agents_left = False
        """Since the last overflow pass there may be fewer agents who could be asked."""
        self.hours: dict[int, QueueState] = {}
        """Of the queues that are not open."""
        self.contracts: set[Contract] = set()
        self.shares: dict[int, int] = {}
        self.given: dict[int, int] = {}
        """Domain -> what it was given in offers to agents that are shared."""
        self.next_contact = 1
        self.next_offer = 1
        self.next_sequence = 1
        self.configurations = 0
        self.next_choice = 1
        self.events: list[Event] = []
        self.full_queues: set[int] = set()
        """Those that had as many contacts in hand as they may when the last match ended."""
        self.dirty_agents: list[int] = []
        self.dirty_contacts: set[int] = set()
        self._timers: dict[tuple[Timer, int], tuple[int, int]] = {}
        self._timer_seq = 0
        self._wrap_up_number = 0

    @property
    def rules(self) -> Config:
        """The configuration in force."""
        assert self.config is not None, "not configured"
        return self.config

    def emit(self, event: Event) -> None:
        """Say what has happened."""
        self.events.append(event)

    # Timers

    def set_timer(self, timer: Timer, number: int, deadline: int) -> None:
        """Set a deadline; one that was set before is replaced."""
        self._timer_seq += 1
        self._timers[timer, number] = (deadline, self._timer_seq)

    def cancel_timer(self, timer: Timer, number: int) -> None:
        """Forget a deadline, if there is one."""
        self._timers.pop((timer, number), None)

    def next_deadline(self) -> int | None:
        """Return the earliest deadline, or None."""
        return min(self._timers.values())[0] if self._timers else None

    def take_due(self, at: int) -> tuple[Timer, int, int] | None:
        """Take the first timer with a deadline up to `at`: (timer, number, deadline)."""
        if not self._timers:
            return None
        key = min(self._timers, key=self._timers.__getitem__)
        deadline, _ = self._timers[key]
        if deadline > at:
            return None
        del self._timers[key]
        return (*key, deadline)

    def next_wrap_up_number(self) -> int:
        """Return a number that no wrap-up has had."""
        self._wrap_up_number += 1
        return self._wrap_up_number

    # Records

    def end_contact(self, contact: Contact, outcome: Outcome, last_agent: int) -> None:
        """Turn a live contact into a record."""
        self.cancel_timer(Timer.CONNECTING, contact.id)
        self.cancel_timer(Timer.RETRY, contact.id)
        self.cancel_timer(Timer.WAKE, contact.id)
        self.cancel_timer(Timer.SCHEDULED, contact.id)
        self.contacts.pop(contact.id, None)
        over = (outcome, last_agent, self.now, contact.enqueued_at)
        record = Ended(contact.id, contact.channel, contact.key, *over)
        self.ended.add(contact.id, record)

    def close_offer(self, offer: Offer, how: How) -> None:
        """Turn an open offer into a record, and forget the oldest beyond the limit."""
        self.cancel_timer(Timer.OFFER, offer.id)
        del self.offers[offer.id]
        self.closed.add(offer.id, ClosedOffer(offer.id, offer.contact, offer.agent, how, self.now))
        if len(self.closed) > self.limits.max_remembered_offers:
            self.closed.forget_oldest()

    def remember_command(self, command_id: bytes) -> None:
        """Remember an accepted command's id, and forget the oldest beyond the limit."""
        self.seen.add(command_id, SeenCommand(command_id, self.now))
        if len(self.seen) > self.limits.max_remembered_commands:
            self.seen.forget_oldest()

    def purge(self) -> None:
        """Forget what has been kept long enough. Records stand in the order of their times."""
        if self.config is None:
            return
        retention, memory = self.config.key_retention_us, self.config.memory_us
        while (ended := self.ended.oldest()) and ended.ended_at + retention <= self.now:
            del self.keys[self.ended.forget_oldest().key]
        while (closed := self.closed.oldest()) and closed.closed_at + memory <= self.now:
            self.closed.forget_oldest()
        while (seen := self.seen.oldest()) and seen.at + memory <= self.now:
            self.seen.forget_oldest()

    # Questions

    def waiting(self) -> list[Contact]:
        """Return the waiting contacts by id."""
        return [contact for contact in self.contacts.values() if contact.state is State.WAITING]

    def in_hand(self, agent: Agent) -> Iterator[tuple[int, int]]:
        """Yield (channel, units) of everything that an agent has in hand; what is parked holds none."""
        for contact in agent.contacts.values():
            yield contact.channel, contact.units()
        for contact in agent.joined.values():
            yield contact.channel, contact.weight
        for wrap_up in agent.wrap_ups:
            yield wrap_up.channel, wrap_up.weight

    def hours_of(self, queue: int) -> QueueState:
        """Return whether a queue is open."""
        return self.hours.get(queue, QueueState.OPEN)

    def open_offers(self, contact: Contact, purpose: Purpose = Purpose.SERVE) -> list[Offer]:
        """Return the open offers of a contact by id."""
        return sorted(
            one for one in self.offers.values() if (one.contact, one.purpose) == (contact.id, purpose)
        )

    def position(self, contact_id: int) -> int | None:
        """Return how many contacts stand before a waiting one in its queue."""
        contact = self.contacts.get(contact_id)
        if contact is None or contact.state is not State.WAITING:
            return None
        peers = [c for c in self.waiting() if c.queue == contact.queue]
        return sum(c.place() < contact.place() for c in peers)

    def state_hash(self) -> int:
        """Return the wrapping sum of all entities' hashes."""
        total = self.ended.hash + self.closed.hash + self.seen.hash
        for entities in (self.contacts, self.agents, self.offers, self.choices):
            total += sum(entity_hash(entity.words()) for entity in entities.values())
        for calibration in self.calibrations.values():
            total += entity_hash(calibration.words())
        total += sum(entity_hash((17, queue, state)) for queue, state in self.hours.items())
        total += sum(entity_hash((18, domain, given)) for domain, given in self.given.items() if given)
        kept = (contact for contact in self.contacts.values() if contact.reserved)
        total += sum(entity_hash(contact.reservation_words()) for contact in kept)
        config_word = int.from_bytes(self.config.hash[:8]) if self.config else 0
        counters = (self.next_contact, self.next_offer, self.next_sequence)
        router = (7, self.now, *counters, config_word, self.configurations, self.next_choice)
        return (total + entity_hash(router)) & WORD

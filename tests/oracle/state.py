"""What the model holds: contacts, agents, offers, records, and the words that each adds to the hash."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache
from typing import Generic, NamedTuple, TypeVar

from tests.oracle.config import QUEUE_WRAP_UP, AgentConfig, Demand

WORD = (1 << 64) - 1
WAITING_TIER = 2
TRANSFER_TIER = 1
MAX_HOPS = 4
"""How often a contact overflows in its life."""
LIFTED_TIER = 1
"""Of a contact with little time left to reply."""

Words = tuple[int, ...]


class State(IntEnum):
    """Where a live contact stands."""

    WAITING = 0
    OFFERED = 1
    CONNECTING = 2
    ENGAGED = 3
    SCHEDULED = 4


class Presence(IntEnum):
    """What an agent declares."""

    SIGNED_OUT = 0
    NOT_READY = 1
    READY = 2


class Purpose(IntEnum):
    """What an offer asks for: to serve a contact, or to join it."""

    SERVE = 0
    JOIN = 1


class Outcome(IntEnum):
    """How a contact ended."""

    SERVED = 0
    ABANDONED = 1
    BLOCKED = 2
    WITHDRAWN = 3
    OVERFLOWED = 4


class How(IntEnum):
    """How an offer was closed."""

    ACCEPTED = 0
    DECLINED = 1
    EXPIRED = 2
    WITHDRAWN = 3


def mix(z: int) -> int:
    """Return the 64-bit mix that all hashes use."""
    z = (z + 0x9E3779B97F4A7C15) & WORD
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & WORD
    return z ^ (z >> 31)


@lru_cache(maxsize=1 << 16)
def entity_hash(words: Words) -> int:
    """Return one entity's hash; cached, since most entities do not change between two commands."""
    h = 0
    for word in words:
        h = mix(h ^ (word & WORD))
    return h


def halves(value: bytes) -> Words:
    """Return 16 bytes as two big-endian words."""
    return int.from_bytes(value[:8]), int.from_bytes(value[8:])


class Participant(NamedTuple):
    """An agent who is in a contact beside the one who serves it."""

    agent: int
    joined_at: int


@dataclass(slots=True)
class Contact:
    """A live contact."""

    id: int
    channel: int
    key: bytes
    queue: int
    demand: Demand
    weight: int
    head_start_us: int
    arrived_at: int
    enqueued_at: int
    tier: int = WAITING_TIER
    sequence: int = 0
    state: State = State.WAITING
    agent: int = 0
    offer: int = 0
    deadline: int = 0
    engaged_at: int = 0
    retry_at: int | None = None
    attempted: set[int] = field(default_factory=set)
    preferred_until: int | None = None
    step: int = 0
    wake_at: int | None = None
    participants: list[Participant] = field(default_factory=list)
    held: bool = False
    parked: bool = False
    unparked: bool = False
    passed_on_by: int = 0
    unconnected: bool = False
    """It has failed to connect since it was last engaged, or arrived."""
    hops: int = 0
    unanswered: int = 0
    looked_at: int = 0
    announce_at: int = 0
    """When its position is to be told next; 0 is never."""
    announced: int = 0
    """The position that was told last in this queue; 0 is none."""
    reply_by: int = 0
    choice: int = 0
    """The choice of an agent that runs outside, or 0."""
    passed_at: int = 0
    """When a lighter contact has first gone before it, or 0."""
    reserved: int = 0
    """The agent that is kept for it, or 0."""

    def place(self) -> tuple[int, int, int]:
        """Return what it is ordered by among waiting contacts, smaller first."""
        return (self.tier, self.enqueued_at - self.head_start_us, self.sequence)

    def units(self) -> int:
        """Return what it takes of the agent who has it in hand."""
        return 0 if self.parked else self.weight

    def reservation_words(self) -> Words:
        """Return the canonical encoding of its reservation."""
        return (20, self.reserved, self.id)

    def words(self) -> Words:
        """Return its canonical encoding."""
        return (
            *(1, self.id, self.channel, *halves(self.key), self.queue, self.weight, self.head_start_us),
            *(self.tier, self.arrived_at, self.enqueued_at, self.sequence),
            *(self.state, self.agent, self.offer, self.deadline, self.engaged_at),
            self.retry_at or 0,
            *(len(self.attempted), *sorted(self.attempted)),
            *(asks_word(self.demand), wishes_word(self)),
            *(len(self.participants), *(word for one in self.participants for word in one)),
            *(self.held, self.parked, self.unparked, self.passed_on_by, self.unconnected),
        )


def asks_word(demand: Demand) -> int:
    """Return the hash of what a contact asks of agents; 0 if it asks nothing."""
    if not demand.requires and not demand.prefers:
        return 0
    words = [8, len(demand.requires)]
    for needs in demand.requires:
        words += [len(needs), *(word for need in needs for word in need)]
    return entity_hash((*words, len(demand.prefers), *(word for entry in demand.prefers for word in entry)))


def wishes_word(contact: Contact) -> int:
    """Return the hash of whom a contact wants, and how far it has waited; 0 if there is nothing to say."""
    demand, until = contact.demand, contact.preferred_until
    nobody = not demand.preferred and not demand.excludes and demand.preferred_wait_us == 0
    moved = (contact.hops, contact.unanswered, contact.looked_at, contact.announce_at, contact.announced)
    asked = (contact.reply_by, contact.choice, contact.passed_at)
    waits = (contact.step, contact.wake_at or 0, *moved, demand.beyond_capacity, *asked)
    if nobody and until is None and not any(waits):
        return 0
    preferred = (len(demand.preferred), *demand.preferred, demand.preferred_wait_us, until or 0)
    excludes = (len(demand.excludes), *demand.excludes)
    return entity_hash((9, *preferred, *excludes, *waits))


class WrapUp(NamedTuple):
    """After-contact work that holds units; `number` is the model's own and not part of the state."""

    number: int
    contact: int
    channel: int
    weight: int
    deadline: int


class Tally(NamedTuple):
    """What an agent has done since it signed in."""

    accepted: int = 0
    talk_us: int = 0
    talks: int = 0
    idle_us: int = 0
    idles: int = 0
    offers: int = 0


@dataclass(slots=True)
class Agent:
    """A configured agent; `contacts` are offered to it, connecting or engaged, `joined` are others'."""

    id: int
    position: int
    levels: dict[int, int]
    units: dict[int, int]
    presence: Presence = Presence.SIGNED_OUT
    reason: int = 0
    signing_out: bool = False
    locked: bool = False
    misses: int = 0
    idle_since: int = 0
    share: int = 100
    stealth: bool = False
    auto_accept: bool = False
    wrap_up_us: int = QUEUE_WRAP_UP
    domain: int = 0
    tally: Tally = field(default_factory=Tally)
    last_offer: int = 0
    contacts: dict[int, Contact] = field(default_factory=dict)
    joined: dict[int, Contact] = field(default_factory=dict)
    wrap_ups: list[WrapUp] = field(default_factory=list)

    def configure(self, position: int, config: AgentConfig) -> None:
        """Take over what a configuration says and keep the rest."""
        self.position = position
        self.levels = {entry.skill: entry.level for entry in config.skills}
        self.units = {entry.channel: entry.units for entry in config.capacity}
        self.share = config.share
        self.stealth = config.stealth
        self.auto_accept, self.wrap_up_us = config.auto_accept, config.wrap_up_us
        self.domain = config.domain

    def count(self, **more: int) -> None:
        """Add to what it has done; nothing goes beyond a word."""
        old = self.tally._asdict()
        self.tally = self.tally._replace(
            **{name: min(WORD, old[name] + value) for name, value in more.items()}
        )

    def signed_in(self) -> bool:
        """Return whether it is there to stay."""
        return self.presence is not Presence.SIGNED_OUT and not self.signing_out

    def available(self) -> bool:
        """Return whether it wants contacts and may have them."""
        return self.presence is Presence.READY and not self.signing_out and not self.locked

    def words(self) -> Words:
        """Return its canonical encoding."""
        return (
            *(3, self.id, self.presence, self.reason, self.signing_out, self.locked, self.misses),
            *(self.idle_since, *self.tally, self.last_offer, len(self.wrap_ups)),
            *(word for w in self.wrap_ups for word in (w.contact, w.channel, w.weight, w.deadline)),
        )


class Offer(NamedTuple):
    """An open offer."""

    id: int
    contact: int
    agent: int
    deadline: int
    purpose: Purpose = Purpose.SERVE

    def words(self) -> Words:
        """Return its canonical encoding."""
        return (4, self.id, self.contact, self.agent, self.deadline, self.purpose)


class Choice(NamedTuple):
    """An agent is being chosen outside."""

    id: int
    contact: int
    deadline: int

    def words(self) -> Words:
        """Return its canonical encoding."""
        return (19, self.id, self.contact, self.deadline)


class ClosedOffer(NamedTuple):
    """An offer that is over, remembered so that a repeated answer is recognised."""

    id: int
    contact: int
    agent: int
    how: How
    closed_at: int

    def words(self) -> Words:
        """Return its canonical encoding."""
        return (5, self.id, self.contact, self.agent, self.how, self.closed_at)


class Ended(NamedTuple):
    """A contact that is over, remembered with its key."""

    id: int
    channel: int
    key: bytes
    outcome: Outcome
    last_agent: int
    ended_at: int
    enqueued_at: int
    place_used: bool = False
    """Another contact has its place."""

    def words(self) -> Words:
        """Return its canonical encoding."""
        return (
            *(2, self.id, self.channel, *halves(self.key), self.outcome, self.last_agent, self.ended_at),
            *(self.enqueued_at, self.place_used),
        )


class SeenCommand(NamedTuple):
    """A command id that was accepted."""

    id: bytes
    at: int

    def words(self) -> Words:
        """Return its canonical encoding."""
        return (6, *halves(self.id), self.at)


Key = TypeVar("Key", bytes, int)
Record = TypeVar("Record", Ended, ClosedOffer, SeenCommand)


class Ledger(Generic[Key, Record]):
    """Records that never change, oldest first, with the sum of their hashes."""

    def __init__(self) -> None:
        self._records: OrderedDict[Key, Record] = OrderedDict()
        self.hash = 0

    def __len__(self) -> int:
        return len(self._records)

    def __contains__(self, key: Key) -> bool:
        return key in self._records

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records.values())

    def get(self, key: Key) -> Record | None:
        """Return the record of `key`, or None."""
        return self._records.get(key)

    def add(self, key: Key, record: Record) -> None:
        """Remember a record as the newest."""
        self._records[key] = record
        self.hash = (self.hash + entity_hash(record.words())) & WORD

    def replace(self, key: Key, record: Record) -> None:
        """Remember another record for a key that is there, as old as the one before."""
        gone = entity_hash(self._records[key].words())
        self._records[key] = record
        self.hash = (self.hash - gone + entity_hash(record.words())) & WORD

    def oldest(self) -> Record | None:
        """Return the oldest record, or None."""
        return next(iter(self._records.values()), None)

    def forget_oldest(self) -> Record:
        """Forget the oldest record and return it."""
        _, record = self._records.popitem(last=False)
        self.hash = (self.hash - entity_hash(record.words())) & WORD
        return record

"""What the model holds: contacts, agents, offers, records, and the words that each adds to the hash."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache
from typing import Generic, NamedTuple, TypeVar

from tests.oracle.config import AgentConfig, SkillLevel

WORD = (1 << 64) - 1
WAITING_TIER = 2
TRANSFER_TIER = 1

Words = tuple[int, ...]


class State(IntEnum):
    """Where a live contact stands."""

    WAITING = 0
    OFFERED = 1
    CONNECTING = 2
    ENGAGED = 3


class Presence(IntEnum):
    """What an agent declares."""

    SIGNED_OUT = 0
    NOT_READY = 1
    READY = 2


class Outcome(IntEnum):
    """How a contact ended."""

    SERVED = 0
    ABANDONED = 1
    BLOCKED = 2
    WITHDRAWN = 3


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


@dataclass(slots=True)
class Contact:
    """A live contact."""

    id: int
    channel: int
    key: bytes
    queue: int
    requires: tuple[SkillLevel, ...]
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

    def place(self) -> tuple[int, int, int]:
        """Return what it is ordered by among waiting contacts, smaller first."""
        return (self.tier, self.enqueued_at - self.head_start_us, self.sequence)

    def words(self) -> Words:
        """Return its canonical encoding."""
        return (
            *(1, self.id, self.channel, *halves(self.key), self.queue, self.weight, self.head_start_us),
            *(self.tier, self.arrived_at, self.enqueued_at, self.sequence),
            *(self.state, self.agent, self.offer, self.deadline, self.engaged_at),
            self.retry_at or 0,
            *(len(self.attempted), *sorted(self.attempted)),
            *(len(self.requires), *(word for entry in self.requires for word in entry)),
        )


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
    """A configured agent; `contacts` are those that are offered to it, connecting or engaged."""

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
    tally: Tally = field(default_factory=Tally)
    last_offer: int = 0
    contacts: dict[int, Contact] = field(default_factory=dict)
    wrap_ups: list[WrapUp] = field(default_factory=list)

    def configure(self, position: int, config: AgentConfig) -> None:
        """Take over what a configuration says and keep the rest."""
        self.position = position
        self.levels = {entry.skill: entry.level for entry in config.skills}
        self.units = {entry.channel: entry.units for entry in config.capacity}
        self.share = config.share

    def count(self, **more: int) -> None:
        """Add to what it has done; nothing goes beyond a word."""
        old = self.tally._asdict()
        self.tally = self.tally._replace(
            **{name: min(WORD, old[name] + value) for name, value in more.items()}
        )

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

    def words(self) -> Words:
        """Return its canonical encoding."""
        return (4, self.id, self.contact, self.agent, self.deadline)


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

    def words(self) -> Words:
        """Return its canonical encoding."""
        return (2, self.id, self.channel, *halves(self.key), self.outcome, self.last_agent, self.ended_at)


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

    def oldest(self) -> Record | None:
        """Return the oldest record, or None."""
        return next(iter(self._records.values()), None)

    def forget_oldest(self) -> Record:
        """Forget the oldest record and return it."""
        _, record = self._records.popitem(last=False)
        self.hash = (self.hash - entity_hash(record.words())) & WORD
        return record

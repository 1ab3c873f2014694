"""Who takes part in a run, and how the crowd reaches them."""

from collections import deque
from dataclasses import dataclass
from typing import Protocol

from loadtest.plan import PlannedContact
from loadtest.protocol import Message


class Contact:
    """A customer as the customer's side knows it."""

    __slots__ = ("engaged", "first_offer", "id", "offers", "over", "plan", "queued_at", "waits_since_us")

    def __init__(self, plan: PlannedContact) -> None:
        self.plan = plan
        self.id = 0
        self.waits_since_us = plan.at_us
        self.offers = 0
        self.engaged = False
        self.over = False
        self.queued_at: int | None = None
        self.first_offer: tuple[int, int] | None = None


class Agent:
    """An agent; `freed_us` holds when units were meant to come free, until an offer follows."""

    __slots__ = ("ending", "freed_us", "id", "index", "just_ended", "wrap_ups")

    def __init__(self, index: int, number: int) -> None:
        self.index = index
        self.id = number
        self.freed_us: deque[int] = deque()
        self.ending: dict[int, int] = {}
        self.just_ended = 0
        self.wrap_ups: set[int] = set()


@dataclass(frozen=True, slots=True)
class Sent:
    """What the crowd wants to know again when a command is acknowledged."""

    kind: int
    meant_us: int
    contact: Contact | None = None


class Outbox(Protocol):
    """Where commands go; implemented by the drivers."""

    def to_channel(self, channel: int, message: Message, sent: Sent) -> None:
        """Sends a channel's command; `channel` is its position in the scenario."""

    def to_agent(self, agent: int, message: Message, sent: Sent) -> None:
        """Sends an agent's command; `agent` is its position in the scenario."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """The server's numbers of the scenario's names, in the scenario's order."""

    channels: list[int]
    queues: list[int]
    agents: list[int]

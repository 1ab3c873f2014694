"""Who takes part in a run, and how the crowd reaches them."""

from collections import deque
from dataclasses import dataclass
from typing import Protocol

from loadtest.plan import PlannedContact
from loadtest.protocol import Message


class Contact:
    """A customer.

    Attributes:
        engaged: either side has heard that they talk; each side acts on it once.
        answered: the customer's side has.
        spoken_to: the agent's side has.
        first_offer: the router's stamp of the first offer, and how long it took.
    """

    __slots__ = (
        "answered",
        "engaged",
        "first_offer",
        "id",
        "offers",
        "over",
        "plan",
        "queued_at",
        "spoken_to",
    )

    def __init__(self, plan: PlannedContact) -> None:
        self.plan = plan
        self.id = 0
        self.offers = 0
        self.engaged = False
        self.over = False
        self.spoken_to = False
        self.answered = False
        self.queued_at: int | None = None
        self.first_offer: tuple[int, int] | None = None


@dataclass(slots=True)
class Freed:
    """Capacity that came free: when it was meant to, and the router's stamp once it is heard."""

    meant_us: int
    at: int = 0


class Agent:
    """An agent; `freed` holds when units came free, until an offer follows.

    Attributes:
        single: holds one contact at a time, so that once freed it can take any that it has the skill for.
        freed: when the client meant to free it, and when the router did (0 = not heard yet).
    """

    __slots__ = ("ending", "freed", "id", "index", "just_ended", "single", "wrap_ups")

    def __init__(self, index: int, number: int, *, single: bool) -> None:
        self.single = single
        self.index = index
        self.id = number
        self.freed: deque[Freed] = deque()
        self.ending: dict[int, int] = {}
        self.just_ended = 0
        self.wrap_ups: dict[int, Freed | None] = {}


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

"""What is read off the core: its rows of numbers, with names for their places."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

Column: TypeAlias = tuple[int, bytes | None, bytes, bytes | None]
"""Of the statistics: bits of a value (0 = text), which rows have one, the values, where texts begin."""
ColumnRows: TypeAlias = tuple[int, list[Column]]
"""How many rows, and their columns in the table's order."""


class QueueLine(NamedTuple):
    """A queue in the overview; `oldest_at` = 0 when nobody waits; hours 0 open, 1 closing, 2 closed."""

    queue: int
    waiting: int
    oldest_at: int
    hours: int = 0


class AgentLine(NamedTuple):
    """An agent in the overview; presence 0 signed out, 1 not ready, 2 ready."""

    agent: int
    presence: int
    reason: int
    signing_out: bool
    locked: bool
    offers: int
    connecting: int
    engaged: int
    wrap_ups: int
    idle_since: int
    joined: int


class States(NamedTuple):
    """Live contacts by state."""

    waiting: int
    offered: int
    connecting: int
    engaged: int
    scheduled: int


class Overview(NamedTuple):
    """The whole floor at one instant."""

    queues: list[QueueLine]
    agents: list[AgentLine]
    contacts: States


class DeskOffer(NamedTuple):
    """An open offer on a desk."""

    offer: int
    contact: int
    channel: int
    queue: int
    deadline: int
    enqueued_at: int


class DeskContact(NamedTuple):
    """A contact on a desk; state 2 connecting (until `deadline`), 3 engaged."""

    contact: int
    channel: int
    queue: int
    state: int
    deadline: int
    arrived_at: int
    on_hold: bool
    parked: bool
    participants: list[int]


class DeskWrapUp(NamedTuple):
    """A wrap-up on a desk."""

    contact: int
    channel: int
    deadline: int


class DeskInvitation(NamedTuple):
    """An open invitation on a desk; `agent` serves the contact."""

    offer: int
    contact: int
    channel: int
    queue: int
    agent: int
    deadline: int


class DeskJoined(NamedTuple):
    """A contact on a desk that another `agent` serves."""

    contact: int
    channel: int
    queue: int
    agent: int
    joined_at: int
    arrived_at: int


class Desk(NamedTuple):
    """All that an agent has in hand."""

    presence: int
    reason: int
    signing_out: bool
    locked: bool
    misses: int
    idle_since: int
    offers: list[DeskOffer]
    contacts: list[DeskContact]
    wrap_ups: list[DeskWrapUp]
    invitations: list[DeskInvitation]
    joined: list[DeskJoined]


class ContactLine(NamedTuple):
    """A live contact; agent 0 = nobody.

    State 0 waiting, 1 offered, 2 connecting, 3 engaged, 4 scheduled: it does not wait before `enqueued_at`.
    """

    channel: int
    queue: int
    state: int
    agent: int
    arrived_at: int
    enqueued_at: int
    on_hold: bool
    parked: bool
    participants: list[int]


class Estimate(NamedTuple):
    """How long a waiting contact will go on waiting; docs/en/estimates.md has the definition.

    Attributes:
        position: Waiting contacts of its queue that stand before it.
        ahead: Waiting contacts of all queues that the first agent to come to it would still take before.
        mean_us: The expected wait from now on.
        p50_us: Half of the waits are shorter.
        p90_us: Nine in ten waits are shorter.
    """

    position: int
    ahead: int
    mean_us: int
    p50_us: int
    p90_us: int


class EndedLine(NamedTuple):
    """An ended contact; last_agent 0 = nobody.

    The outcome is 0 served, 1 abandoned, 2 blocked, 3 withdrawn, 4 overflowed to a place outside.
    `enqueued_at` is the place that it had, `place_used` whether another contact has taken it.
    """

    channel: int
    outcome: int
    last_agent: int
    ended_at: int
    enqueued_at: int
    place_used: bool


class Check(NamedTuple):
    """One condition of being eligible; `Predicate` in the core's `explain.rs` says what the numbers are."""

    predicate: str
    holds: bool
    subject: int
    has: int
    needs: int
    held: int


class AgentKey(NamedTuple):
    """What agents are compared by: the higher level and score, then the smaller of the others one by one."""

    agent: int
    level: int
    score: int
    strategy: int
    number: int
    idle_since: int
    position: int


class Explanation(NamedTuple):
    """Everything that stands between a contact and an agent.

    `best` are the first of the `candidates` agents who are eligible, `agents_ahead` of whom go before
    the agent; `ahead` are the first of the `contacts_ahead` contacts that go before this one, of the
    `rivals` that the agent could take.
    """

    eligible: bool
    checks: list[Check]
    key: AgentKey
    candidates: int
    best: list[AgentKey]
    agents_ahead: int
    rivals: int
    contacts_ahead: int
    ahead: list[int]

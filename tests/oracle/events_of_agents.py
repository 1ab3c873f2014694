"""What happens to agents, in the field order of `event.rs`."""

from __future__ import annotations

from typing import NamedTuple

from tests.oracle.causes import EndedBy


class AgentSignedIn(NamedTuple):
    """An agent has started work; `AgentReady` or `AgentNotReady` follows."""

    at: int
    agent: int


class AgentReady(NamedTuple):
    """The agent wants contacts."""

    at: int
    agent: int


class AgentNotReady(NamedTuple):
    """The agent wants none."""

    at: int
    agent: int
    reason: int


class AgentSigningOut(NamedTuple):
    """The agent leaves after what it has in hand."""

    at: int
    agent: int


class AgentSignedOut(NamedTuple):
    """The agent has left."""

    at: int
    agent: int


class AgentLocked(NamedTuple):
    """Too many offers in a row expired."""

    at: int
    agent: int
    misses: int


class AgentUnlocked(NamedTuple):
    """The lock was lifted."""

    at: int
    agent: int


class LeaseLost(NamedTuple):
    """Nobody stands behind the agent's desk; `contacts` go back to their places."""

    at: int
    agent: int
    contacts: tuple[int, ...]


class WrapUpStarted(NamedTuple):
    """After-contact work, until `deadline` or earlier."""

    at: int
    agent: int
    contact: int
    channel: int
    deadline: int


class WrapUpEnded(NamedTuple):
    """It is over."""

    at: int
    agent: int
    contact: int
    channel: int
    by: EndedBy

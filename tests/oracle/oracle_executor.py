"""The oracle with the face that scenarios and comparisons want."""

from __future__ import annotations

import copy
from typing import Any

from tests.oracle import views
from tests.oracle.commands import Command
from tests.oracle.events import Event
from tests.oracle.oracle import Oracle
from tests.oracle.refusal import Refusal
from tests.scenario_text import Outcome


class OracleExecutor:
    """The oracle, or a mutant of it."""

    def __init__(self, oracle: Oracle | None = None) -> None:
        self.oracle = oracle or Oracle()

    def apply(self, at: int, command: Command) -> Outcome:
        """Carry a command out."""
        try:
            value = self.oracle.apply(at, command)
        except Refusal as refusal:
            return Outcome(refusal.code, refusal.detail, self.oracle.events)
        return Outcome(None, value, self.oracle.events)

    def advance(self, at: int) -> list[Event]:
        """Let time pass."""
        self.oracle.advance(at)
        return self.oracle.events

    def next_deadline(self) -> int | None:
        """Return the earliest deadline."""
        return self.oracle.next_deadline()

    def position(self, contact: int) -> int | None:
        """Return how many contacts stand before one."""
        return self.oracle.position(contact)

    def estimate(self, contact: int) -> tuple[int, ...] | None:
        """Return position, contacts ahead, mean, P50 and P90 in microseconds."""
        return self.oracle.estimate(contact)

    def state_hash(self) -> int:
        """Return the hash of the whole state."""
        return self.oracle.state_hash()

    def snapshot(self) -> bool:
        """Go on from a deep copy."""
        before = self.state_hash()
        self.oracle = copy.deepcopy(self.oracle)
        return self.state_hash() == before

    def check(self) -> None:
        """Assert every invariant."""
        self.oracle.check()

    def facts(self, contacts: range, agents: range) -> dict[str, Any]:
        """Return everything that the service can read."""
        oracle = self.oracle
        queues, people, states = views.overview(oracle)
        return {
            "now": oracle.now,
            "queues": queues,
            "agents": people,
            "states": states,
            **{f"desk {agent}": views.desk(oracle, agent) for agent in agents},
            **{f"contact {number}": views.contact_line(oracle, number) for number in contacts},
            **{f"invited {number}": views.invited(oracle, number) for number in contacts},
            **{f"ended {number}": views.ended_line(oracle, number) for number in contacts},
            **{f"position {number}": oracle.position(number) for number in contacts},
            **{f"estimate {number}": oracle.estimate(number) for number in contacts[::8]},
        }

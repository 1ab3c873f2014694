"""The router behind its binding with the face that scenarios and comparisons want."""

from __future__ import annotations

from typing import Any

from engine.errors import Refused
from engine.model import Command as TypedCommand
from engine.model import decode_body, encode_body
from engine.router import Router
from tests.oracle import wire
from tests.oracle.commands import Command
from tests.oracle.events import Event
from tests.oracle.refusal import Code
from tests.scenario_text import Outcome


class RouterExecutor:
    """The router, through `engine.router`, in bytes that the plain msgpack package has written."""

    def __init__(self) -> None:
        self.router = Router()

    def apply(self, at: int, command: Command) -> Outcome:
        """Carry a command out."""
        code, value, frames = self.router.apply_raw(at, wire.command_body(command))
        return Outcome(Code(code) if code else None, value, wire.read_events(frames))

    def advance(self, at: int) -> list[Event]:
        """Let time pass."""
        return wire.read_events(self.router.advance(at))

    def next_deadline(self) -> int | None:
        """Return the earliest deadline."""
        return self.router.next_deadline()

    def position(self, contact: int) -> int | None:
        """Return how many contacts stand before one."""
        return self.router.position(contact)

    def estimate(self, contact: int) -> tuple[int, ...] | None:
        """Return position, contacts ahead, mean, P50 and P90 in microseconds."""
        return self.router.estimate(contact)

    def state_hash(self) -> int:
        """Return the hash of the whole state."""
        return self.router.state_hash()

    def snapshot(self) -> bool:
        """Go on from a snapshot."""
        before = self.state_hash()
        self.router = Router.restore(self.router.snapshot())
        return self.state_hash() == before

    def check(self) -> None:
        """Assert every invariant."""
        self.router.check()

    def facts(self, contacts: range, agents: range) -> dict[str, Any]:
        """Return everything that the service can read."""
        router = self.router
        queues, people, states = router.overview()
        return {
            "now": router.now,
            "queues": queues,
            "agents": people,
            "states": states,
            **{f"desk {agent}": router.desk(agent) for agent in agents},
            **{f"contact {number}": router.contact(number) for number in contacts},
            **{f"invited {number}": router.invited(number) for number in contacts},
            **{f"ended {number}": router.ended(number) for number in contacts},
            **{f"position {number}": router.position(number) for number in contacts},
            **{f"estimate {number}": router.estimate(number) for number in contacts[::8]},
        }


class TypedExecutor(RouterExecutor):
    """The router through the typed side of `engine.router`: messages in, messages and exceptions out."""

    def apply(self, at: int, command: Command) -> Outcome:
        """Carry a command out."""
        message = decode_body(wire.command_body(command))
        assert isinstance(message, TypedCommand)
        try:
            value = self.router.apply(at, message)
        except Refused as refused:
            return Outcome(Code[refused.name.upper()], refused.detail, self._events())
        return Outcome(None, value, self._events())

    def advance(self, at: int) -> list[Event]:
        """Let time pass."""
        self.router.advance(at)
        return self._events()

    def _events(self) -> list[Event]:
        return [wire.read_event(encode_body(event)) for event in self.router.events]

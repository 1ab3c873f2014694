"""Who carries commands out: the oracle, or the router behind its binding, with one face."""

from __future__ import annotations

import copy

from tests.oracle import wire
from tests.oracle.commands import Command
from tests.oracle.events import Event
from tests.oracle.oracle import Oracle
from tests.oracle.refusal import Code, Refusal
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


class BindingExecutor:
    """The router of `router_core`, through `engine._router`, in bytes."""

    def __init__(self) -> None:
        from engine import _router

        self._class = _router.Router
        self._router = _router.Router()

    def apply(self, at: int, command: Command) -> Outcome:
        """Carry a command out."""
        code, value, frames = self._router.apply(at, wire.command_body(command))
        return Outcome(Code(code) if code else None, value, wire.read_events(frames))

    def advance(self, at: int) -> list[Event]:
        """Let time pass."""
        return wire.read_events(self._router.advance(at))

    def next_deadline(self) -> int | None:
        """Return the earliest deadline."""
        return self._router.next_deadline()

    def position(self, contact: int) -> int | None:
        """Return how many contacts stand before one."""
        return self._router.position(contact)

    def state_hash(self) -> int:
        """Return the hash of the whole state."""
        return self._router.state_hash()

    def snapshot(self) -> bool:
        """Go on from a snapshot."""
        before = self.state_hash()
        self._router = self._class.restore(self._router.snapshot())
        return self.state_hash() == before

    def check(self) -> None:
        """Assert every invariant."""
        self._router.check()

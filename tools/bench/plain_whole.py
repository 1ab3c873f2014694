"""The same in Python, with the bookkeeping that the core does on this trace as well.

Contacts with a state that every input is checked against, repeats recognised by arrival key, closed
offers and ended contacts remembered for as long as the core's configuration says, then forgotten. Still no
snapshot and no state hash.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from tools.bench.plain import Plain
from tools.bench.trace import NOBODY, Decision, Step, Trace

# The core's benchmark remembers 12,000 turns; at 1,000 agents a turn of the trace is 50 ms.
MEMORY_US = 12_000 * 50_000


@dataclass(slots=True)
class Contact:
    """A live contact."""

    key: bytes
    queue: int
    arrived_at: int
    state: str = "waiting"
    agent: int = -1


class Whole(Plain):
    """One floor; see the module."""

    def __init__(self, trace: Trace) -> None:
        super().__init__(trace)
        self.contacts: dict[int, Contact] = {}
        self.keys: dict[bytes, int] = {}
        self.ended: dict[int, tuple[str, int, int, bytes]] = {}
        self.ended_in_order: deque[int] = deque()
        self.closed: dict[int, tuple[str, int]] = {}
        self.closed_in_order: deque[int] = deque()

    def step(self, step: Step) -> Decision:
        """Checks and remembers what the input is about, and works it off."""
        kind, at, first, second = step
        self.forget(at - MEMORY_US)
        if kind == "a":
            key = second.to_bytes(16, "big")
            if key in self.keys:
                return NOBODY
            self.keys[key] = second
            self.contacts[second] = Contact(key, first, at)
        elif kind == "x":
            contact, offer = self.contacts[second], self.offer_to[second]
            if contact.state != "offered" or self.offers[offer] != (first, second):
                raise ValueError(f"no such offer: {step}")
            contact.state = "engaged"
            self.closed[offer] = ("accepted", at)
            self.closed_in_order.append(offer)
        elif kind == "e":
            if self.contacts[second].state != "engaged" or self.contacts[second].agent != first:
                raise ValueError(f"not in that agent's hands: {step}")
            self.finish(second, "served", at)
        elif kind == "b":
            if self.contacts[first].state != "waiting":
                raise ValueError(f"does not wait: {step}")
            self.finish(first, "abandoned", at)
        decision = super().step(step)
        if decision is not NOBODY:
            contact = self.contacts[decision[1]]
            contact.state, contact.agent = "offered", decision[0]
        return decision

    def finish(self, number: int, outcome: str, at: int) -> None:
        """Ends a contact's life and remembers it."""
        contact = self.contacts.pop(number)
        self.ended[number] = (outcome, contact.agent, at, contact.key)
        self.ended_in_order.append(number)

    def forget(self, before: int) -> None:
        """Forgets what has been remembered long enough."""
        while self.ended_in_order and self.ended[self.ended_in_order[0]][2] <= before:
            _, _, _, key = self.ended.pop(self.ended_in_order.popleft())
            del self.keys[key]
        while self.closed_in_order and self.closed[self.closed_in_order[0]][1] <= before:
            del self.closed[self.closed_in_order.popleft()]

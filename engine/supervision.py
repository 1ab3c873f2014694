"""What supervisors do: change, take over, move, end contacts, whoever has them; open and close queues."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Protocol

from engine.clock import Clock
from engine.conversations import number_of
from engine.demand import requires_of
from engine.errors import UnknownAgent, UnknownQueue
from engine.model import KEEP_HEAD_START, Change, Command, Hours, HoursState, Move, Release, TakeOver
from engine.names import Names


class NotedByHand(Protocol):
    """Where it is noted what supervisors have opened and closed."""

    def note(self, queue: str, state: HoursState, at_us: int) -> None:
        """Remember it."""
        ...


class Supervision:
    """The supervisors' part of the service's facade.

    Attributes:
        names: name <-> number of everything that is configured.
        by_hand: what supervisors have opened and closed.
        clock: the one clock.
    """

    names: Names
    by_hand: NotedByHand
    clock: Clock

    async def command(self, command: Command) -> int:
        """Carry out one command; it is durable when this returns."""
        raise NotImplementedError

    async def release(self, contact: int) -> None:
        """End a contact, in whatever state it is: served if it was engaged, else withdrawn.

        A contact that has ended stays as it is.

        Raises:
            UnknownContact: it never was, or is not remembered any more.
        """
        await self.command(Release(contact=contact, command_id=os.urandom(16)))

    async def change(
        self,
        contact: int,
        *,
        queue: str | None = None,
        head_start_ms: int | None = None,
        requires: str | Mapping[str, int] | None = None,
    ) -> None:
        """Give a waiting contact another queue, head start or requirement; None keeps what it has.

        Args:
            contact: its number.
            queue: the queue's name.
            head_start_ms: its priority in the queue, as time.
            requires: skill -> lowest level, or a text as in the configuration, on top of what the queue
                asks for; empty = nothing.

        Raises:
            WrongState: it does not wait.
            UnknownContact: it never was, or is not remembered any more.
        """
        number = 0 if queue is None else number_of(self.names, "queue", queue)
        if number is None:
            raise UnknownQueue(0)
        await self.command(
            Change(
                contact=contact,
                queue=number,
                head_start_us=KEEP_HEAD_START if head_start_ms is None else head_start_ms * 1_000,
                requires=None if requires is None else requires_of(self.names, requires),
                command_id=os.urandom(16),
            )
        )

    async def take_over(self, contact: int, agent: str) -> None:
        """Let an agent serve an engaged contact from now on; whoever has served it wraps up.

        Args:
            contact: its number.
            agent: who takes it, by name: signed in, and mostly the supervisor's own desk.

        Raises:
            WrongState: it is not engaged.
            SignedOut: the agent is not there.
        """
        number = number_of(self.names, "agent", agent)
        if number is None:
            raise UnknownAgent(0)
        await self.command(TakeOver(agent=number, contact=contact, command_id=os.urandom(16)))

    async def move(
        self,
        contact: int,
        queue: str,
        *,
        head_start_ms: int = 0,
        requires: str | Mapping[str, int] | None = None,
    ) -> None:
        """Pass an engaged contact on to a queue, whoever serves it; the arguments are those of a transfer.

        Raises:
            WrongState: it is not engaged.
        """
        number = number_of(self.names, "queue", queue)
        if number is None:
            raise UnknownQueue(0)
        await self.command(
            Move(
                contact=contact,
                queue=number,
                head_start_us=head_start_ms * 1_000,
                requires=requires_of(self.names, requires),
                command_id=os.urandom(16),
            )
        )

    async def set_hours(self, queue: str, state: HoursState) -> None:
        """Open or close a queue by hand; that holds until the next change of its calendar, if it has one.

        Args:
            queue: its name.
            state: open; closing = who waits is served, nobody new gets in; closed = nobody is served.

        Raises:
            UnknownQueue: no such queue.
        """
        number = number_of(self.names, "queue", queue)
        if number is None:
            raise UnknownQueue(0)
        await self.command(Hours(queue=number, state=state, command_id=os.urandom(16)))
        self.by_hand.note(queue, state, self.clock.now_us())

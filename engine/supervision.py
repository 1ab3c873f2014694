"""What supervisors do with contacts, whoever has them: change one that waits, end any."""

from __future__ import annotations

import os
from collections.abc import Mapping

from engine.conversations import number_of, skill_levels
from engine.errors import UnknownQueue
from engine.model import KEEP_HEAD_START, Change, Command, Release
from engine.names import Names


class Supervision:
    """The supervisors' part of the service's facade.

    Attributes:
        names: name <-> number of everything that is configured.
    """

    names: Names

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
        requires: Mapping[str, int] | None = None,
    ) -> None:
        """Give a waiting contact another queue, head start or requirement; None keeps what it has.

        Args:
            contact: its number.
            queue: the queue's name.
            head_start_ms: its priority in the queue, as time.
            requires: skill -> lowest level, on top of what the queue asks for; empty = nothing.

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
                requires=None if requires is None else skill_levels(self.names, requires),
                command_id=os.urandom(16),
            )
        )

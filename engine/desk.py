"""A desk: what an agent can do, with names instead of numbers. The console and tests use it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from engine.bus import ForAgents
from engine.conversations import number_of
from engine.errors import UnknownContact, UnknownQueue, UnknownReason
from engine.model import (
    Accept,
    Decline,
    End,
    EndWrapUp,
    NotReady,
    Ready,
    SignIn,
    SignOut,
    SkillLevel,
    Transfer,
    Unlock,
)
from engine.subscription import Subscription
from engine.views import DeskState

if TYPE_CHECKING:
    from engine.conversations import Message
    from engine.service import Service


class Desk:
    """One agent's desk. Made by `Service.desk`.

    Every method is durable when it returns. It raises the core's refusals (`OfferExpired`,
    `WrongState`...), and `Busy` when nothing was taken.

    Attributes:
        agent: the agent's name.
        number: the agent's number.
    """

    def __init__(self, service: Service, agent: str, number: int) -> None:
        self.agent = agent
        self.number = number
        self._service = service

    def state(self) -> DeskState:
        """Return what the agent has in hand."""
        return self._service.desk_state(self.agent)

    def events(self, *, notices: bool = True) -> Subscription:
        """Subscribe to what concerns this agent, messages and typing included."""
        return self._service.subscribe(ForAgents([self.number]), notices=notices)

    async def sign_in(self, *, ready: bool = True) -> None:
        """Start work, ready at once or not."""
        await self._service.command(SignIn(agent=self.number, ready=ready, command_id=_command_id()))

    async def sign_out(self) -> None:
        """Leave, after what is in hand."""
        await self._service.command(SignOut(agent=self.number, command_id=_command_id()))

    async def ready(self) -> None:
        """Want contacts."""
        await self._service.command(Ready(agent=self.number, command_id=_command_id()))

    async def not_ready(self, reason: str | None = None) -> None:
        """Want none for now."""
        number = self._reason(reason)
        await self._service.command(NotReady(agent=self.number, reason=number, command_id=_command_id()))

    async def unlock(self) -> None:
        """Lift the lock; a supervisor does this."""
        await self._service.command(Unlock(agent=self.number, command_id=_command_id()))

    async def accept(self, offer: int) -> None:
        """Take an offer."""
        await self._service.command(Accept(agent=self.number, offer=offer))

    async def decline(self, offer: int, reason: str | None = None) -> None:
        """Refuse an offer."""
        await self._service.command(Decline(agent=self.number, offer=offer, reason=self._reason(reason)))

    async def end(self, contact: int) -> None:
        """End an engaged contact."""
        await self._service.command(End(agent=self.number, contact=contact))

    async def end_wrap_up(self, contact: int) -> None:
        """End the wrap-up early."""
        await self._service.command(EndWrapUp(agent=self.number, contact=contact))

    async def transfer(
        self, contact: int, queue: str, *, head_start_ms: int = 0, requires: Mapping[str, int] | None = None
    ) -> None:
        """Pass an engaged contact on to a queue."""
        names = self._service.names
        number = number_of(names, "queue", queue)
        if number is None:
            raise UnknownQueue(0)
        levels = tuple(
            SkillLevel(*pair)
            for pair in sorted((names.id("skill", skill), level) for skill, level in (requires or {}).items())
        )
        await self._service.command(
            Transfer(
                agent=self.number,
                contact=contact,
                queue=number,
                head_start_us=head_start_ms * 1_000,
                requires=levels,
            )
        )

    async def say(self, contact: int, text: str, external_id: str) -> Message:
        """Store what the agent wrote, once per `external_id`, and send it to the customer.

        Raises:
            UnknownContact: the agent is not engaged with it.
        """
        if self._service.conversations is None:
            raise UnknownContact(contact)
        return await self._service.conversations.agent_says(self.number, contact, text, external_id)

    def typing(self, contact: int, on: bool) -> None:
        """Tell the customer that the agent is typing; never stored."""
        if self._service.conversations is not None:
            self._service.conversations.agent_types(self.number, contact, on)

    def _reason(self, reason: str | None) -> int:
        if reason is None:
            return 0
        number = number_of(self._service.names, "reason", reason)
        if number is None:
            raise UnknownReason(0)
        return number


def _command_id() -> bytes:
    return os.urandom(16)

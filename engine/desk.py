"""A desk: what an agent can do, with names instead of numbers. The console and tests use it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from engine.arrivals import check_head_start
from engine.bus import ForAgents
from engine.conversations import number_of
from engine.demand import demand_fields
from engine.errors import UnknownAgent, UnknownContact, UnknownQueue, UnknownReason, UnknownTarget
from engine.model import (
    Accept,
    Decline,
    End,
    EndWrapUp,
    Hold,
    Invite,
    Leave,
    NotReady,
    Park,
    Ready,
    Resume,
    SignIn,
    SignOut,
    Transfer,
    TransferOut,
    Unlock,
    Unpark,
)
from engine.subscription import Subscription
from engine.views import DeskState
from engine.wishes import NO_WISHES, Wishes

if TYPE_CHECKING:
    from engine.channel_attachments import NewAttachment
    from engine.facade import Facade
    from engine.message_store import Message


class Desk:
    """One agent's desk. Made by `Facade.desk`.

    Every method is durable when it returns. It raises the core's refusals (`OfferExpired`,
    `WrongState`...), and `Busy` when nothing was taken.

    Attributes:
        agent: the agent's name.
        number: the agent's number.
    """

    def __init__(self, service: Facade, agent: str, number: int) -> None:
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
        self._service.leases.signs_in(self.number)
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

    async def hold(self, contact: int) -> None:
        """Let the customer wait on the line."""
        await self._service.command(Hold(agent=self.number, contact=contact))

    async def resume(self, contact: int) -> None:
        """Go on with a customer on hold."""
        await self._service.command(Resume(agent=self.number, contact=contact))

    async def park(self, contact: int) -> None:
        """Keep a contact that takes no units for now, so that others can come."""
        await self._service.command(Park(agent=self.number, contact=contact))

    async def unpark(self, contact: int) -> None:
        """Go on with a parked contact, whether its units are free or not."""
        await self._service.command(Unpark(agent=self.number, contact=contact))

    async def invite(self, contact: int, colleague: str) -> None:
        """Ask a colleague to join a contact; they accept or decline it like an offer."""
        invitee = number_of(self._service.names, "agent", colleague)
        if invitee is None:
            raise UnknownAgent(0)
        await self._service.command(
            Invite(agent=self.number, contact=contact, invitee=invitee, command_id=_command_id())
        )

    async def leave(self, contact: int) -> None:
        """Leave a contact to those who are in it; who joined first serves it then."""
        await self._service.command(Leave(agent=self.number, contact=contact))

    async def transfer_out(self, contact: int, target: str) -> None:
        """Pass an engaged contact on to a place outside; it ends with that."""
        number = number_of(self._service.names, "target", target)
        if number is None:
            raise UnknownTarget(0)
        await self._service.command(TransferOut(agent=self.number, contact=contact, target=number))

    async def transfer(
        self,
        contact: int,
        queue: str,
        *,
        head_start_ms: int = 0,
        requires: str | Mapping[str, int] | None = None,
        wishes: Wishes = NO_WISHES,
    ) -> None:
        """Pass an engaged contact on to a queue; what it asked for before is forgotten."""
        names = self._service.names
        number = number_of(names, "queue", queue)
        if number is None:
            raise UnknownQueue(0)
        check_head_start(self._service.site, queue, head_start_ms)
        await self._service.command(
            Transfer(
                agent=self.number,
                contact=contact,
                queue=number,
                head_start_us=head_start_ms * 1_000,
                **demand_fields(names, requires, wishes),
            )
        )

    async def say(
        self, contact: int, text: str, external_id: str, *, attachments: Sequence[NewAttachment] = ()
    ) -> Message:
        """Store what the agent wrote, once per `external_id`, and send it to the customer.

        Args:
            contact: whom.
            text: what; may be empty beside attachments.
            external_id: what the desk calls the message.
            attachments: files that come with it.

        Raises:
            UnknownContact: the agent neither serves it nor is in it.
            Malformed: the channel cannot carry so much, or takes no such attachments; or a field is wrong,
                which is named.
        """
        if self._service.conversations is None:
            raise UnknownContact(contact)
        return await self._service.conversations.agent_says(
            self.number, contact, text, external_id, attachments
        )

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

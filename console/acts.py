"""What a page may ask for over its socket, and who may ask for it."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeVar

import msgspec

from console.live import messages_message, readable
from console.problems import Problem, not_allowed, unknown_contact
from engine.desk import Desk
from engine.errors import UnknownAgent
from engine.logins import Identity
from engine.names import UnknownName
from engine.service import Service
from engine.store import Store

T = TypeVar("T")

Number = Annotated[int, msgspec.Meta(ge=0, lt=1 << 53)]

Act = Literal[
    "sign_in",
    "sign_out",
    "ready",
    "not_ready",
    "accept",
    "decline",
    "end",
    "end_wrap_up",
    "transfer",
    "unlock",
]


class Do(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="do"):
    """An act of an agent, or of a supervisor on `agent`; `id` comes back with the result."""

    id: str
    act: Act
    offer: Number | None = None
    contact: Number | None = None
    reason: str | None = None
    queue: str | None = None
    ready: bool = True
    agent: str | None = None


class Say(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="say"):
    """A message to a customer, stored once per `external_id`."""

    id: str
    contact: Number
    external_id: str
    text: str


class Typing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="typing"):
    """The agent is typing, or has stopped."""

    contact: Number
    on: bool


class History(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="history"):
    """Ask for the messages behind position `after`."""

    contact: Number
    after: Number = 0


Asked = Do | Say | Typing | History

decoder: Final = msgspec.json.Decoder(Asked)


class Acts:
    """Carries out what one person asks for.

    Args:
        service: the engine.
        store: the messages.
        identity: who asks; rights are checked with every act.
        desk: the person's desk; None for who has none.
    """

    def __init__(self, service: Service, store: Store, identity: Identity, desk: Desk | None) -> None:
        self._service = service
        self._store = store
        self._identity = identity
        self._desk = desk

    async def do(self, asked: Do) -> None:
        """Carry out an act; it is durable when this returns.

        Raises:
            Problem: not allowed, or a field is missing.
            Refused: by the core.
            Busy: nothing was taken.
        """
        if asked.act == "unlock":
            await unlock(self._service, self._identity, _given("agent", asked.agent))
            return
        desk = self._own_desk()
        match asked.act:
            case "sign_in":
                await desk.sign_in(ready=asked.ready)
            case "sign_out":
                await desk.sign_out()
            case "ready":
                await desk.ready()
            case "not_ready":
                await desk.not_ready(asked.reason)
            case "accept":
                await desk.accept(_given("offer", asked.offer))
            case "decline":
                await desk.decline(_given("offer", asked.offer), asked.reason)
            case "end":
                await desk.end(_given("contact", asked.contact))
            case "end_wrap_up":
                await desk.end_wrap_up(_given("contact", asked.contact))
            case "transfer":
                await desk.transfer(_given("contact", asked.contact), _given("queue", asked.queue))

    async def say(self, asked: Say) -> None:
        """Store and send a message; a repeat of its external id does nothing more."""
        await self._own_desk().say(asked.contact, asked.text, asked.external_id)

    def typing(self, asked: Typing) -> None:
        """Tell the customer that the agent is typing."""
        self._own_desk().typing(asked.contact, asked.on)

    async def history(self, contact: int, after: int) -> msgspec.Struct:
        """Return a page of messages of a contact in hand.

        Raises:
            Problem: not this agent's contact, or no contact at all: the answer is the same.
        """
        if self._desk is None or not readable(self._service, self._desk.state(), contact):
            raise unknown_contact()
        conversation = await self._store.by_contact(contact)
        if conversation is None:
            return messages_message(contact, "", [])
        messages = await self._store.messages(conversation.id, after)
        return messages_message(contact, conversation.public_id, messages)

    def _own_desk(self) -> Desk:
        if self._desk is None:
            raise not_allowed("you have no desk; ask an administrator to connect your login to an agent")
        return self._desk


async def unlock(service: Service, identity: Identity, agent: str) -> None:
    """Unlock an agent, for a supervisor.

    Raises:
        Problem: not a supervisor.
        UnknownAgent: no such agent.
    """
    if not identity.oversees:
        raise not_allowed("only supervisors unlock")
    try:
        desk = service.desk(agent)
    except UnknownName:
        raise UnknownAgent from None
    await desk.unlock()


def _given(field: str, value: T | None) -> T:
    if value is None:
        raise Problem(400, "malformed", f"{field}: this act needs it", field=field)
    return value

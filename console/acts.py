"""What a page may ask for over its socket, and who may ask for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Final, Literal, TypeVar

import msgspec

from console.live import messages_message, readable
from console.problems import Problem, not_allowed, unknown_contact
from console.sight import sight_of
from console.watching import Watch
from engine.channel_attachments import NewAttachment
from engine.desk import Desk
from engine.errors import UnknownAgent
from engine.facade import Facade
from engine.logins import Identity
from engine.model import HoursState
from engine.names import UnknownName
from engine.store import Attachment, Store
from engine.wishes import NO_WISHES, Wishes

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
    "transfer_out",
    "hold",
    "resume",
    "park",
    "unpark",
    "invite",
    "leave",
    "take_over",
    "move",
    "change",
    "release",
    "unlock",
    "hours",
]


class Do(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="do"):
    """An act of an agent, or of a supervisor; `id` comes back with the result.

    `agent` is who is unlocked, invited, or preferred after a transfer; `target` is a place outside;
    `hours` is what a queue is made: open, closing (who waits is still served) or closed.
    """

    id: str
    act: Act
    offer: Number | None = None
    contact: Number | None = None
    reason: str | None = None
    queue: str | None = None
    ready: bool = True
    agent: str | None = None
    target: str | None = None
    head_start_ms: Number | None = None
    hours: Literal["open", "closing", "closed"] | None = None


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


Asked = Do | Say | Typing | History | Watch

PREFERRED_WAIT_MS: Final = 60_000
"""How long a contact waits for the agent to whom it was transferred, before it is anybody's."""

SUPERVISORS_ACTS: Final = ("take_over", "move", "change", "release")
CONTACT_ACTS: Final[dict[str, Callable[[Desk, int], Awaitable[None]]]] = {
    "end": Desk.end,
    "end_wrap_up": Desk.end_wrap_up,
    "hold": Desk.hold,
    "resume": Desk.resume,
    "park": Desk.park,
    "unpark": Desk.unpark,
    "leave": Desk.leave,
}
"""What needs a contact and nothing else."""

decoder: Final = msgspec.json.Decoder(Asked)


class Acts:
    """Carries out what one person asks for.

    Args:
        service: the engine.
        store: the messages.
        identity: who asks; rights are checked with every act.
        desk: the person's desk; None for who has none.
    """

    def __init__(self, service: Facade, store: Store, identity: Identity, desk: Desk | None) -> None:
        self._service = service
        self._store = store
        self._identity = identity
        self._desk = desk
        self._sight = sight_of(service.site, identity)

    async def do(self, asked: Do) -> None:
        """Carry out an act; it is durable when this returns.

        Raises:
            Problem: not allowed, or a field is missing.
            Refused: by the core.
            Busy: nothing was taken.
        """
        if asked.act == "unlock":
            await unlock(self._service, self._store, self._identity, _given("agent", asked.agent))
            return
        if asked.act == "hours":
            await self._set_hours(asked)
        elif asked.act in SUPERVISORS_ACTS:
            await self._oversee(asked)
        elif asked.act in CONTACT_ACTS:
            await CONTACT_ACTS[asked.act](self._own_desk(), _given("contact", asked.contact))
        else:
            await self._do(asked, self._own_desk())

    async def _set_hours(self, asked: Do) -> None:
        if not self._identity.oversees:
            raise not_allowed("only supervisors open and close queues")
        state, queue = HoursState[_given("hours", asked.hours).upper()], _given("queue", asked.queue)
        self._sight.check_queue(queue)
        await self._store.note(
            self._identity.login, "queue.hours", f"queue:{queue}", hours=state.name.lower()
        )
        await self._service.set_hours(queue, state)

    async def _oversee(self, asked: Do) -> None:
        if not self._identity.oversees:
            raise not_allowed("only supervisors do this with contacts of others")
        contact = _given("contact", asked.contact)
        now = self._service.contact_state(contact)
        if now is not None and now.queue is not None and not self._sight.has_queue(now.queue):
            raise unknown_contact()
        if asked.queue is not None:
            self._sight.check_queue(asked.queue)
        details = {"queue": asked.queue, "head_start_ms": asked.head_start_ms}
        given = {name: value for name, value in details.items() if value is not None}
        await self._store.note(self._identity.login, f"contact.{asked.act}", f"contact:{contact}", **given)
        match asked.act:
            case "take_over":
                await self._service.take_over(contact, self._own_desk().agent)
            case "move":
                await self._service.move(contact, _given("queue", asked.queue))
            case "change":
                await self._service.change(contact, queue=asked.queue, head_start_ms=asked.head_start_ms)
            case _:
                await self._service.release(contact)

    async def _do(self, asked: Do, desk: Desk) -> None:
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
            case "transfer":
                wishes = _wait_for(asked.agent)
                await desk.transfer(
                    _given("contact", asked.contact), _given("queue", asked.queue), wishes=wishes
                )
            case "transfer_out":
                await desk.transfer_out(_given("contact", asked.contact), _given("target", asked.target))
            case "invite":
                await desk.invite(_given("contact", asked.contact), _given("agent", asked.agent))

    def named(self, asked: Asked) -> dict[str, str | int]:
        """What is said in the log of something asked for, nothing of what was written."""
        act = asked.act if isinstance(asked, Do) else type(asked).__name__.lower()
        said: dict[str, str | int] = {"act": act, "seq": self._service.seq}
        for name in ("contact", "offer"):
            if (number := getattr(asked, name, None)) is not None:
                said[name] = number
        return said

    async def say(self, asked: Say) -> None:
        """Store and send a message; a repeat of its external id does nothing more."""
        await self._own_desk().say(asked.contact, asked.text, asked.external_id)

    async def send_file(self, contact: int, external_id: str, new: NewAttachment) -> None:
        """Store and send a file as a message of its own; a repeat of its external id does nothing more."""
        await self._own_desk().say(contact, "", external_id, attachments=[new])

    async def file(self, contact: int, public_id: str) -> tuple[Attachment, AsyncIterator[bytes]]:
        """Return a file of a contact in hand.

        Raises:
            Problem: not this agent's contact, or no contact at all: the answer is the same.
            NoSuchAttachment: it is no file of that contact's conversation.
        """
        conversations = self._service.conversations
        if conversations is None or not self._may_read(contact):
            raise unknown_contact()
        return await conversations.attachment(contact, public_id)

    def typing(self, asked: Typing) -> None:
        """Tell the customer that the agent is typing."""
        self._own_desk().typing(asked.contact, asked.on)

    def check_watch(self, asked: Watch) -> None:
        """Let agents see their colleagues, and supervisors everybody's contacts.

        Raises:
            Problem: not allowed.
        """
        if asked.what == "contacts" and not self._identity.oversees:
            raise not_allowed("only supervisors see the contacts of others")
        if asked.what == "colleagues" and self._desk is None and not self._identity.oversees:
            raise not_allowed("only agents and supervisors see who is there")

    async def history(self, contact: int, after: int) -> msgspec.Struct:
        """Return a page of messages of a contact in hand.

        Raises:
            Problem: not this agent's contact, or no contact at all: the answer is the same.
        """
        if not self._may_read(contact):
            raise unknown_contact()
        conversation = await self._store.by_contact(contact)
        if conversation is None:
            return messages_message(contact, "", [])
        messages = await self._store.messages(conversation.id, after)
        return messages_message(contact, conversation.public_id, messages)

    def _may_read(self, contact: int) -> bool:
        return self._desk is not None and readable(self._service, self._desk.state(), contact)

    def _own_desk(self) -> Desk:
        if self._desk is None:
            raise not_allowed("you have no desk; ask an administrator to connect your login to an agent")
        return self._desk


def acts_of(service: Facade, store: Store, identity: Identity) -> Acts:
    """Return what a person may ask for outside a socket; whose agent is not configured has no desk."""
    try:
        desk = service.desk(identity.agent) if identity.agent is not None else None
    except UnknownName:
        desk = None
    return Acts(service, store, identity, desk)


async def unlock(service: Facade, store: Store, identity: Identity, agent: str) -> None:
    """Unlock an agent, for a supervisor.

    Raises:
        Problem: not a supervisor.
        UnknownAgent: no such agent.
    """
    if not identity.oversees:
        raise not_allowed("only supervisors unlock")
    sight_of(service.site, identity).check_agent(agent)
    try:
        desk = service.desk(agent)
    except UnknownName:
        raise UnknownAgent from None
    await store.note(identity.login, "agent.unlock", f"agent:{agent}")
    await desk.unlock()


def _wait_for(agent: str | None) -> Wishes:
    """Let a transferred contact wait for one agent first."""
    if agent is None:
        return NO_WISHES
    return Wishes(preferred=(agent,), preferred_wait_ms=PREFERRED_WAIT_MS)


def _given(field: str, value: T | None) -> T:
    if value is None:
        raise Problem(400, "malformed", f"{field}: this act needs it", field=field)
    return value

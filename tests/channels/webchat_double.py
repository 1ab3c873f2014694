"""A port in memory, and a page that is a pair of lists: what a web chat's reception is tested against."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import trio

from channels.webchat.options import Options, load_options
from channels.webchat.page_socket import PageSocket
from channels.webchat.reception import Reception
from engine.channel import (
    Arrival,
    ASGIApp,
    Effect,
    Known,
    LiveContact,
    MessageOut,
    Queued,
    StoredMessage,
    Wait,
)
from engine.errors import BadPlace, Busy, NotAdmitted, PaiduiError, UnknownContact
from engine.wishes import NO_WISHES, Wishes


class PortDouble:
    """Does what the port promises, and can be told to be busy."""

    channel = "webchat"

    def __init__(self) -> None:
        self.ids: dict[str, int] = {}
        self.states: dict[int, str] = {}
        self.positions: dict[int, int] = {}
        self.waits: dict[int, Wait] = {}
        self.stored: dict[int, list[StoredMessage]] = {}
        self.typed: list[tuple[int, bool]] = []
        self.calls: list[tuple[str, int]] = []
        self.names: list[str | None] = []
        self.known: list[tuple[str | None, Known | None]] = []
        self.not_admitted: str | None = None
        self.busy = 0
        self.closed_queues: set[str] = set()
        self.place_s = 3_600
        self.max_attachment_bytes = 0
        self.places: list[str] = []
        self.bad_place: PaiduiError | None = None
        self.effect_number = 0

    def queues(self) -> list[tuple[str, Mapping[str, str]]]:
        """Two queues."""
        return [("cards", {"en": "Cards", "zh": "信用卡"}), ("loans", {"en": "Loans", "zh": "贷款"})]

    def _take(self) -> None:
        if self.busy > 0:
            self.busy -= 1
            raise Busy(200)

    async def arrive(
        self,
        external_id: str,
        *,
        queue: str,
        customer_name: str | None = None,
        head_start_ms: int = 0,
        requires: str | Mapping[str, int] | None = None,
        customer: str | None = None,
        known: Known | None = None,
        wishes: Wishes = NO_WISHES,
        place: str | None = None,
        not_before_ms: int | None = None,
        reply_by_ms: int | None = None,
    ) -> Arrival:
        """Exactly once per external id."""
        await trio.lowlevel.checkpoint()
        self._take()
        if external_id not in self.ids and place is not None:
            if self.bad_place is not None:
                raise self.bad_place
            self.places.append(place)
        if self.not_admitted is not None:
            raise NotAdmitted(self.not_admitted, "row 7")
        self.known.append((customer, known))
        if external_id not in self.ids:
            contact = self.ids[external_id] = len(self.ids) + 1
            self.states[contact] = "waiting"
            self.positions[contact] = contact - 1
            self.stored[contact] = []
            self.names.append(customer_name)
        contact = self.ids[external_id]
        return Arrival(contact, f"public-{contact}")

    def place_ticket(self, contact: int) -> str:
        """Readable, for tests."""
        if self.states[contact] not in ("waiting", "offered", "connecting", "abandoned"):
            raise BadPlace(contact)
        return f"place-of-{contact}"

    async def message(self, contact: int, text: str, external_id: str) -> StoredMessage:
        """Once per external id."""
        await trio.lowlevel.checkpoint()
        self._take()
        return self.store(contact, "customer", text, external_id)

    def store(self, contact: int, sender: str, text: str, external_id: str) -> StoredMessage:
        """Put a message behind the others."""
        if contact not in self.stored:
            raise UnknownContact(contact)
        messages = self.stored[contact]
        for message in messages:
            if message.external_id == external_id:
                return message
        position = len(messages) + 1
        messages.append(StoredMessage(100 + position, position, sender, external_id, text, 1_000 * position))
        return messages[-1]

    async def abandon(self, contact: int) -> None:
        """Remember it."""
        await trio.lowlevel.checkpoint()
        self._take()
        self.calls.append(("abandon", contact))
        self.states[contact] = "served" if self.states[contact] == "engaged" else "abandoned"

    closed = abandon

    async def connected(self, contact: int) -> None:
        """Remember it."""
        await trio.lowlevel.checkpoint()
        self.calls.append(("connected", contact))
        self.states[contact] = "engaged"

    async def connect_failed(self, contact: int) -> None:
        """Remember it."""
        await trio.lowlevel.checkpoint()
        self.calls.append(("connect_failed", contact))
        self.states[contact] = "waiting"

    def is_open(self, queue: str) -> bool:
        """Unless it was closed."""
        return queue not in self.closed_queues

    def position(self, contact: int) -> int | None:
        """Only while it waits."""
        return self.positions.get(contact) if self.states.get(contact) == "waiting" else None

    def wait(self, contact: int) -> Wait | None:
        """Only while it waits."""
        return self.waits.get(contact) if self.states.get(contact) == "waiting" else None

    def state(self, contact: int) -> str | None:
        """As it was set."""
        return self.states.get(contact)

    async def contacts(self) -> Sequence[LiveContact]:
        """The live ones."""
        await trio.lowlevel.checkpoint()
        live = {"waiting", "offered", "connecting", "engaged"}
        return [
            LiveContact(contact=contact, external_id=name, state=self.states[contact])
            for name, contact in self.ids.items()
            if self.states[contact] in live
        ]

    async def history(self, contact: int, after: int = 0) -> Sequence[StoredMessage]:
        """Those behind `after`."""
        await trio.lowlevel.checkpoint()
        return [message for message in self.stored[contact] if message.position > after]

    async def typing(self, contact: int, on: bool) -> None:
        """Remember it."""
        await trio.lowlevel.checkpoint()
        self.typed.append((contact, on))

    def token(self, subject: str, ttl_s: int = 86_400) -> str:
        """Readable, for tests."""
        return f"token-of-{subject}"

    def verify(self, token: str) -> str:
        """The other way round."""
        if not token.startswith("token-of-"):
            raise PaiduiError("not a token of this channel")
        return token.removeprefix("token-of-")

    def mount(self, app: ASGIApp, prefix: str) -> None:
        """Not in these tests."""
        raise AssertionError(f"nothing is served at {prefix}")

    def effects(self) -> AsyncIterator[Effect]:
        """Not in these tests: effects are carried out one by one."""
        raise AssertionError("no stream")

    def changed(self, contact: int, state: str) -> Queued:
        """Set a contact's state and return an effect that makes the reception look."""
        self.states[contact] = state
        return Queued(effect_id=self.next_effect(), contact=contact, queue="cards", cause="arrival")

    def wrote(self, contact: int, text: str) -> MessageOut:
        """Store an agent's message and return its effect."""
        message = self.store(contact, "agent", text, f"agent-{len(self.stored[contact])}")
        return MessageOut(effect_id=self.next_effect(), contact=contact, message_id=message.id, text=text)

    def next_effect(self) -> str:
        """An id."""
        self.effect_number += 1
        return f"site/1/{self.effect_number}"


class Visit:
    """A page that is connected to a reception."""

    def __init__(self, reception: Reception, address: str = "192.0.2.1") -> None:
        self.heard: list[dict[str, Any]] = []
        self._say, incoming = trio.open_memory_channel[str | bytes](1000)
        self.reading = trio.Event()
        self.reading.set()
        self.socket = PageSocket(reception, incoming.receive, self._hear, address)
        self.scope = trio.CancelScope()
        self.closed = trio.Event()

    async def run(self, closing: trio.Event | None = None) -> None:
        """Be there until the socket closes or `leave`."""
        with self.scope:
            await self.socket.serve(closing)
        self.closed.set()

    async def _hear(self, frame: str) -> None:
        await self.reading.wait()
        self.heard.append(json.loads(frame))

    async def say(self, **message: Any) -> list[dict[str, Any]]:
        """Say something; return what was heard until nothing more happens."""
        return await self.say_frame(json.dumps(message))

    async def say_frame(self, frame: str | bytes) -> list[dict[str, Any]]:
        """Say a raw frame."""
        before = len(self.heard)
        self._say.send_nowait(frame)
        await trio.testing.wait_all_tasks_blocked()
        return self.heard[before:]

    async def leave(self) -> None:
        """Close the page."""
        self.scope.cancel()
        await self.closed.wait()

    def of(self, kind: str) -> list[dict[str, Any]]:
        """What was heard of one type."""
        return [message for message in self.heard if message["type"] == kind]

    def texts(self) -> list[str]:
        """The texts of all messages heard, in the order of their positions, once each."""
        messages = {
            one["position"]: one["text"] for heard in self.of("messages") for one in heard["messages"]
        }
        return [messages[position] for position in sorted(messages)]


class House:
    """A reception with its port and visitors."""

    def __init__(self, nursery: trio.Nursery, options: Mapping[str, Any] | None = None) -> None:
        self.nursery = nursery
        self.port = PortDouble()
        self.options: Options = load_options(options or {})
        self.reception = Reception(self.options, self.port, nursery)

    async def visit(self, token: str | None = None, address: str = "192.0.2.1") -> Visit:
        """Let a page connect and say hello."""
        visit = Visit(self.reception, address)
        self.nursery.start_soon(visit.run)
        await visit.say(type="hello", **({"token": token} if token else {}))
        return visit

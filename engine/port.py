"""The port: what a channel in this process is given, on top of the running service and the store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import structlog
import trio

from engine import model
from engine.auth import BadToken
from engine.channel import (
    Arrival,
    ASGIApp,
    AttachedFile,
    Capabilities,
    Effect,
    Known,
    LiveContact,
    NewAttachment,
    StoredMessage,
    Wait,
)
from engine.config import ChannelSection
from engine.conversations import Conversations
from engine.errors import BadPlace, BadTicket, PaiduiError, UnknownContact
from engine.facade import Facade
from engine.faults import Faults
from engine.identities import IdentityKey
from engine.message_store import MessageStore
from engine.model import Abandon, Connected, ConnectFailed
from engine.places import contact_of, place_ticket
from engine.port_attachments import PortFiles, stored
from engine.port_effects import EffectQueue
from engine.port_limits import Gate, TypingLimit, check_arrival, check_bytes
from engine.terms import Terms
from engine.views import CONTACT_STATES
from engine.wishes import NO_WISHES, Wishes

__all__ = ["CustomerTokens", "MessageStore", "Mounting", "ServicePort"]

_log = structlog.get_logger(__name__)


class Mounting(Protocol):
    """What a port needs of the web server."""

    def mount(self, prefix: str, app: ASGIApp) -> None:
        """Serve an application under a prefix."""
        ...

    def unmount(self, prefix: str) -> None:
        """Stop serving it."""
        ...


class CustomerTokens(Protocol):
    """What a port needs of `engine.auth.Tokens`."""

    def issue(self, typ: str, sub: str, ttl_s: float, **claims: Any) -> str:
        """Return a token."""
        ...

    def verify(self, token: str, typ: str) -> dict[str, Any]:
        """Return its claims; raise `BadToken`."""
        ...


class ServicePort:
    """The port of one hosted channel; it outlives the channel's crashes, and so do its effects.

    Args:
        service: the running service, with a store.
        section: the channel's configuration.
        tokens: issues and verifies customers' tokens.
        mounts: the web server.
        faults: what is to go wrong, in a test.
    """

    def __init__(
        self,
        service: Facade,
        section: ChannelSection,
        tokens: CustomerTokens,
        mounts: Mounting,
        faults: Faults | None = None,
    ) -> None:
        if service.conversations is None:
            raise ValueError("service: a hosted channel needs a service with a store")
        self._service = service
        self._conversations: Conversations = service.conversations
        self._section = section
        self._tokens = tokens
        self._mounts = mounts
        self._prefixes: list[str] = []
        self._number = service.names.id("channel", section.name)
        self._effects = EffectQueue(service, self._conversations, section.name, faults)
        self._gate = Gate()
        self._typed = TypingLimit()
        self._asking = False
        self._quiet_since = trio.current_time()
        self._files = PortFiles(self._conversations, section.name)
        self._max_message_bytes = Capabilities().max_message_bytes

    @property
    def channel(self) -> str:
        """The channel's name in the configuration."""
        return self._section.name

    def queues(self) -> list[tuple[str, Mapping[str, str]]]:
        """Return the queues' names and titles by language."""
        sections = self._service.site.queues.values()
        return [(one.name, {"en": one.title.en, "zh": one.title.zh}) for one in sections]

    async def arrive(
        self,
        external_id: str,
        *,
        queue: str,
        customer_name: str | None = None,
        head_start_ms: int = 0,
        requires: str | Mapping[str, int] | None = None,
        customer: str | None = None,
        identities: Sequence[IdentityKey] = (),
        known: Known | None = None,
        wishes: Wishes = NO_WISHES,
        place: str | None = None,
        not_before_ms: int | None = None,
        reply_by_ms: int | None = None,
    ) -> Arrival:
        """Bring a contact in, exactly once per `external_id`: store, then journal, then answer."""
        check_arrival(queue, customer_name, customer, requires, known)
        async with self._gate.turn(self._service.retry_after_ms):
            terms = Terms(await self._place(external_id, place), not_before_ms or 0, reply_by_ms or 0)
            contact, conversation = await self._conversations.arrive(
                self.channel,
                external_id,
                queue=queue,
                customer_name=customer_name,
                head_start_ms=head_start_ms,
                requires=requires,
                customer=customer,
                identities=identities,
                known=known,
                wishes=wishes,
                terms=terms,
            )
        return Arrival(contact, conversation.public_id)

    async def _place(self, external_id: str, ticket: str | None) -> int:
        """The contact of a ticket, 0 without one; one that has expired since does not harm a repeat."""
        if ticket is None:
            return 0
        try:
            return contact_of(self._tokens, ticket)
        except BadTicket:
            if await self._conversations.store.by_external_id(self.channel, external_id) is None:
                raise
            return 0

    @property
    def place_s(self) -> int:
        """For how many seconds a `place_ticket` is good; 0 = none are given."""
        return self._service.site.routing.place_ticket_s

    def place_ticket(self, contact: int) -> str:
        """Return the ticket by which a customer who leaves keeps the place."""
        if self.state(contact) is None:
            raise UnknownContact(contact)
        if not self.place_s:
            raise BadPlace(contact)
        return place_ticket(self._service, self._tokens, contact, self.place_s, self._service.clock.now_us())

    async def message(
        self,
        contact: int,
        text: str,
        external_id: str,
        *,
        attachments: Sequence[NewAttachment] = (),
    ) -> StoredMessage:
        """Store what the customer wrote, once per `external_id`, and show it to the agent."""
        check_bytes("text", text, self._max_message_bytes)
        # Read before there is a turn: a customer with a slow line keeps nobody waiting.
        async with (
            self._files.drafted(attachments) as files,
            self._gate.turn(self._service.retry_after_ms),
        ):
            with self._named(contact):
                said = await self._conversations.customer_says(
                    self.channel, contact, text, external_id, files
                )
        return stored(said)

    @property
    def max_attachment_bytes(self) -> int:
        """The largest file that `message` takes; 0 = none are taken."""
        return self._files.max_bytes

    async def attachment(self, contact: int, attachment_id: str) -> tuple[AttachedFile, AsyncIterator[bytes]]:
        """Return a file of the contact's conversation and its bytes in pieces."""
        async with self._gate.turn():
            return await self._files.read(contact, attachment_id)

    async def abandon(self, contact: int) -> None:
        """Say that the customer has left."""
        await self._command(Abandon(channel=self._number, contact=contact))

    closed = abandon

    async def connected(self, contact: int) -> None:
        """Say that customer and agent are talking."""
        await self._command(Connected(channel=self._number, contact=contact))

    async def connect_failed(self, contact: int) -> None:
        """Say that they could not be connected."""
        await self._command(ConnectFailed(channel=self._number, contact=contact))

    async def _command(self, command: Abandon | Connected | ConnectFailed) -> None:
        async with self._gate.turn():
            with self._named(command.contact):
                await self._service.command(command)

    def is_open(self, queue: str) -> bool:
        """Return whether a queue takes contacts in now, or sends them on to one that does."""
        section, hours = self._service.site.queues.get(queue), self._service.hours
        if section is None or hours(queue) == "open":
            return section is not None
        closed = [rule for rule in section.overflow if rule.when is model.OverflowWhen.CLOSED]
        return any(rule.to_kind is model.OverflowTo.QUEUE and hours(rule.to) == "open" for rule in closed)

    def position(self, contact: int) -> int | None:
        """Return how many contacts stand before it in its queue; None unless it waits."""
        return self._service.position(contact) if self.state(contact) is not None else None

    def wait(self, contact: int) -> Wait | None:
        """Return how long it will go on waiting; None unless it waits and can be served."""
        estimate = self._service.router.estimate(contact) if self.state(contact) == "waiting" else None
        return None if estimate is None else Wait(estimate.p50_us, estimate.p90_us)

    def state(self, contact: int) -> str | None:
        """Return the contact's state or outcome; None when it is not this channel's."""
        found = self._service.contact_state(contact)
        return found.state if found is not None and found.channel == self.channel else None

    async def contacts(self) -> Sequence[LiveContact]:
        """Return this channel's live contacts that have a conversation."""
        live = []
        for contact, *_ in self._service.channel_contacts(self._number):
            async with self._gate.turn():
                conversation = await self._conversations.store.by_contact(contact)
            state = self.state(contact)
            if conversation is not None and state in CONTACT_STATES:
                live.append(LiveContact(contact, conversation.external_id, state))
        return live

    async def external_id(self, contact: int) -> str | None:
        """Return what the channel called a contact; None when it is not this channel's."""
        async with self._gate.turn():
            conversation = await self._conversations.store.by_contact(contact)
        ours = conversation is not None and conversation.channel == self.channel
        return conversation.external_id if conversation is not None and ours else None

    async def history(self, contact: int, after: int = 0) -> Sequence[StoredMessage]:
        """Return the conversation's messages behind position `after`."""
        async with self._gate.turn():
            with self._named(contact):
                found = await self._conversations.history(self.channel, contact, after)
        return [stored(one) for one in found]

    async def typing(self, contact: int, on: bool) -> None:
        """Tell the agent that the customer is typing, a few times a second at most."""
        await trio.lowlevel.checkpoint()
        if self._typed.lets(contact, trio.current_time()):
            self._conversations.customer_types(self.channel, contact, on)

    def mount(self, app: ASGIApp, prefix: str) -> None:
        """Serve an ASGI application under `prefix` until the channel's `run` ends."""
        self._mounts.mount(prefix, app)
        self._prefixes.append(prefix)

    def token(self, subject: str, ttl_s: int = 86_400) -> str:
        """Return a token by which a customer can come back as `subject`."""
        return self._tokens.issue("customer", subject, ttl_s, channel=self.channel)

    def verify(self, token: str) -> str:
        """Return the subject of a token that this channel issued."""
        claims = self._tokens.verify(token, "customer")
        if claims.get("channel") != self.channel:
            raise BadToken("wrong_purpose")
        return str(claims["sub"])

    def effects(self) -> EffectStream:
        """Yield effects in order; each is finished when the next one is asked for."""
        return EffectStream(self)

    @contextmanager
    def _named(self, contact: int) -> Iterator[None]:
        """Say whose contact met a fault of ours; whoever catches it has the trace, and does not know."""
        try:
            yield
        except (PaiduiError, ValueError):
            raise  # an answer, not a fault
        except Exception as error:
            _log.error(
                "what a channel asked for has failed",
                channel=self.channel,
                contact=contact,
                seq=self._service.seq,
                error=type(error).__name__,
            )
            raise

    # ----- for the host -----------------------------------------------------------------------

    @property
    def in_hand(self) -> dict[str, int]:
        """The contact that the channel carries an effect out for, and the effect's batch, for the log."""
        return self._effects.in_hand

    def release(self) -> None:
        """The channel's `run` has ended: what it mounted goes, its unfinished effects stay."""
        for prefix in self._prefixes:
            self._mounts.unmount(prefix)
        self._prefixes.clear()
        self.take_up()

    def adopt(self, capabilities: Capabilities) -> None:
        """Hold a channel to what it says of itself, before it runs."""
        self._max_message_bytes = capabilities.max_message_bytes
        self._files.adopt(capabilities)
        self.take_up()

    def take_up(self) -> None:
        """A channel begins to read: from now on it can be stalled."""
        self._asking = False
        self._quiet_since = trio.current_time()

    def stalled_s(self) -> float:
        """For how many seconds effects have waited without the channel asking for one."""
        waits = self._effects.behind and not self._asking
        return trio.current_time() - self._quiet_since if waits else 0.0

    async def resume(self) -> None:
        """Go on behind the last effect that the channel has confirmed, in this process or an earlier one."""
        await self._effects.resume()

    async def settle(self) -> None:
        """Keep a quiet channel's place at hand; called now and then."""
        await self._effects.settle()

    def close(self) -> None:
        """End the subscription."""
        self._effects.close()

    async def next_effect(self) -> Effect:
        """Return the oldest unfinished effect; wait for one."""
        self._asking = True
        try:
            return await self._effects.next()
        finally:
            self.take_up()

    def finish(self, effect: Effect) -> None:
        """The channel has carried it out."""
        self._effects.finish(effect)


class EffectStream:
    """An endless iterator of effects."""

    def __init__(self, port: ServicePort) -> None:
        self._port = port
        self._last: Effect | None = None

    def __aiter__(self) -> EffectStream:
        """Give itself."""
        return self

    async def __anext__(self) -> Effect:
        """Finish the last effect and return the next one."""
        if self._last is not None:
            self._port.finish(self._last)
        self._last = await self._port.next_effect()
        return self._last

"""The port: what a channel in this process is given, on top of the running service and the store."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import structlog
import trio

from engine import model
from engine.auth import BadToken
from engine.bus import ForChannel, SlowReader, TooOld
from engine.channel import (
    Arrival,
    ASGIApp,
    Connect,
    Effect,
    Ended,
    Known,
    LiveContact,
    MessageOut,
    StoredMessage,
    Typing,
    Wait,
)
from engine.config import ChannelSection
from engine.conversations import Conversations
from engine.effects import effects_of
from engine.errors import BadPlace, BadTicket, Malformed, UnknownContact
from engine.identities import IdentityKey
from engine.message_store import Message, MessageStore
from engine.model import Abandon, Connected, ConnectFailed
from engine.notices import MessageNotice, TypingNotice
from engine.places import contact_of, place_ticket
from engine.service import Service
from engine.subscription import EventBatch, Subscription
from engine.terms import Terms
from engine.views import CONTACT_STATES
from engine.wishes import NO_WISHES, Wishes

__all__ = ["CustomerTokens", "MessageStore", "Mounting", "ServicePort"]

REMEMBERED_MESSAGES = 10_000
"""Of so many messages it is known that they were finished: a sender's repeat is not sent twice."""

CONNECTING = CONTACT_STATES.index("connecting")
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
    """

    def __init__(
        self, service: Service, section: ChannelSection, tokens: CustomerTokens, mounts: Mounting
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
        self._subscription: Subscription = service.subscribe(ForChannel(self._number), notices=True)
        self._pending: deque[Effect] = deque(self._unanswered())
        self._item: EventBatch | MessageNotice | TypingNotice | None = None
        self._finished: OrderedDict[str, None] = OrderedDict()
        self._asking = False
        self._quiet_since = trio.current_time()
        self.max_message_bytes = 16_384

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

    async def message(self, contact: int, text: str, external_id: str) -> StoredMessage:
        """Store what the customer wrote, once per `external_id`, and show it to the agent."""
        size = len(text.encode())
        if size > self.max_message_bytes:
            raise Malformed(f"text: expected at most {self.max_message_bytes} bytes of UTF-8, got {size}")
        return _stored(await self._conversations.customer_says(self.channel, contact, text, external_id))

    async def abandon(self, contact: int) -> None:
        """Say that the customer has left."""
        await self._service.command(Abandon(channel=self._number, contact=contact))

    closed = abandon

    async def connected(self, contact: int) -> None:
        """Say that customer and agent are talking."""
        await self._service.command(Connected(channel=self._number, contact=contact))

    async def connect_failed(self, contact: int) -> None:
        """Say that they could not be connected."""
        await self._service.command(ConnectFailed(channel=self._number, contact=contact))

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
            conversation = await self._conversations.store.by_contact(contact)
            state = self.state(contact)
            if conversation is not None and state in CONTACT_STATES:
                live.append(LiveContact(contact, conversation.external_id, state))
        return live

    async def history(self, contact: int, after: int = 0) -> Sequence[StoredMessage]:
        """Return the conversation's messages behind position `after`."""
        return [_stored(one) for one in await self._conversations.history(self.channel, contact, after)]

    async def typing(self, contact: int, on: bool) -> None:
        """Tell the agent that the customer is typing."""
        await trio.lowlevel.checkpoint()
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

    # ----- for the host -----------------------------------------------------------------------

    def release(self) -> None:
        """The channel's `run` has ended: what it mounted goes, its unfinished effects stay."""
        for prefix in self._prefixes:
            self._mounts.unmount(prefix)
        self._prefixes.clear()
        self.take_up()

    def take_up(self) -> None:
        """A channel begins to read: from now on it can be stalled."""
        self._asking = False
        self._quiet_since = trio.current_time()

    def stalled_s(self) -> float:
        """For how many seconds effects have waited without the channel asking for one."""
        behind = bool(self._pending) or self._subscription.subscriber.waiting
        return trio.current_time() - self._quiet_since if behind and not self._asking else 0.0

    def close(self) -> None:
        """End the subscription."""
        self._subscription.close()

    async def next_effect(self) -> Effect:
        """Return the oldest unfinished effect; wait for one."""
        self._asking = True
        try:
            while not self._pending:
                await self._fill()
            return self._pending[0]
        finally:
            self.take_up()

    def finish(self, effect: Effect) -> None:
        """The channel has carried it out."""
        if self._pending and self._pending[0] is effect:
            self._pending.popleft()
        if isinstance(effect, MessageOut):
            self._finished[effect.effect_id] = None
            if len(self._finished) > REMEMBERED_MESSAGES:
                self._finished.popitem(last=False)

    async def _fill(self) -> None:
        """Turn the next item into effects; one that was taken when a crash came is taken up again."""
        if self._item is None:
            try:
                self._item = await self._subscription.receive()
            except (SlowReader, TooOld) as error:
                self._subscribe_again(error)
                return
        if isinstance(self._item, EventBatch):
            effects = await self._of_events(self._item)
        elif isinstance(self._item, MessageNotice):
            effects = await self._of_message(self._item)
        else:
            typing = Typing(effect_id="", contact=self._item.contact, on=self._item.on)
            effects = [typing] if self._item.sender == "agent" else []
        self._item = None
        self._pending.extend(effects)

    async def _of_events(self, batch: EventBatch) -> list[Effect]:
        effects: list[Effect] = []
        over: set[int] = set()
        names, targets = self._service.names, self._service.site.targets
        for index, event in batch.events:
            effect_id = f"{self._service.site.name}/{batch.seq}/{index}"
            for effect in effects_of(names, effect_id, event, targets):
                # Those who were in it leave when it is over; to the channel that says nothing more.
                if effect.contact not in over:
                    effects.append(effect)
                if isinstance(effect, Ended):
                    over.add(effect.contact)
                    served_by = isinstance(event, model.Ended) and names.name("agent", event.agent)
                    await self._conversations.store.close_conversation(effect.contact, served_by or None)
        return effects

    async def _of_message(self, notice: MessageNotice) -> list[Effect]:
        effect_id = f"{self._service.site.name}/m{notice.message_id}"
        if notice.sender == "customer" or effect_id in self._finished:
            return []
        if (message := await self._conversations.fetch(notice)) is None:
            return []
        return [
            MessageOut(effect_id=effect_id, contact=notice.contact, message_id=message.id, text=message.text)
        ]

    def _subscribe_again(self, error: SlowReader | TooOld) -> None:
        """The channel was so far behind that it was cut: go on from the ring, or from now."""
        scope = ForChannel(self._number)
        resume_seq = error.seq if isinstance(error, SlowReader) else None
        _log.warning("a channel was cut because it did not keep up", channel=self.channel, reason=str(error))
        try:
            self._subscription = self._service.subscribe(scope, resume_seq, notices=True)
        except TooOld:
            self._subscription = self._service.subscribe(scope, notices=True)
            self._pending.extend(self._unanswered())

    def _unanswered(self) -> list[Effect]:
        """`Connect` for each contact that waits for the channel's answer: what came before is not known."""
        effects: list[Effect] = []
        for contact, state, agent, *_ in self._service.channel_contacts(self._number):
            if state != CONNECTING:
                continue
            desk = self._service.router.desk(agent)
            deadline_us = (
                next((one.deadline for one in desk.contacts if one.contact == contact), 0) if desk else 0
            )
            effects.append(
                Connect(
                    effect_id=f"{self._service.site.name}/{self._service.seq}/c{contact}",
                    contact=contact,
                    agent=self._service.names.name("agent", agent),
                    deadline_ms=deadline_us // 1_000,
                )
            )
        return effects


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


def _stored(message: Message) -> StoredMessage:
    return StoredMessage(
        message.id, message.position, message.sender, message.external_id, message.text, message.at
    )

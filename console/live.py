"""What is pushed to the pages: each desk when it changes, messages as they come, the overview each second.

All tabs of an agent share one subscription and one encoding. A picture of a desk is drawn by one task and
wanted by another: whatever happens while the store is asked for names leads to one more picture, not to one
each.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final, Protocol

import msgspec
import structlog
import trio

from console.desk_view import Around, DeskMessage, InvitedView, contacts_of, desk_view
from console.outgoing import Outgoing
from console.overview import overview_message
from console.sight import ALL, Sight
from console.watching import Watching
from engine.bus import SlowReader
from engine.config import SiteConfig
from engine.desk import Desk
from engine.facade import Facade
from engine.file_types import SHOWN_TYPES
from engine.model import Engaged, Event, HandedOver, Invited, TakenOver
from engine.notices import MessageNotice, TypingNotice
from engine.store import Message, Preview, Store
from engine.subscription import EventBatch, Subscription
from engine.views import DeskState

OVERVIEW_S: Final = 1.0

_log: Final = structlog.get_logger(__name__)


class FileView(msgspec.Struct, frozen=True):
    """A file that came with a message; `image`: it may be shown in place."""

    id: str
    name: str
    size: int
    image: bool


class MessageView(msgspec.Struct, frozen=True):
    """A message as the page shows it: text, never HTML; `agent` is which of the agents wrote."""

    id: int
    position: int
    sender: str
    text: str
    at_ms: int
    external_id: str
    agent: str | None = None
    files: Sequence[FileView] = ()


class MessagesMessage(msgspec.Struct, frozen=True, tag="messages"):
    """Messages of a contact, as they are sent."""

    contact: int
    conversation: str
    messages: list[MessageView]


class TypingMessage(msgspec.Struct, frozen=True, tag="typing"):
    """The customer is typing, or has stopped."""

    contact: int
    on: bool


class Client(Protocol):
    """One open socket."""

    @property
    def outgoing(self) -> Outgoing:
        """What is to be sent to it."""
        ...

    @property
    def sight(self) -> Sight:
        """What of the site it may show."""
        ...


def encode(message: Any) -> str:
    """Return a message as JSON text."""
    return msgspec.json.encode(message).decode()


def messages_message(contact: int, conversation: str, messages: Sequence[Message]) -> MessagesMessage:
    """Make what is sent of stored messages."""
    return MessagesMessage(contact, conversation, [_message_view(one) for one in messages])


def _message_view(m: Message) -> MessageView:
    files = [
        FileView(one.public_id, one.file_name, one.size_bytes, one.media_type in SHOWN_TYPES)
        for one in m.attachments
    ]
    return MessageView(m.id, m.position, m.sender, m.text, m.at, m.external_id, m.agent, files)


def within(state: DeskState) -> list[int]:
    """Return the contacts that the agent is in: those that it serves, and those that it has joined."""
    return [*(one.contact for one in state.contacts), *(one.contact for one in state.joined)]


def readable(service: Facade, state: DeskState, contact: int) -> bool:
    """Return whether the agent may read a contact's messages.

    Those in hand, those that another serves and it is in, and those in wrap-up unless the contact has been
    passed on: what it says to the next agent is not this one's affair. An offer shows its preview only.
    """
    if contact in within(state):
        return True
    if not any(one.contact == contact for one in state.wrap_ups):
        return False
    now = service.contact_state(contact)
    return now is not None and now.agent == state.agent


class DeskFeed:
    """One agent's subscription, for all of the agent's tabs."""

    def __init__(self, service: Facade, store: Store, site: SiteConfig, desk: Desk) -> None:
        self.clients: set[Client] = set()
        self.scope = trio.CancelScope()
        self.failed = False
        self._service = service
        self._store = store
        self._site = site
        self._desk = desk
        self._stale = trio.Event()
        self._inviters: dict[int, str] = {}
        self._company: set[int] = set()
        self._subscription: Subscription | None = None

    @property
    def agent(self) -> str:
        """Whose desk it is."""
        return self._desk.agent

    def refresh(self) -> None:
        """Draw the desk anew."""
        self._stale.set()

    async def run(self) -> None:
        """Push until cancelled."""
        with self.scope, self._service.leases.agents.held(self._desk.number):
            try:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._draw)
                    nursery.start_soon(self._listen)
            except* Exception:
                # A fault of ours with one desk: its pages come back by themselves, the others never notice.
                _log.exception("a desk's feed failed", agent=self._desk.agent, seq=self._service.seq)
                self.failed = True
                for client in self.clients:
                    client.outgoing.end("error")

    async def _draw(self) -> None:
        self.refresh()
        while True:
            await self._stale.wait()
            self._stale = trio.Event()
            text = encode(await self._picture())
            for client in self.clients:
                client.outgoing.put(text, "desk")

    async def _picture(self) -> DeskMessage:
        state = self._desk.state()
        rings = {one.offer for one in state.invitations}
        self._inviters = {offer: who for offer, who in self._inviters.items() if offer in rings}
        self._listen_to(state)
        previews = await self._store.previews(contacts_of(state))
        for wrap_up in state.wrap_ups:
            if not readable(self._service, state, wrap_up.contact):
                _hide_messages(previews, wrap_up.contact)
        now_us = self._service.clock.now_us()
        return DeskMessage(
            desk_view(self._site, state, previews, self._around(state, now_us), now_us // 1_000)
        )

    def _around(self, state: DeskState, now_us: int) -> Around:
        """What else the desk shows: how its contacts go on elsewhere, and who has asked whom."""
        contacts = [*(one.contact for one in state.wrap_ups), *(one.contact for one in state.joined)]
        states = {contact: self._service.contact_state(contact) for contact in contacts}
        name = self._service.names.name
        invited = {
            contact: [
                InvitedView(name("agent", agent), deadline // 1_000)
                for _, agent, deadline in self._service.router.invited(contact)
                if deadline > now_us
            ]
            for contact in within(state)
        }
        lost_at_us = self._service.leases.lost_at_us.get(self._desk.number)
        is_out = state.presence == "signed_out" or state.signing_out
        lost_at_ms = lost_at_us // 1_000 if lost_at_us is not None and is_out else None
        here = {contact: one for contact, one in states.items() if one}
        return Around(here, invited, self._inviters, lost_at_ms)

    async def _listen(self) -> None:
        while True:
            try:
                with self._desk.events() as subscription:
                    self._subscription, self._company = subscription, set()
                    self.refresh()
                    await self._follow(subscription)
            except SlowReader as error:
                # Nothing is lost: the next picture names each conversation's last message, pages ask for it.
                _log.warning("a desk's feed fell behind", agent=self._desk.agent, seq=error.seq)

    async def _follow(self, subscription: Subscription) -> None:
        while True:
            match await subscription.receive():
                case EventBatch(events=events):
                    for _, event in events:
                        await self._note(event)
                    self.refresh()
                case MessageNotice() as notice:
                    await self._pass_on(notice)
                case TypingNotice(sender="customer") as typing if self._desk.number in typing.agents:
                    self._push(encode(TypingMessage(typing.contact, typing.on)))

    async def _note(self, event: Event) -> None:
        """Remember since when a contact is this agent's, and who has invited this agent."""
        match event:
            case Engaged(agent=agent) | HandedOver(to_agent=agent) | TakenOver(to_agent=agent):
                if agent == self._desk.number:
                    await self._store.note_engaged(event.contact, event.at // 1_000)
            case Invited(invitee=agent) if agent == self._desk.number:
                self._inviters[event.offer] = self._service.names.name("agent", event.agent)

    def _listen_to(self, state: DeskState) -> None:
        """Hear what concerns whoever is, or is asked, into one contact with this agent.

        An event names one of them only. All of it comes from the state, so that a page that comes back in
        the middle of an invitation hears the answer.
        """
        names = {
            *(agent for contact in state.contacts for agent in contact.participants),
            *(joined.agent for joined in state.joined),
        }
        company = {self._service.names.id("agent", name) for name in names}
        company |= {agent for one in within(state) for _, agent, _ in self._service.router.invited(one)}
        company.discard(self._desk.number)
        if self._subscription is not None:
            self._subscription.attach(sorted(company - self._company))
            self._subscription.subscriber.detach(sorted(self._company - company))
            self._company = company

    async def _pass_on(self, notice: MessageNotice) -> None:
        if not readable(self._service, self._desk.state(), notice.contact):
            self.refresh()  # an offer's preview
            return
        conversation = await self._store.by_contact(notice.contact)
        messages = await self._store.messages(notice.conversation, notice.position - 1, limit=1)
        if conversation is not None and messages:
            self._push(encode(messages_message(notice.contact, conversation.public_id, messages)))

    def _push(self, text: str) -> None:
        for client in self.clients:
            client.outgoing.put(text)


def _hide_messages(previews: dict[int, Preview], contact: int) -> None:
    if (preview := previews.get(contact)) is not None:
        previews[contact] = msgspec.structs.replace(preview, last_position=0)


class Hub:
    """All open sockets and what feeds them. `run` must be running.

    Attributes:
        watching: the lists that some of them watch.
    """

    def __init__(self, service: Facade, store: Store, site: SiteConfig) -> None:
        self._service = service
        self._store = store
        self._site = site
        self.watching = Watching(service, store, site)
        self._clients: set[Client] = set()
        self._feeds: dict[str, DeskFeed] = {}
        self._nursery: trio.Nursery | None = None

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Feed the sockets until cancelled."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            nursery.start_soon(self.watching.run)
            task_status.started()
            while True:
                if self._clients:
                    self._push_overview()
                await trio.sleep(OVERVIEW_S)

    def stop(self) -> None:
        """End `run`."""
        if self._nursery is not None:
            self._nursery.cancel_scope.cancel()

    def overview(self, sight: Sight = ALL) -> str:
        """Return the overview as JSON text, as far as it is in sight."""
        return self._overviews({sight})[sight]

    def _overviews(self, sights: set[Sight]) -> dict[Sight, str]:
        now_us, overview = self._service.clock.now_us(), self._service.overview()
        draining, channels = self._service.drain.begun, self._service.channels_now()
        made = partial(overview_message, self._site, overview, now_us, draining=draining, channels=channels)
        return {sight: encode(made(sight)) for sight in sights}

    def join(self, client: Client, desk: Desk | None) -> DeskFeed | None:
        """Begin to feed a socket, with what is true now first; `leave` takes what this returns."""
        self._clients.add(client)
        client.outgoing.put(self.overview(client.sight), "overview")
        return self._join_desk(client, desk) if desk is not None else None

    def leave(self, client: Client, feed: DeskFeed | None) -> None:
        """Feed a socket no more."""
        self._clients.discard(client)
        self.watching.forget(client)
        if feed is not None:
            feed.clients.discard(client)
            if not feed.clients:
                feed.scope.cancel()
                if self._feeds.get(feed.agent) is feed:
                    del self._feeds[feed.agent]

    def _join_desk(self, client: Client, desk: Desk) -> DeskFeed:
        assert self._nursery is not None, "the hub is not running: the application's lifespan has not begun"
        feed = self._feeds.get(desk.agent)
        if feed is None or feed.failed:
            feed = self._feeds[desk.agent] = DeskFeed(self._service, self._store, self._site, desk)
            self._nursery.start_soon(feed.run)
        feed.clients.add(client)
        feed.refresh()
        return feed

    def _push_overview(self) -> None:
        try:
            texts = self._overviews({client.sight for client in self._clients})
        except Exception:
            # A fault of ours; figures can wait, desks cannot.
            _log.exception("the overview failed", seq=self._service.seq)
            return
        for client in self._clients:
            client.outgoing.put(texts[client.sight], "overview")

"""What is pushed to the pages: each desk when it changes, messages as they come, the overview each second.

All tabs of an agent share one subscription and one encoding. A picture of a desk is drawn by one task and
wanted by another: whatever happens while the store is asked for names leads to one more picture, not to one
each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

import msgspec
import structlog
import trio

from console.desk_view import DeskMessage, contacts_of, desk_view
from console.outgoing import Outgoing
from console.overview import overview_message
from engine.bus import SlowReader
from engine.config import SiteConfig
from engine.desk import Desk
from engine.model import Engaged
from engine.notices import MessageNotice, TypingNotice
from engine.service import Service
from engine.store import Message, Preview, Store
from engine.subscription import EventBatch, Subscription
from engine.views import DeskState

OVERVIEW_S: Final = 1.0

_log: Final = structlog.get_logger(__name__)


class MessageView(msgspec.Struct, frozen=True):
    """A message as the page shows it: text, never HTML."""

    id: int
    position: int
    sender: str
    text: str
    at_ms: int
    external_id: str


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


def encode(message: Any) -> str:
    """Return a message as JSON text."""
    return msgspec.json.encode(message).decode()


def messages_message(contact: int, conversation: str, messages: Sequence[Message]) -> MessagesMessage:
    """Make what is sent of stored messages."""
    views = [MessageView(m.id, m.position, m.sender, m.text, m.at, m.external_id) for m in messages]
    return MessagesMessage(contact, conversation, views)


def readable(service: Service, state: DeskState, contact: int) -> bool:
    """Return whether the agent may read a contact's messages.

    Those in hand, and those in wrap-up unless the contact has been passed on: what it says to the next
    agent is not this one's affair. An offer shows its preview only.
    """
    if any(one.contact == contact for one in state.contacts):
        return True
    if not any(one.contact == contact for one in state.wrap_ups):
        return False
    now = service.contact_state(contact)
    return now is not None and now.agent == state.agent


class DeskFeed:
    """One agent's subscription, for all of the agent's tabs."""

    def __init__(self, service: Service, store: Store, site: SiteConfig, desk: Desk) -> None:
        self.clients: set[Client] = set()
        self.scope = trio.CancelScope()
        self.failed = False
        self._service = service
        self._store = store
        self._site = site
        self._desk = desk
        self._stale = trio.Event()

    @property
    def agent(self) -> str:
        """Whose desk it is."""
        return self._desk.agent

    def refresh(self) -> None:
        """Draw the desk anew."""
        self._stale.set()

    async def run(self) -> None:
        """Push until cancelled."""
        with self.scope:
            try:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._draw)
                    nursery.start_soon(self._listen)
            except* Exception:
                # A fault of ours with one desk: its pages come back by themselves, the others never notice.
                _log.exception("a desk's feed failed", agent=self._desk.agent)
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
        previews = await self._store.previews(contacts_of(state))
        ended_at_ms: dict[int, int] = {}
        for wrap_up in state.wrap_ups:
            contact = self._service.contact_state(wrap_up.contact)
            if contact is not None and contact.ended_at_us is not None:
                ended_at_ms[wrap_up.contact] = contact.ended_at_us // 1_000
            if not readable(self._service, state, wrap_up.contact):
                _hide_messages(previews, wrap_up.contact)
        now_ms = self._service.clock.now_us() // 1_000
        return DeskMessage(desk_view(self._site, state, previews, ended_at_ms, now_ms))

    async def _listen(self) -> None:
        while True:
            try:
                with self._desk.events() as subscription:
                    self.refresh()
                    await self._follow(subscription)
            except SlowReader:
                # Nothing is lost: the next picture names each conversation's last message, pages ask for it.
                _log.warning("a desk's feed fell behind", agent=self._desk.agent)

    async def _follow(self, subscription: Subscription) -> None:
        while True:
            match await subscription.receive():
                case EventBatch(events=events):
                    for _, event in events:
                        if isinstance(event, Engaged) and event.agent == self._desk.number:
                            await self._store.note_engaged(event.contact, event.at // 1_000)
                    self.refresh()
                case MessageNotice() as notice:
                    await self._pass_on(notice)
                case TypingNotice(sender="customer") as typing:
                    self._push(encode(TypingMessage(typing.contact, typing.on)))

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
    """All open sockets and what feeds them. `run` must be running."""

    def __init__(self, service: Service, store: Store, site: SiteConfig) -> None:
        self._service = service
        self._store = store
        self._site = site
        self._clients: set[Client] = set()
        self._feeds: dict[str, DeskFeed] = {}
        self._nursery: trio.Nursery | None = None

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Feed the sockets until cancelled."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            task_status.started()
            while True:
                if self._clients:
                    self._push_overview()
                await trio.sleep(OVERVIEW_S)

    def stop(self) -> None:
        """End `run`."""
        if self._nursery is not None:
            self._nursery.cancel_scope.cancel()

    def overview(self) -> str:
        """Return the overview as JSON text."""
        now_us = self._service.clock.now_us()
        return encode(overview_message(self._site, self._service.overview(), now_us))

    def join(self, client: Client, desk: Desk | None) -> DeskFeed | None:
        """Begin to feed a socket, with what is true now first; `leave` takes what this returns."""
        self._clients.add(client)
        client.outgoing.put(self.overview(), "overview")
        return self._join_desk(client, desk) if desk is not None else None

    def leave(self, client: Client, feed: DeskFeed | None) -> None:
        """Feed a socket no more."""
        self._clients.discard(client)
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
            text = self.overview()
        except Exception:
            # A fault of ours; figures can wait, desks cannot.
            _log.exception("the overview failed")
            return
        for client in self._clients:
            client.outgoing.put(text, "overview")

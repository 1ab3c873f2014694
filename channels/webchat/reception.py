"""Where visitors are received: their chats, the contacts behind them, and what becomes of those who leave."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import AsyncIterable
from typing import Final, NamedTuple

import structlog
import trio

from channels.webchat import failures, protocol
from channels.webchat.chats import Chat, Chats, Page
from channels.webchat.failures import NotTaken
from channels.webchat.files import ChatFiles
from channels.webchat.limits import Buckets
from channels.webchat.options import Options
from engine.channel import (
    Announcement,
    Connect,
    Effect,
    Ended,
    Engaged,
    Known,
    MessageOut,
    Port,
    Queued,
    StoredMessage,
    TransferOut,
    Typing,
)
from engine.errors import BadTicket, Busy, Malformed, NotAdmitted, PaiduiError, Refused, UnknownContact

POSITIONS_EVERY_S: Final = 2.0
"""Others' moves change a position without an effect for this contact; it is for reading, not for deciding."""

REMEMBERED_ENDS: Final = 10_000
"""Of so many contacts that took no ordinary end it is known which one: their pages may come back and ask."""

_log = structlog.get_logger(__name__)


class _End(NamedTuple):
    """How a contact has ended, beyond its outcome."""

    reason: str = ""
    target: str = ""


class Reception:
    """All open chats of one channel.

    Args:
        options: the channel's options.
        port: the way to the engine.
        nursery: where those are waited for who have left; cancelled with the channel.

    Attributes:
        files: what comes and goes by HTTP.
        closed: set when the channel ends; pages then leave and come back to its successor.
    """

    def __init__(self, options: Options, port: Port, nursery: trio.Nursery) -> None:
        self.options = options
        self.chats = Chats()
        self.files = ChatFiles(options, port, self.chats)
        self.closed = trio.Event()
        self._port = port
        self._nursery = nursery
        self._ends: OrderedDict[int, _End] = OrderedDict()
        rate = options.messages_per_minute
        self._messages = Buckets(rate, rate / 6)
        self._starts = Buckets(options.chats_per_minute, options.chats_per_minute)
        self._newcomers = Buckets(options.visitors_per_minute, options.visitors_per_minute / 6)

    async def recover(self) -> None:
        """Find the chats that an earlier run left; their customers may be gone, so the wait begins."""
        for contact in await self._port.contacts():
            names = protocol.split_external_id(contact.external_id)
            if names is None:
                continue
            chat = self.chats.open(contact.contact, *names)
            chat.state = contact.state
            self._await_return(chat)

    def greet(self, token: str | None, address: str) -> tuple[str, protocol.Welcome]:
        """Return who it is and the welcome; a new visitor when the token says nothing."""
        known = self._known(token)
        if known is None:
            failures.admit(self._newcomers, address, "new visitors from this address")
        visitor = known or secrets.token_hex(16)
        welcome = protocol.Welcome(
            token=self._port.token(visitor),
            known=known is not None,
            topics=self._topics(),
            title=self.options.title,
            keeps_places=self._keeps_places,
            file_bytes=self.files.max_bytes,
        )
        return visitor, welcome

    async def start(self, page: Page, visitor: str, start: protocol.Start) -> Chat:
        """Open a chat or go on with it, and show the page where it is.

        Raises:
            NotTaken: too often, the engine is busy, or the queue is not to be had.
        """
        failures.admit(self._starts, visitor, "chats")
        if start.queue not in {topic.name for topic in self._topics()}:
            raise NotTaken(
                protocol.Failure(code="unknown_queue", text="queue: choose one of the topics", field="queue")
            )
        external_id = protocol.external_id(visitor, start.chat)
        name = (start.name or "").strip() or None
        try:
            arrival = await self._port.arrive(
                external_id,
                queue=start.queue,
                customer_name=name,
                customer=visitor,
                known=_known(start),
                place=start.place,
            )
        except Busy as busy:
            raise NotTaken(failures.busy(busy)) from None
        except NotAdmitted as refused:
            # Which row of the site's table decided is not the visitor's business.
            text = f"no chats are taken now ({refused.outcome})"
            raise NotTaken(protocol.Failure(code="not_admitted", text=text)) from None
        except BadTicket as bad:
            text = f"place: the ticket is no good ({bad.reason})"
            raise NotTaken(protocol.Failure(code="bad_ticket", text=text, field="place")) from None
        except Refused as refused:
            raise NotTaken(failures.refused(refused)) from None
        except Malformed as malformed:
            raise NotTaken(failures.malformed(malformed)) from None
        chat = self.chats.open(arrival.contact, visitor, start.chat)
        self._attach(chat, page)
        try:
            await self._show_history(chat, page, start.after)
        except BaseException:
            self.leave(chat, page)
            raise
        return chat

    async def say(self, chat: Chat, say: protocol.Say) -> None:
        """Store what the customer wrote and show it on all pages of the chat.

        Raises:
            NotTaken: too often, the engine is busy, or the chat is over.
        """
        failures.admit(self._messages, chat.visitor, "messages", say.external_id)
        if chat.is_over:
            raise NotTaken(failures.over(say.external_id))
        try:
            stored = await self._port.message(chat.contact, say.text, say.external_id)
        except UnknownContact:
            raise NotTaken(failures.over(say.external_id)) from None
        except Busy as busy:
            raise NotTaken(failures.busy(busy, say.external_id)) from None
        except Malformed as malformed:
            raise NotTaken(failures.malformed(malformed, say.external_id)) from None
        _show(chat, stored)

    async def take_file(
        self, chat: Chat, external_id: str, name: str, media_type: str, content: AsyncIterable[bytes]
    ) -> None:
        """Store a file that the customer sends, and show it on all pages of the chat.

        Raises:
            NotTaken: see `ChatFiles.take`.
        """
        _show(chat, await self.files.take(chat, external_id, name, media_type, content))

    async def types(self, chat: Chat, on: bool) -> None:
        """Tell the agent that the customer is typing; nobody is told before an agent is here."""
        if chat.state == "engaged":
            await self._port.typing(chat.contact, on)

    async def end(self, chat: Chat, keep_place: bool = False) -> None:
        """The customer ends the chat; who waits may keep the place."""
        ticket = self._ticket(chat) if keep_place and self._keeps_places else None
        await self._abandon(chat)
        # An agent may have come in between: then it was served, and there is no place to come back to.
        if ticket is not None and self._port.state(chat.contact) == "abandoned":
            chat.tell(protocol.KeptPlace(chat=chat.chat, ticket=ticket, seconds=self._port.place_s))

    def leave(self, chat: Chat, page: Page) -> None:
        """A page is gone; when it was the last one, the customer has some time to come back."""
        if page in chat.pages:
            chat.pages.remove(page)
        self.chats.forget(chat)
        # After the end it is the successor who waits for them.
        if not chat.pages and not chat.is_over and not self.closed.is_set():
            self._await_return(chat)

    async def carry_out(self, effect: Effect) -> None:
        """Do what the engine wants; a repeated effect does nothing new."""
        self._note_end(effect)
        chat = self.chats.get(effect.contact)
        if chat is None:
            return
        if isinstance(effect, MessageOut):
            await self._show_news(chat)
        elif isinstance(effect, Typing):
            chat.tell(protocol.AgentTyping(on=effect.on))
        elif isinstance(effect, Announcement):
            self._refresh(chat)
            if chat.state == "waiting":
                chat.tell(_announced(effect))
        else:
            if isinstance(effect, Connect):
                await self._connect(chat)
            elif isinstance(effect, Queued | Engaged):
                lost = isinstance(effect, Queued) and effect.cause == "lease_lost"
                # An offer that comes to nothing does not make it forget why it waits.
                chat.agent_lost = lost or (chat.agent_lost and isinstance(effect, Queued))
            self._refresh(chat)

    async def show_positions(self) -> None:
        """Keep the waiting customers' positions true; runs until cancelled."""
        while True:
            await trio.sleep(POSITIONS_EVERY_S)
            for chat in self.chats:
                if chat.pages:
                    self._refresh(chat)

    @property
    def _keeps_places(self) -> bool:
        return self.options.keep_place and self._port.place_s > 0

    def _ticket(self, chat: Chat) -> str | None:
        try:
            return self._port.place_ticket(chat.contact)
        except Refused:
            return None

    def _known(self, token: str | None) -> str | None:
        if token is None:
            return None
        try:
            return self._port.verify(token)
        except PaiduiError:
            # Forged, expired or of another channel: all the same to a visitor, who is then new.
            return None

    def _topics(self) -> list[protocol.Topic]:
        titles = dict(self._port.queues())
        names = [name for name in self.options.queues if name in titles] or list(titles)
        return [protocol.Topic(name, titles[name], closed=not self._port.is_open(name)) for name in names]

    def _note_end(self, effect: Effect) -> None:
        """Remember what `Port.state` does not tell; it may come before the chat is known by its contact."""
        end = self._ends.get(effect.contact, _End())
        if isinstance(effect, TransferOut):
            self._ends[effect.contact] = end._replace(target=effect.target)
        elif isinstance(effect, Ended) and effect.outcome == "blocked":
            self._ends[effect.contact] = end._replace(reason=effect.reason)
        while len(self._ends) > REMEMBERED_ENDS:
            self._ends.popitem(last=False)

    def _attach(self, chat: Chat, page: Page) -> None:
        if chat.leave is not None:
            chat.leave()
            chat.leave = None
        if page not in chat.pages:
            chat.pages.append(page)
        self._read_state(chat)
        page.tell(chat.view())

    def _read_state(self, chat: Chat) -> None:
        """Ask the engine: the truth now is better than the order in which effects were repeated."""
        chat.state = self._port.state(chat.contact) or "served"
        chat.position = self._port.position(chat.contact)
        end = self._ends.get(chat.contact, _End())
        chat.reason, chat.text = end.reason or None, self.options.targets.get(end.target)
        wait = self._port.wait(chat.contact)
        chat.minutes = None if wait is None else protocol.minutes(wait)

    def _refresh(self, chat: Chat) -> None:
        before = chat.view()
        self._read_state(chat)
        after = chat.view()
        if after != before:
            chat.tell(after)
        if chat.is_over:
            if chat.leave is not None:
                chat.leave()
                chat.leave = None
            self.chats.forget(chat)

    async def _show_history(self, chat: Chat, page: Page, after: int) -> None:
        """Show one page what it lacks; messages that come meanwhile are merely shown twice."""
        while stored := await self._port.history(chat.contact, after):
            after = stored[-1].position
            for frame in protocol.frames_of(chat.chat, stored):
                page.tell(frame)
        if chat.pages == [page]:
            chat.shown = max(chat.shown, after)

    async def _show_news(self, chat: Chat) -> None:
        if not chat.pages:
            return
        while stored := await self._port.history(chat.contact, chat.shown):
            chat.shown = max(chat.shown, stored[-1].position)
            for frame in protocol.frames_of(chat.chat, stored):
                chat.tell(frame)

    async def _connect(self, chat: Chat) -> None:
        """A web chat is connected when somebody looks at it."""
        try:
            if chat.pages:
                await self._port.connected(chat.contact)
            else:
                await self._port.connect_failed(chat.contact)
        except Refused as late:
            _log.info("connecting was over before it was answered", contact=chat.contact, reason=str(late))

    def _await_return(self, chat: Chat) -> None:
        scope = trio.CancelScope()
        chat.leave = scope.cancel
        self._nursery.start_soon(self._gone, chat, scope)

    async def _gone(self, chat: Chat, scope: trio.CancelScope) -> None:
        """Give the customer time to come back, then say that they have left."""
        with scope:
            await trio.sleep(self.options.abandon_after_s)
            if chat.state == "engaged":
                await trio.sleep(max(0.0, self.options.close_after_s - self.options.abandon_after_s))
            await self._abandon(chat)

    async def _abandon(self, chat: Chat) -> None:
        while True:
            try:
                await self._port.abandon(chat.contact)
                return
            except Busy as busy:
                await trio.sleep(busy.retry_after_ms / 1000)
            except UnknownContact:
                self._refresh(chat)
                return


def _show(chat: Chat, stored: StoredMessage) -> None:
    """Show on all pages what the customer has said."""
    if stored.position == chat.shown + 1:
        chat.shown = stored.position
    chat.tell(protocol.Messages(chat=chat.chat, messages=protocol.page_messages([stored])))


def _announced(effect: Announcement) -> protocol.Announced:
    minutes = None if effect.wait is None else protocol.minutes(effect.wait)
    return protocol.Announced(position=effect.position, minutes=minutes)


def _known(start: protocol.Start) -> Known:
    return Known(language=start.language, attributes={"page": start.page} if start.page else {})

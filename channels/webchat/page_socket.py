"""One customer's socket: words go to the reception, what is told goes through a bounded queue."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import trio

from channels.webchat import protocol
from channels.webchat.chats import Chat
from channels.webchat.failures import NotTaken
from channels.webchat.limits import Bucket
from channels.webchat.reception import Reception

HELLO_WITHIN_S: Final = 5.0
QUEUED_FRAMES: Final = 256
"""A page that lies so far behind is cut; it comes back and asks for what it lacks."""
LAST_FRAME_S: Final = 5.0
"""How long a page that is cut has for the frame that is being sent."""
FRAMES_PER_MINUTE: Final = 1_200
FRAMES_AT_ONCE: Final = 100

Receive = Callable[[], Awaitable[str | bytes]]
Send = Callable[[str], Awaitable[None]]


class Done(Exception):
    """The conversation with this page is over; the socket may close."""


class PageSocket:
    """A connected page.

    Args:
        reception: where its words go.
        receive: gives the next frame.
        send: sends a frame.
        address: the network address it comes from.
    """

    def __init__(self, reception: Reception, receive: Receive, send: Send, address: str) -> None:
        self._reception = reception
        self._receive = receive
        self._send = send
        self._address = address
        self._chat: Chat | None = None
        self._visitor = ""
        self._cut = trio.CancelScope()
        self._too_slow = False
        self._to_send, self._queue = trio.open_memory_channel[protocol.ServerMessage](QUEUED_FRAMES)
        self._frames = Bucket(FRAMES_PER_MINUTE, FRAMES_AT_ONCE, trio.current_time())

    def tell(self, message: protocol.ServerMessage) -> None:
        """Queue a message; a page that does not read is cut."""
        if self._too_slow:
            return
        try:
            self._to_send.send_nowait(message)
        except trio.WouldBlock:
            self._cut_off()
        except trio.ClosedResourceError:
            pass

    async def serve(self, closing: trio.Event | None = None) -> None:
        """Talk with the page until it goes, is cut, or the server (`closing`) or the channel ends."""
        try:
            with self._cut:
                async with trio.open_nursery() as nursery:
                    for end in (closing, self._reception.closed):
                        if end is not None:
                            nursery.start_soon(self._say_goodbye, end)
                    nursery.start_soon(self._write)
                    await self._read()
                    # What is still queued, such as the reason for the end, goes out before the socket closes.
                    self._to_send.close()
        finally:
            self._to_send.close()
            if self._chat is not None:
                self._reception.leave(self._chat, self)

    def _cut_off(self) -> None:
        """Nothing more is said to it, and its chat goes on without it.

        What is being sent is not broken off at once: behind half a frame the page would not see the close,
        wait for the rest, and never come back.
        """
        self._too_slow = True
        self._cut.deadline = trio.current_time() + LAST_FRAME_S
        with suppress(trio.WouldBlock):
            while True:
                self._queue.receive_nowait()
        self._to_send.close()
        if self._chat is not None:
            self._reception.leave(self._chat, self)
            self._chat = None

    async def _say_goodbye(self, end: trio.Event) -> None:
        await end.wait()
        self.tell(protocol.Bye(code="draining"))
        if self._too_slow:
            self._cut.cancel()

    async def _write(self) -> None:
        async for message in self._queue:
            await self._send(protocol.encode(message))
            if isinstance(message, protocol.Bye):
                break
        self._cut.cancel()

    async def _read(self) -> None:
        try:
            with trio.move_on_after(HELLO_WITHIN_S) as patience:
                await self._read_hello()
            if patience.cancelled_caught:
                raise Done
            while True:
                await self._read_one()
        except Done:
            return

    async def _next(self) -> protocol.AnyClientMessage | None:
        """The next message; None when it was none and the page has been told so."""
        frame = await self._receive()
        if self._frames.take(trio.current_time()) > 0:
            self.tell(protocol.Bye(code="too_fast"))
            raise Done
        try:
            return protocol.decode(frame)
        except protocol.BadMessage as bad:
            self.tell(protocol.Failure(code="malformed", text=str(bad), field=bad.field or None))
            return None

    async def _read_hello(self) -> None:
        hello = await self._next()
        if not isinstance(hello, protocol.Hello):
            self.tell(protocol.Failure(code="malformed", text="expected hello first", field="type"))
            raise Done
        try:
            self._visitor, welcome = self._reception.greet(hello.token, self._address)
        except NotTaken as not_taken:
            self.tell(not_taken.failure)
            raise Done from None
        self.tell(welcome)

    async def _read_one(self) -> None:
        message = await self._next()
        if message is None:
            return
        try:
            await self._carry_out(message)
        except NotTaken as not_taken:
            self.tell(not_taken.failure)

    async def _carry_out(self, message: protocol.AnyClientMessage) -> None:
        match message:
            case protocol.Hello():
                raise NotTaken(protocol.Failure(code="malformed", text="hello was said before", field="type"))
            case protocol.Start():
                await self._start(message)
            case protocol.Say():
                await self._reception.say(self._current(message.external_id), message)
            case protocol.SayTyping():
                await self._reception.types(self._current(), message.on)
            case protocol.End():
                await self._reception.end(self._current(), message.keep_place)

    async def _start(self, start: protocol.Start) -> None:
        """Change to another chat; the one before is left like a page that was closed."""
        before = self._chat
        self._chat = await self._reception.start(self, self._visitor, start)
        if before is not None and before is not self._chat:
            self._reception.leave(before, self)

    def _current(self, external_id: str | None = None) -> Chat:
        if self._chat is None:
            raise NotTaken(
                protocol.Failure(code="no_chat", text="start a chat first", external_id=external_id)
            )
        return self._chat

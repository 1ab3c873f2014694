"""What stands between hypercorn and the network: a fault of one connection ends nothing else.

hypercorn 0.18 needs it for five faults, each with a regression test over real sockets in
tests/unit/test_web_guard.py that shows the attack succeeding without the guard:

* one byte sent after a refused ``Upgrade: websocket`` request raises inside the connection, and the
  exception ends the whole server: anybody could stop a contact centre with one packet;
* a byte that comes before the handshake is over leaves the handler's task behind for ever;
* so does a client that goes on sending when its handler has ended: the connection waits for room in a queue
  that nobody reads, and does not notice that the client has gone;
* a request that is refused before all of its body is here leaves a connection on which nothing is answered;
* a client that stops reading keeps a shielded ``send_all`` waiting, and the server never stops.

It also speaks HTTP/1.1 alone, with TLS or without: what is not spoken cannot be attacked.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final, cast

import h11
import hypercorn.protocol.ws_stream as hypercorn_ws
import trio
from hypercorn.config import Config
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.logging import Logger
from hypercorn.protocol.events import StreamClosed
from hypercorn.protocol.h11 import STREAM_ID, H11Protocol
from hypercorn.trio.task_group import TaskGroup
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import AppWrapper, ConnectionState, LifespanState
from hypercorn.utils import parse_socket_addr
from wsproto.extensions import PerMessageDeflate

from engine.tls import Stream, TlsStream

UNREAD_BYTES: Final = 32 << 20
"""So much of a body that nobody wants is read past; who sends more is cut."""

log: Final = logging.getLogger("paidui.web")


class _NoCompression(PerMessageDeflate):
    """Declines permessage-deflate.

    hypercorn offers it to every client and wsproto inflates a whole read before any limit is asked: 64 KiB
    become 64 MiB. Without it a shared push is also encoded once, not compressed once per client.
    """

    def accept(self, offer: str) -> bool | str | None:
        """Decline, whatever is offered."""
        return None


# hypercorn takes the class from its module's namespace and has no setting for it.
hypercorn_ws.PerMessageDeflate = _NoCompression  # type: ignore[attr-defined]


class _ConnectionContext(WorkerContext):
    """hypercorn's context, of one connection: its pings end when it ends, not at the next ping's time."""

    def __init__(self, server: WorkerContext) -> None:
        super().__init__(None)
        self.terminate = server.terminate
        self.terminated = server.terminated
        self.ended = trio.Event()

    async def sleep(self, wait: float) -> None:  # type: ignore[override]  # the original needs no instance
        """Sleep, at the longest until the connection ends."""
        if self.ended.is_set():
            await trio.sleep(wait)
        else:
            with trio.move_on_after(wait):
                await self.ended.wait()


class _Connection(TaskGroup):
    """The tasks of one connection."""

    async def spawn_app(
        self, app: AppWrapper, config: Config, scope: Any, send: Callable[..., Awaitable[None]]
    ) -> Callable[..., Awaitable[None]]:
        """Start a handler; what arrives after its end is dropped, not queued."""

        async def until_its_end(scope: Any, receive: Any, *rest: Any) -> None:
            try:
                await app(scope, receive, *rest)
            finally:
                receive.__self__.close()  # the queue's reading end

        put = await super().spawn_app(cast(AppWrapper, until_its_end), config, scope, send)

        async def put_if_wanted(event: Any) -> None:
            with suppress(trio.BrokenResourceError):
                await put(event)

        return put_if_wanted

    def cancel_in(self, seconds: float) -> None:
        """Give what runs this long to end by itself."""
        assert self._nursery is not None
        self._nursery.cancel_scope.deadline = trio.current_time() + seconds


class _Http1(H11Protocol):
    """HTTP/1.1 and its WebSockets; an offer to upgrade to HTTP/2 is ignored, as it may be.

    The rest of a body whose request was answered without it is read past, up to a bound and for as long as a
    connection may be idle: a client reads no answer before it has sent everything, nor from a connection that
    was reset under its hands.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._turn = trio.Lock()  # one task at a time takes events in
        self._unread: int | None = None  # so many more bytes of such a body are read past

    async def _maybe_recycle(self) -> None:
        """The answer is complete: on to the next request, although that ends, and cancels, the handler."""
        early = self.connection.our_state is h11.DONE and self.connection.their_state is h11.SEND_BODY
        stream, self.stream = self.stream, None
        try:
            if stream is not None:
                await stream.handle(StreamClosed(stream_id=STREAM_ID))
        finally:
            with trio.CancelScope(shield=True):
                await self._go_on(early)

    async def _go_on(self, early: bool) -> None:
        if early and self.connection.their_state is h11.SEND_BODY:
            self._unread = UNREAD_BYTES
            await self.send(Updated(idle=True))
        else:
            await super()._maybe_recycle()
        if early:  # what is here already waits for no further byte
            self.task_group.spawn(self._handle_events)

    async def _handle_events(self) -> None:
        async with self._turn:
            if self._unread is None:
                await super()._handle_events()
            if self._unread is not None and await self._read_past(self._unread):
                await super()._handle_events()

    async def _read_past(self, unread: int) -> bool:
        """Drop what is here of the body; say whether the next request may come."""
        while unread > 0 and self.connection.their_state is h11.SEND_BODY:
            try:
                event = self.connection.next_event()
            except h11.RemoteProtocolError:
                break
            if event is h11.NEED_DATA:
                self._unread = unread
                return False
            unread -= len(event.data) if isinstance(event, h11.Data) else 0
        self._unread = None
        if self.connection.their_state is h11.DONE:
            await super()._maybe_recycle()
            return True
        await self.send(Closed())
        return False

    async def _check_protocol(self, event: h11.Request) -> None:
        """Stay with HTTP/1.1."""


class GuardedTCPServer(TCPServer):
    """One connection whose faults end nothing but itself."""

    def __init__(
        self,
        app: AppWrapper,
        config: Config,
        context: WorkerContext,
        stream: Stream,
        send_timeout_s: float,
    ) -> None:
        self._connection = _ConnectionContext(context)
        super().__init__(app, config, self._connection, LifespanState({}), stream)  # type: ignore[arg-type]  # SocketStream, too
        self._send_timeout_s = send_timeout_s

    async def run(self) -> None:
        """Serve the connection; whatever goes wrong closes it and is no one else's affair."""
        try:
            await self._serve()
        except* Exception as errors:
            log.info("connection failed: %s", ", ".join(type(e).__name__ for e in errors.exceptions))
        finally:
            await trio.aclose_forcefully(self.stream)

    async def _serve(self) -> None:
        socket = self.stream.socket
        self._task_group = tasks = _Connection()
        async with tasks:
            self.protocol = _Http1(  # type: ignore[assignment]  # instead of a wrapper that may change to HTTP/2
                self.app,
                self.config,
                self.context,
                tasks,
                ConnectionState(self.state),
                isinstance(self.stream, TlsStream),
                parse_socket_addr(socket.family, socket.getpeername()),
                parse_socket_addr(socket.family, socket.getsockname()),
                self.protocol_send,
            )
            await self.protocol.initiate()
            await self.idle_task.restart(tasks, self._idle_timeout)
            await self._read_data()
            await self._wind_up(tasks)

    async def _wind_up(self, tasks: _Connection) -> None:
        self._connection.ended.set()
        await self.idle_task.stop()
        # The client is gone and the handler has been told so, but not if bytes came before its handshake
        # was over: hypercorn then forgets it, and each such connection would leave a task behind.
        tasks.cancel_in(self._send_timeout_s)

    async def protocol_send(self, event: Event) -> None:
        """Send what the protocol wants sent, but not for ever: a client that does not read is cut."""
        if not isinstance(event, RawData):
            await super().protocol_send(event)
            return
        async with self.send_lock:
            try:
                # Shielded, as in the original: a cancelled handler must not leave half a frame.
                with trio.move_on_after(self._send_timeout_s, shield=True) as scope:
                    await self.stream.send_all(event.data)
                if not scope.cancelled_caught:
                    return
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                pass
            await trio.aclose_forcefully(self.stream)
            await self.protocol.handle(Closed())


class QuietLogger(Logger):
    """Says a protocol error in one line: anybody on the network can cause one, as often as he likes."""

    async def exception(self, message: str, *args: Any, **kwargs: Any) -> None:
        """Log the error in hand, with its trace when it is our own."""
        if isinstance(sys.exc_info()[1], h11.LocalProtocolError):
            log.info("connection failed: %s", sys.exc_info()[1])
        else:
            await super().exception(message, *args, **kwargs)

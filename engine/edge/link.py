"""The edge's end of the socket to the core: commands out, answers, bells and notices in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import trio

from engine.errors import Busy, Draining, Malformed, PaiduiError, refusal
from engine.messages.between import decode_between
from engine.model import Ack, Closing, Command, Frame, Ping, Pong, Refusal, decode_body, encode_frame
from engine.wire_client import RECEIVE_BYTES, split_bodies

MOST_UNANSWERED: Final = 4_096
"""Commands of one edge that wait for the core; as many as it reads without answering."""

RETRY_MS: Final = 250
_LATER: Final = {"busy": Busy, "draining": Draining}


class LinkLost(PaiduiError):
    """The core is gone, or has ended the connection; the edge has nothing to stand on and ends, too."""


class Answer:
    """What became of one command.

    Attributes:
        ready: set once the rest is true.
        seq: the batch that it was in; 0 = it was not taken.
        value: the contact's id for `Arrive`, else 0.
        error: the core's refusal, or why it was not taken.
    """

    def __init__(self) -> None:
        self.ready = trio.Event()
        self.seq = 0
        self.value = 0
        self.error: PaiduiError | None = None

    def settle(self, seq: int, value: int, error: PaiduiError | None) -> None:
        """Wake who waits."""
        self.seq, self.value, self.error = seq, value, error
        self.ready.set()


class Link:
    """The socket to the core. `run` must be running.

    Args:
        stream: connected to an `engine.edge.door.EdgeDoor`.
    """

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self._out = bytearray()
        self._filled = trio.Event()
        self._next_request_no = 0
        self._unanswered: dict[int, Answer] = {}

    def send(self, *messages: Frame) -> None:
        """Send control frames, in order with the commands."""
        for message in messages:
            self._out += encode_frame(message)
        self._filled.set()

    async def request(self, command: Command) -> Answer:
        """Send a command and wait for its answer.

        Raises:
            Busy: too many are unanswered.
        """
        if len(self._unanswered) >= MOST_UNANSWERED:
            raise Busy(RETRY_MS)
        request_no = self._next_request_no
        self._next_request_no += 1
        answer = self._unanswered[request_no] = Answer()
        self.send(command)
        try:
            await answer.ready.wait()
        finally:
            self._unanswered.pop(request_no, None)
        return answer

    async def run(self, take: Callable[[Frame], None]) -> None:
        """Carry frames both ways until cancelled.

        Args:
            take: gets what is no answer; must not block.

        Raises:
            LinkLost: the core has gone.
        """
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._write)
            await self._read(take)

    async def _write(self) -> None:
        while True:
            await self._filled.wait()
            self._filled = trio.Event()
            out, self._out = bytes(self._out), bytearray()
            try:
                await self._stream.send_all(out)
            except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
                raise LinkLost("the core does not listen any more") from error

    async def _read(self, take: Callable[[Frame], None]) -> None:
        rest = b""
        while True:
            try:
                data = await self._stream.receive_some(RECEIVE_BYTES)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                data = b""
            if not data:
                raise LinkLost("the core is gone")
            bodies, rest = split_bodies(rest + data)
            for body in bodies:
                self._sort(decode_between(body) or decode_body(body), take)

    def _sort(self, message: Frame, take: Callable[[Frame], None]) -> None:
        match message:
            case Ack(seq=seq, results=results):
                for request_no, _, code, value in results:
                    if (answer := self._unanswered.get(request_no)) is not None:
                        answer.settle(seq, value, refusal(code, value) if code else None)
            case Refusal(request_no=int(request_no), code=code):
                if (answer := self._unanswered.get(request_no)) is not None:
                    answer.settle(0, 0, _not_taken(message))
            case Ping(n=n):
                self.send(Pong(n=n))
            case Closing(code=code, text=text):
                raise LinkLost(f"the core has ended the connection: {code}: {text}")
            case _:
                take(message)


def _not_taken(message: Refusal) -> PaiduiError:
    """What a command has met that never reached the journal."""
    if (later := _LATER.get(message.code)) is not None:
        return later(message.retry_after_ms)
    return Malformed(message.text)

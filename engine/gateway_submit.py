"""What a connection may have unanswered, and which of its commands come in: credit and admission.

Credit is given back by acknowledgements. Who has used it up is not refused: the gateway reads no
further until answers have gone out, so that order holds and a client that does not count is slowed
down and not hurt. One connection is thus never more of the inbox than its credit and one read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, cast

import trio

from engine.admission import Admitted, Bucket, monotonic_us
from engine.errors import Malformed
from engine.gateway_frames import first_frames_bytes, refusal_frame, split_arrivals
from engine.inbox import BATCH_COMMANDS
from engine.model import Arrive, decode_body
from engine.names import UnknownName
from engine.service import Service

CREDIT_COMMANDS = BATCH_COMMANDS
"""One batch: of every other connection at most this stands before a command in the same lane."""
CREDIT_BYTES = 256 * 1024
"""More than a batch of usual arrivals. It takes 16 connections and more to fill the arrivals' part."""

PeerKind = Literal["plugin", "edge", "follower", "admin", "part"]
"""What a token says, and "part": another process of this very site."""


class Submitter:
    """One connection's way into the inbox.

    Args:
        service: the running service.
        kind: who is at the other end.
        channel: a plugin's channel name.
        push: queues a frame for the other end; it must not block.

    Attributes:
        source: its number in the service.
        commands: sent on and not yet acknowledged.
        size: their bytes.
        held: how often reading stood still because the credit was used up.
        held_s: for how long, in all.
        busy: commands refused with `busy`, or `draining`.
    """

    def __init__(
        self, service: Service, kind: PeerKind, channel: str | None, push: Callable[[bytes], None]
    ) -> None:
        self._service = service
        self._kind = kind
        self._channel = channel
        self._push = push
        rate = service.site.gateway.connection_arrivals
        self._bucket = None if rate is None else Bucket(rate, monotonic_us())
        self._may_arrive = kind in {"plugin", "admin"}
        self._limited = self._may_arrive and self._is_limited()
        self.source = service.add_source(push, urgent=kind != "plugin", settled=self._settled)
        self._given_back = trio.Event()
        self.commands = 0
        self.size = 0
        self.held = 0
        self.held_s = 0.0
        self.busy = 0

    def _is_limited(self) -> bool:
        admission = self._service.admission
        channels = [self._channel] if self._channel is not None else list(self._service.site.channels)
        return any(admission.buckets(one, self._bucket) for one in channels) or self._bucket is not None

    def close(self) -> None:
        """End it; what is in the inbox is carried out, unanswered."""
        self._service.remove_source(self.source)

    def used_up(self) -> bool:
        """Whether nothing more should be read."""
        return self.commands >= CREDIT_COMMANDS or self.size >= CREDIT_BYTES

    async def credit(self) -> None:
        """Return when there is credit."""
        if not self.used_up():
            return
        self.held += 1
        began_s = trio.current_time()
        while self.used_up():
            self._given_back = trio.Event()
            await self._given_back.wait()
        self.held_s += trio.current_time() - began_s

    def submit(self, runs: Sequence[tuple[int, bytes, int]]) -> None:
        """Put runs of scanned command frames into the inbox; what cannot go is refused by name."""
        for first_request_no, frames, count in runs:
            if not self._limited and self._put(first_request_no, frames, count, arrivals=self._may_arrive):
                continue
            for arrivals, request_no, part, commands in split_arrivals(first_request_no, frames):
                if arrivals and self._limited:
                    self._arrive(request_no, part, commands)
                elif not self._put(request_no, part, commands, arrivals=arrivals):
                    self._too_much(request_no, commands, arrivals=arrivals)

    def _arrive(self, request_no: int, frames: bytes, count: int) -> None:
        if self._service.drain.begun:
            self._too_much(request_no, count, arrivals=True)
            return
        for channel, part, commands in self._by_channel(frames, count):
            admitted = self._service.admission.admit(channel, commands, self._bucket)
            cut = first_frames_bytes(part, admitted.commands)
            if admitted.commands and not self._put(request_no, part[:cut], admitted.commands, arrivals=True):
                self._too_much(request_no, admitted.commands, arrivals=True)
            self._not_admitted(request_no + admitted.commands, admitted)
            request_no += commands

    def _by_channel(self, frames: bytes, count: int) -> Iterator[tuple[str, bytes, int]]:
        """A plugin's are all of its channel; of an admin each says its own."""
        if self._channel is not None:
            yield self._channel, frames, count
            return
        at = 0
        while at < len(frames):
            end = at + first_frames_bytes(frames[at:], 1)
            yield self._channel_of(frames[at + 4 : end]), frames[at:end], 1
            at = end

    def _channel_of(self, body: bytes) -> str:
        try:
            return self._service.names.name("channel", cast(Arrive, decode_body(body)).channel)
        except (UnknownName, Malformed):
            return ""  # the core refuses it

    def _put(self, request_no: int, frames: bytes, count: int, *, arrivals: bool) -> bool:
        if not self._service.submit(self.source, request_no, frames, count, arrivals=arrivals):
            return False
        self.commands += count
        self.size += len(frames)
        return True

    def _settled(self, commands: int, size: int) -> None:
        self.commands -= commands
        self.size -= size
        if not self.used_up():
            self._given_back.set()

    def _not_admitted(self, request_no: int, admitted: Admitted) -> None:
        for number, after_ms in enumerate(admitted.retry_after_ms, request_no):
            self._refuse(number, "busy", "more arrivals a second than are admitted", after_ms)

    def _too_much(self, request_no: int, count: int, *, arrivals: bool) -> None:
        code, text = self._service.why_full(arrivals=arrivals)
        for number in range(request_no, request_no + count):
            self._refuse(number, code, text, self._service.retry_after_ms)

    def _refuse(self, request_no: int, code: str, text: str, after_ms: int) -> None:
        self.busy += 1
        if self._service.meter is not None:
            self._service.meter.refused(code, 1)
        self._push(refusal_frame(request_no, code, text, after_ms))

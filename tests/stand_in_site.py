"""A site without journal, clock or authentication: the gateway's frames around one bare router.

For testing clients of the gateway: fast, in process, and able to misbehave on purpose.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import trio

from engine.config import read_site
from engine.config_compile import compile_config
from engine.model import Configure
from engine.names import Names
from engine.router import Fanout, Intake, Router

HELLO, WELCOME, ATTACH, DESKS, CONTACTS = 128, 129, 136, 142, 143
TICK_S = 0.001


@dataclass
class StandInSite:
    """One router behind sockets; commands of one tick make one batch.

    Attributes:
        spoil: takes and returns each blob on its way out; `None` keeps it back.
    """

    toml: str
    spoil: Callable[[int, bytes], bytes | None] = lambda source, blob: blob
    router: Router = field(default_factory=Router)
    fanout: Fanout = field(default_factory=Fanout)
    streams: dict[int, trio.SocketStream] = field(default_factory=dict)
    sending: dict[int, trio.Lock] = field(default_factory=lambda: defaultdict(trio.Lock))
    waiting: list[tuple[int, int, bytes]] = field(default_factory=list)
    sources: int = 0
    seq: int = 0

    def __post_init__(self) -> None:
        self.site = read_site(self.toml, Path())
        config, self.names = compile_config(self.site, Names())
        self.router.apply(self.now(), Configure(config=config))

    def now(self) -> int:
        return max(time.time_ns() // 1_000, self.router.now)

    async def serve(self, task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED) -> None:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.tick)
            task_status.started(listeners[0].socket.getsockname()[1])
            await trio.serve_listeners(self.connection, listeners)

    async def connection(self, stream: trio.SocketStream) -> None:
        """Serves one client. Its token is `plugin:CHANNEL` or `edge`."""
        self.sources += 1
        source = self.sources
        data = await stream.receive_some(65_536)
        end = 4 + int.from_bytes(data[:4], "big")
        hello = msgspec.msgpack.decode(data[4:end])
        assert hello[0] == HELLO, "the first frame"
        role, _, channel = hello[2].partition(":")
        number = self.names.id("channel", channel) if channel else None
        if number is not None:
            self.fanout.subscribe_channel(source, number)
        names = msgspec.msgpack.decode(self.names.encode())
        await stream.send_all(
            frame([WELCOME, 1, self.site.name, self.seq, names, bytes(32) if channel else None])
        )
        if number is not None:
            await stream.send_all(frame([CONTACTS, 1, self.router.channel_contacts(number)]))
        self.streams[source] = stream
        intake = Intake(role, number)
        data = data[end:]
        while True:
            runs, refusals, control, fatal = intake.feed(data)
            assert not refusals, refusals
            assert fatal is None, fatal
            self.waiting += [(source, first, frames) for first, frames, _ in runs]
            for body in control:
                message = msgspec.msgpack.decode(body)
                if message[0] == ATTACH:
                    self.fanout.attach_agents(source, message[2])
                    await self.send(source, frame([DESKS, 1, [self.desk(agent) for agent in message[2]]]))
            try:
                data = await stream.receive_some(65_536)
            except trio.BrokenResourceError:
                data = b""
            if not data:
                del self.streams[source]
                self.fanout.unsubscribe(source)
                return

    async def send(self, source: int, blob: bytes) -> None:
        """Sends whole blobs: the tick and the connection's own task both do."""
        async with self.sending[source]:
            await self.streams[source].send_all(blob)

    def desk(self, agent: int) -> list[object]:
        desk = self.router.desk(agent)
        assert desk is not None
        return [
            agent,
            desk.presence,
            desk.signing_out,
            desk.locked,
            desk.offers,
            desk.contacts,
            desk.wrap_ups,
        ]

    async def tick(self) -> None:
        while True:
            await trio.sleep(TICK_S)
            due = self.router.next_deadline()
            if not self.waiting and (due is None or due > self.now()):
                continue
            parts, self.waiting = self.waiting, []
            self.seq += 1
            batch = self.router.apply_batch(self.seq, self.now(), parts)
            for source, blob in (*batch.acks(), *batch.route(self.fanout)):
                spoiled = self.spoil(source, blob)
                if spoiled is not None and source in self.streams:
                    await self.send(source, spoiled)


def frame(message: list[object]) -> bytes:
    body = msgspec.msgpack.encode(message)
    return len(body).to_bytes(4, "big") + body

"""A messaging provider on a real socket, and the channel that speaks with it.

The provider is what such providers are: it delivers what customers do again until it is confirmed,
takes messages under the sender's own key, and gives one that comes again under the same key to the
customer once. Lines of JSON, both ways.

    provider -> channel   {"event": 7, "kind": "open" | "say" | "leave", "who": ..., "id": ..., "text": ...}
    channel -> provider   {"took": 7} or {"took": 7, "error": "..."}
    channel -> provider   {"send": KEY, "who": ..., "text": ...} or {"end": KEY, "who": ...}
    provider -> channel   {"done": KEY}
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import trio

from engine.channel import Capabilities, Connect, Effect, Ended, MessageOut, Port
from engine.errors import Busy, PaiduiError
from engine.testing.channel_checks import until

AGAIN_S = 0.01


class Lines:
    """What comes over a stream until it ends; no generator, which would stay open when it is stopped."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self._rest = b""

    def __aiter__(self) -> Lines:
        return self

    async def __anext__(self) -> dict[str, Any]:
        while b"\n" not in self._rest:
            if not (piece := await self._stream.receive_some()):
                raise StopAsyncIteration
            self._rest += piece
        whole, self._rest = self._rest.split(b"\n", 1)
        message: dict[str, Any] = json.loads(whole)
        return message


def line(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message).encode() + b"\n"


Send = Callable[[Mapping[str, Any]], Awaitable[None]]


class Provider:
    """The network that pigeons fly in; its customers live as long as it does."""

    def __init__(self) -> None:
        self.port = 0
        self.inbox: defaultdict[str, list[str]] = defaultdict(list)
        self.ended: set[str] = set()
        self.sent: Counter[str] = Counter()
        self.taken: set[str] = set()
        self.errors: dict[int, str | None] = {}
        self.open_events: dict[int, dict[str, Any]] = {}
        self.news = trio.Event()
        self._next_event = 1
        self._there = trio.CancelScope()
        self._closed = trio.Event()
        self._taking = trio.Event()
        self._taking.set()
        self._nursery: trio.Nursery

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        async with trio.open_nursery() as self._nursery:
            await self.comes_back()
            task_status.started()
            await trio.sleep_forever()

    async def comes_back(self) -> None:
        await self._nursery.start(self._listen)

    async def goes_away(self) -> None:
        self._there.cancel()
        await self._closed.wait()

    def takes_nothing(self) -> None:
        self._taking = trio.Event()

    def takes_again(self) -> None:
        self._taking.set()

    async def _listen(self, *, task_status: trio.TaskStatus[None]) -> None:
        self._closed = trio.Event()
        with trio.CancelScope() as self._there:
            listeners = await trio.open_tcp_listeners(self.port, host="127.0.0.1")
            self.port = listeners[0].socket.getsockname()[1]
            try:
                await trio.serve_listeners(self._serve, listeners, task_status=task_status)
            finally:
                self._closed.set()

    async def _serve(self, stream: trio.SocketStream) -> None:
        sending = trio.Lock()

        async def send(message: Mapping[str, Any]) -> None:
            async with sending:
                await stream.send_all(line(message))

        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._deliver, send)
                async for message in Lines(stream):
                    await self._hear(send, message)
                nursery.cancel_scope.cancel()
        except* (trio.BrokenResourceError, trio.ClosedResourceError):
            pass

    async def _deliver(self, send: Send) -> None:
        delivered: set[int] = set()
        while True:
            for number, event in list(self.open_events.items()):
                if number not in delivered:
                    delivered.add(number)
                    await send(event)
            await self.news.wait()

    async def _hear(self, send: Send, message: dict[str, Any]) -> None:
        if "took" in message:
            self.errors[message["took"]] = message.get("error")
            self.open_events.pop(message["took"], None)
            return
        await self._taking.wait()
        key = message.get("send") or message["end"]
        self.sent[key] += 1
        if key not in self.taken:
            self.taken.add(key)
            if "send" in message:
                self.inbox[message["who"]].append(message["text"])
            else:
                self.ended.add(message["who"])
        await send({"done": key})

    def happens(self, kind: str, who: str, **more: str) -> int:
        """Something that a customer does; it is delivered until the channel confirms it."""
        number = self._next_event
        self._next_event += 1
        self.open_events[number] = {"event": number, "kind": kind, "who": who, **more}
        news, self.news = self.news, trio.Event()
        news.set()
        return number

    async def confirmed(self, number: int) -> None:
        """Wait until the channel has confirmed an event; raise what it answered instead."""
        await until(f"the provider's event {number} is confirmed", lambda: number in self.errors)
        if (error := self.errors[number]) is not None:
            raise RuntimeError(error)


class Pigeon:
    """The channel of that provider; the folder to read for a provider of one's own."""

    capabilities = Capabilities(max_message_bytes=4_096)

    def __init__(self, port: int) -> None:
        self._provider_port = port
        self._done: dict[str, trio.Event] = {}
        self.port: Port

    async def run(self, port: Port, *, task_status: trio.TaskStatus[None]) -> None:
        self.port = port
        task_status.started()
        while True:
            try:
                async with await trio.open_tcp_stream("127.0.0.1", self._provider_port) as stream:
                    await self.talk(stream)
            except* OSError:
                pass
            except* trio.BrokenResourceError:
                pass
            await self.lost()

    async def lost(self) -> None:
        await trio.sleep(AGAIN_S)

    async def talk(self, stream: trio.SocketStream) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.send_effects, stream)
            async for message in Lines(stream):
                if "done" in message:
                    if (event := self._done.get(message["done"])) is not None:
                        event.set()
                else:
                    await stream.send_all(line(await self.take(message)))
            nursery.cancel_scope.cancel()

    async def take(self, event: dict[str, Any]) -> dict[str, Any]:
        """Carry out what a customer has done; confirmed only when it is durable."""
        while True:
            try:
                await self.do(event)
            except Busy as busy:
                await trio.sleep(busy.retry_after_ms / 1_000)
            except PaiduiError as error:
                return {"took": event["event"], "error": str(error)}
            else:
                return {"took": event["event"]}

    async def do(self, event: dict[str, Any]) -> None:
        if event["kind"] == "open":
            await self.port.arrive(event["who"], queue="desk")
            return
        contact = await self.contact(event["who"])
        if event["kind"] == "say":
            await self.port.message(contact, event["text"], event["id"])
        else:
            await self.port.abandon(contact)

    async def contact(self, who: str) -> int:
        live = {one.external_id: one.contact for one in await self.port.contacts()}
        return live.get(who, 2**52)

    async def send_effects(self, stream: trio.SocketStream) -> None:
        async for effect in self.port.effects():
            await self.carry_out(stream, effect)

    async def carry_out(self, stream: trio.SocketStream, effect: Effect) -> None:
        if isinstance(effect, Connect):
            await self.port.connected(effect.contact)
        elif isinstance(effect, MessageOut):
            who = await self.port.external_id(effect.contact)
            await self.send(stream, {"send": effect.effect_id, "who": who, "text": effect.text})
        elif isinstance(effect, Ended):
            who = await self.port.external_id(effect.contact)
            await self.send(stream, {"end": effect.effect_id, "who": who})

    async def send(self, stream: trio.SocketStream, message: dict[str, Any]) -> None:
        """Send under a key, and wait until the provider has it."""
        key = message.get("send") or message["end"]
        done = self._done[key] = trio.Event()
        try:
            await stream.send_all(line(message))
            await done.wait()
        finally:
            del self._done[key]


@asynccontextmanager
async def provider_running() -> AsyncIterator[Provider]:
    provider = Provider()
    async with trio.open_nursery() as nursery:
        await nursery.start(provider.run)
        yield provider
        nursery.cancel_scope.cancel()

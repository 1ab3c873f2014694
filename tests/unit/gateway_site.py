"""A gateway on a small site, and clients of every kind for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import trio

from engine.arrival_keys import arrival_key
from engine.auth import Tokens
from engine.config import Address
from engine.gateway import Gateway
from engine.model import Arrive, Events
from engine.service import Service
from engine.testing.fixtures import small_service
from engine.wire_client import Client, connect, decode_frames

TOKENS = Tokens(b"k" * 32, "small")


def token(kind: str, **claims: Any) -> str:
    """A token; an edge's is for any agent unless it is said otherwise."""
    claims = {"any_agent": True, **claims} if kind == "edge" else claims
    return TOKENS.issue(kind, f"{kind}-under-test", 60, **claims)


def arrive(client: Client, number: int, queue: int | None = None) -> Arrive:
    names = client.welcome.names
    assert client.welcome.arrival_key is not None
    return Arrive(
        channel=names["channel"]["voice"],
        key=arrival_key(client.welcome.arrival_key, "line", str(number)),
        queue=names["queue"]["loans"] if queue is None else queue,
    )


class Served(NamedTuple):
    service: Service
    gateway: Gateway
    address: str


@asynccontextmanager
async def served_gateway(folder: Path, **options: Any) -> AsyncIterator[Served]:
    async with small_service(folder, **options) as service, trio.open_nursery() as nursery:
        gateway = Gateway(service, TOKENS)
        ports = await nursery.start(gateway.serve, Address("127.0.0.1", 0), folder / "gateway.sock")
        yield Served(service, gateway, f"127.0.0.1:{ports.tcp}")
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def served(folder: Path, **options: Any) -> AsyncIterator[tuple[Service, str]]:
    async with served_gateway(folder, **options) as site:
        yield site.service, site.address


def plugin(address: str | Path, **options: Any) -> Any:
    return connect(address, token("plugin", channel="voice"), "plugin", **options)


def edge(address: str | Path, **options: Any) -> Any:
    return connect(address, token("edge"), "edge", **options)


async def wait_for(client: Client, kind: type) -> Any:
    """The first frame of a kind; with an event's kind, that event."""
    with trio.fail_after(5):
        while True:
            for frame in await client.incoming():
                if isinstance(frame, kind):
                    return frame
                if isinstance(frame, Events):
                    for _, event in frame.events:
                        if isinstance(event, kind):
                            return event


async def raw(address: str, *frames: bytes) -> list[Any]:
    """Send bytes and return everything that comes until the server closes."""
    host, port = address.split(":")
    stream = await trio.open_tcp_stream(host, int(port))
    async with stream:
        data = b""
        for frame in frames:
            await stream.send_all(frame)
        with trio.fail_after(8):
            while chunk := await stream.receive_some():
                data += chunk
    messages, rest = decode_frames(data)
    assert rest == b""
    return messages

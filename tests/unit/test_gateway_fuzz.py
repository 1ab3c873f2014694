"""Frames that no honest client sends, on a real gateway: each is refused by name, and nothing changes.

FUZZED_FRAMES=1000000 in the environment sends more of the random ones than the default suite does.
"""

from __future__ import annotations

import math
import os
import random
from pathlib import Path
from typing import Any

import msgpack
import pytest
import trio

from engine.model import (
    Abandon,
    Accept,
    Arrive,
    Attach,
    Closing,
    Hello,
    Message,
    Need,
    Refusal,
    Release,
    Typing,
    Welcome,
    encode_body,
    encode_frame,
)
from engine.router import DecodeError, Intake, recode
from engine.service import Service
from engine.wire_client import decode_frames
from tests.unit.gateway_site import arrive, plugin, raw, served, token

FUZZED_FRAMES = int(os.environ.get("FUZZED_FRAMES", "5000"))
KEY = bytes(16)
BAD_UTF8 = b"\xc3\x28"


def framed(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body


def hello(kind: str = "plugin") -> bytes:
    claims = {"channel": "voice"} if kind == "plugin" else {}
    return encode_frame(Hello(token=token(kind, **claims), name="fuzz"))


def picture(service: Service) -> tuple[int, int]:
    return service.seq, service.router.state_hash()


# What cannot be told from a frame ends the connection: no request number after it could be trusted.
FATAL = {
    "2^32-1 bytes": (b"\xff\xff\xff\xff", "4294967295 bytes"),
    "64 KiB and one": ((64 * 1024 + 1).to_bytes(4, "big") + b"\x93\x03\x01" + KEY, "65537 bytes"),
    "16 MiB and one, by an admin": (
        (16 * 1024 * 1024 + 1).to_bytes(4, "big") + b"\x93\x01\x01",
        "16777217 bytes",
    ),
    "no bytes at all": (framed(b""), "no message"),
    "a map": (framed(b"\x81\x01\x01"), "no message"),
    "a depth bomb": (framed(b"\x91" * (64 * 1024)), "no message"),
    "an array of 2^32 items": (framed(b"\xdd\xff\xff\xff\xff\x03\x01"), "no message"),
    "a kind that is text": (framed(b"\x92\xa1x\x01"), "no message"),
    "a kind that is NaN": (framed(msgpack.packb([math.nan, 1])), "no message"),
    "attach of text": (framed(msgpack.packb([136, 1, "all"])), "attach"),
    "attach of 2^32 agents": (framed(b"\x93\xcc\x88\x01\xdd\xff\xff\xff\xff"), "attach"),
}


@pytest.mark.parametrize(("sent", "text"), FATAL.values(), ids=FATAL)
async def test_what_is_no_frame_ends_its_connection_alone(tmp_path: Path, sent: bytes, text: str) -> None:
    async with served(tmp_path) as (service, address), plugin(address) as neighbour:
        before = picture(service)
        messages = await raw(address, hello("admin"), sent)
        assert isinstance(messages[0], Welcome)
        assert isinstance(messages[-1], Closing)
        assert messages[-1].code == "protocol_error"
        assert text in messages[-1].text
        assert picture(service) == before
        await neighbour.request(arrive(neighbour, 1))


REFUSED = {
    "NaN": ([3, 1, 2, KEY, 1, 0, math.nan, []], "malformed", "arrive.weight"),
    "infinity": ([3, 1, 2, KEY, 1, math.inf, 1, []], "malformed", "arrive.head_start_us"),
    "text for a number": ([3, 1, "2", KEY, 1, 0, 1, []], "malformed", "arrive.channel"),
    "2^64-1": ([4, 1, 2**64 - 1, 1], "malformed", "abandon.channel"),
    "a deep requirement": ([3, 1, 2, KEY, 1, 0, 1, [[[[[[[]]]]]]]], "malformed", "arrive.requires"),
    "an unknown kind": ([63, 1], "malformed", "kind 63 is no command"),
    "kind 0": ([0, 1], "malformed", "kind 0 is no command"),
    "version 2": ([4, 2, 2, 1], "malformed", "abandon.version"),
    "a field too many": ([4, 1, 2, 1, 1], "malformed", "1 fields too many"),
    "a field too few": ([4, 1, 2], "malformed", "abandon.contact"),
    "another's channel": ([4, 1, 1, 1], "not_allowed", "channel 1 is not this plugin's"),
    "a supervisor's": ([18, 1, 1], "not_allowed", "its channel only"),
    "the service's own": ([2, 1], "not_allowed", "its channel only"),
}


@pytest.mark.parametrize(("body", "code", "text"), REFUSED.values(), ids=REFUSED)
async def test_a_wrong_command_is_refused_by_number_and_field(
    tmp_path: Path, body: list[Any], code: str, text: str
) -> None:
    async with served(tmp_path) as (service, address), plugin(address) as voice:
        before = picture(service)
        assert await voice.send(framed(msgpack.packb(body)), 1) == 0
        refused = await next_refusal(voice)
        assert (refused.request_no, refused.code) == (0, code)
        assert text in refused.text
        assert picture(service) == before
        assert await voice.request(arrive(voice, 1)) == 1, "the connection lives"


NOT_NUMBERED = {
    "an event": (framed(msgpack.packb([66, 1, 0, 1, 2, KEY, 1, 1])), "kind 66 is not a client's"),
    "an unknown control kind": (framed(msgpack.packb([200, 1])), "200"),
    "a welcome": (framed(msgpack.packb([129, 1, "x", 1, {}])), "not for a connection"),
    "a second hello": (hello(), "not for a connection"),
    "no UTF-8 in a message": (framed(b"\x95\xcc\x8a\x01\x01\xa1m\xa2" + BAD_UTF8), "utf-8"),
    "a message to nobody": (encode_frame(Message(contact=9, external_id="m", text="x")), "message 'm'"),
    "a message without an id": (encode_frame(Message(contact=1, external_id="", text="x")), "message ''"),
    "typing at nobody": (encode_frame(Typing(contact=9, on=True)), "typing.contact"),
    "a message to less than nobody": (framed(msgpack.packb([138, 1, -1, "m", "x"])), ">= 0"),
    "typing at 2^63": (framed(msgpack.packb([141, 1, 2**63, True])), "<= 9007199254740991"),
    "a ping of text": (framed(msgpack.packb([134, 1, "x"])), "int"),
    "a plugin's attach": (encode_frame(Attach(agents=[1])), "not for a connection of type plugin"),
}


@pytest.mark.parametrize(("sent", "text"), NOT_NUMBERED.values(), ids=NOT_NUMBERED)
async def test_a_wrong_control_frame_is_refused_and_takes_no_number(
    tmp_path: Path, sent: bytes, text: str
) -> None:
    async with served(tmp_path) as (service, address), plugin(address) as voice:
        before = picture(service)
        await voice.send(sent, 0)
        refused = await next_refusal(voice)
        assert refused.request_no is None
        assert text in refused.text
        assert picture(service) == before
        assert await voice.request(arrive(voice, 1)) == 1


async def next_refusal(client: Any) -> Refusal:
    with trio.fail_after(5):
        while True:
            for frame in await client.incoming():
                if isinstance(frame, Refusal):
                    return frame


HELLOS = {
    "no UTF-8": b"\x95\xcc\x80\x01\xa2" + BAD_UTF8 + b"\xa1n\xc0",
    "a depth bomb": b"\x91" * 16_000,
    "a number as token": msgpack.packb([128, 1, 7, "n", None]),
    "another version": msgpack.packb([128, 2, "t", "n", None]),
    "NaN to resume from": msgpack.packb([128, 1, "t", "n", math.nan]),
    "a command": encode_body(Abandon(channel=2, contact=1)),
    "too long": b"\x95" * (16 * 1024 + 1),
}


@pytest.mark.parametrize("body", HELLOS.values(), ids=HELLOS)
async def test_a_wrong_hello_is_answered_with_closing(tmp_path: Path, body: bytes) -> None:
    async with served(tmp_path) as (service, address):
        before = picture(service)
        (last,) = await raw(address, framed(body))
        assert (last.code, bool(last.text)) == ("protocol_error", True)
        assert picture(service) == before


def fuzzed(rng: random.Random) -> bytes:
    """A valid body with a few bytes changed, cut or put in; or noise."""
    commands = [
        Arrive(channel=2, key=rng.randbytes(16), queue=2, requires=((Need(1, 50),),)),
        Abandon(channel=2, contact=1),
        Accept(agent=1, offer=1),
        Release(contact=1),
        Attach(agents=[1, 2]),
        Message(contact=1, external_id="m", text="x"),
    ]
    body = bytearray(encode_body(rng.choice(commands)))
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(body) + 1)
        match rng.randrange(4):
            case 0:
                del body[at:]
            case 1:
                body[at:at] = rng.randbytes(rng.randint(1, 5))
            case 2:
                body[at : at + 1] = rng.choice(
                    [b"\xc1", b"\xcb", b"\xdd", b"\xc6", b"\xdf", b"\xd4", b"\xff"]
                )
            case _:
                body = bytearray(rng.randbytes(rng.randint(0, 40)))
    return bytes(body)


def is_no_command(body: bytes) -> bool:
    try:
        recode(body)
    except DecodeError:
        return True
    return False


async def test_random_frames_change_nothing(tmp_path: Path) -> None:
    """Whatever is no command; of a plugin that is told `closing`, the next connection goes on."""
    rng = random.Random(11)
    async with served(tmp_path) as (service, address), plugin(address) as neighbour:
        before = picture(service)
        sent = refused = closed = 0
        while sent < FUZZED_FRAMES:
            wrong = [body for _ in range(200) if is_no_command(body := fuzzed(rng))]
            # The first one that ends the connection would keep the others from being read.
            ending = [body for body in wrong if Intake("plugin", 2).feed(framed(body))[3] is not None]
            bodies = [body for body in wrong if body not in ending] + ending[:1]
            sent += len(bodies)
            said = await told(address, b"".join(map(framed, bodies)))
            refused += sum(isinstance(one, Refusal) for one in said)
            closed += said[-1].code == "protocol_error" if isinstance(said[-1], Closing) else 0
        assert picture(service) == before
        assert refused > sent * 0.8, "the others are control frames that mean something"
        assert closed > sent // 1_000
        await neighbour.request(arrive(neighbour, 1))


async def told(address: str, frames: bytes) -> list[Any]:
    """Everything that the gateway says to these frames until it closes, or answers a ping behind them."""
    host, port = address.split(":")
    pong = framed(msgpack.packb([135, 1, 2**40]))
    async with await trio.open_tcp_stream(host, int(port)) as stream:
        await stream.send_all(hello() + frames + framed(msgpack.packb([134, 1, 2**40])))
        data = b""
        with trio.fail_after(10):
            while not data.endswith(pong) and (chunk := await stream.receive_some()):
                data += chunk
        messages, rest = decode_frames(data)
        assert rest == b""
        return messages

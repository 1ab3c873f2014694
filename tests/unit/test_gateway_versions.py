"""The version of the protocol is agreed on in `hello`; who says none speaks the first one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgpack
import pytest
import trio

from engine.gateway_versions import BadVersions, agreed_version
from engine.model import Hello, Pong, Welcome, encode_frame
from engine.wire_client import decode_frames
from tests.unit.gateway_site import edge, raw, served, served_gateway, token

OTHERS = [
    ((2, 3), "version", "the client speaks versions 2 to 3, this site version 1; upgrade the site first"),
    ((3, 2), "protocol_error", "expected [lowest, highest], got [3, 2]"),
]


def framed(message: list[Any]) -> bytes:
    body = msgpack.packb(message)
    return len(body).to_bytes(4, "big") + body


@pytest.mark.parametrize(("versions", "code", "text"), OTHERS)
async def test_a_version_that_the_site_does_not_speak_is_refused(
    tmp_path: Path, versions: tuple[int, int], code: str, text: str
) -> None:
    async with served_gateway(tmp_path) as (_, gateway, address):
        hello = Hello(token=token("edge"), name="later", versions=versions)
        (last,) = await raw(address, encode_frame(hello))
        assert (last.code, last.text) == (code, f"hello.versions: {text}")
        assert gateway.doors.turned_away == {code: 1}


@pytest.mark.parametrize("versions", [[0, 1], [1], 1, ["1", "1"]])
async def test_what_are_no_versions_is_named(tmp_path: Path, versions: Any) -> None:
    async with served(tmp_path) as (_, address):
        (last,) = await raw(address, framed([128, 1, token("edge"), "x", None, versions]))
        assert (last.code, last.text[:7]) == ("protocol_error", "hello: ")


def test_the_highest_that_both_speak_is_taken() -> None:
    assert [agreed_version(said, (2, 4)) for said in ((1, 2), (1, 9), (3, 3), (4, 7))] == [2, 4, 3, 4]
    assert agreed_version(None) == 1
    older = "client speaks version 1, this site versions 2 to 4; take a newer client"
    with pytest.raises(BadVersions, match=older) as caught:
        agreed_version(None, (2, 4))
    assert caught.value.code == "version"


@pytest.mark.parametrize(
    ("more", "length", "agreed"), [([], 9, []), ([None], 9, []), ([None, [1, 4]], 10, [1])]
)
async def test_who_says_none_is_welcome_as_ever(
    tmp_path: Path, more: list[Any], length: int, agreed: list[int]
) -> None:
    """Some of the first clients refuse a `welcome` with a field more than they know."""
    async with served(tmp_path) as (_, address):
        host, port = address.split(":")
        async with await trio.open_tcp_stream(host, int(port)) as stream:
            await stream.send_all(framed([128, 1, token("edge"), "x", *more]))
            welcome = msgpack.unpackb((await stream.receive_some())[4:])
    assert (len(welcome), welcome[9:]) == (length, agreed)


async def test_our_client_says_what_it_speaks(tmp_path: Path) -> None:
    async with served(tmp_path) as (_, address), edge(address) as desk:
        assert desk.welcome.agreed == 1


def test_our_client_skips_what_a_later_site_says() -> None:
    welcome = [129, 1, "small", 7, {}, None, {}, 4_096, 262_144, 1, "more", [1, 2]]
    frames = b"".join(map(framed, (welcome, [199, 1, "a later kind"], [135, 1, 3, 4])))
    (first, pong), rest = decode_frames(frames)
    assert isinstance(first, Welcome)
    assert (first.seq, first.agreed, pong, rest) == (7, 1, Pong(n=3), b"")

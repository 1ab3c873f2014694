"""The gateway: who may come in, what is answered and how, how fast it is."""

from __future__ import annotations

import socket
import struct
import time
from pathlib import Path

import msgpack
import pytest
import trio
from msgspec.structs import replace
from structlog.testing import capture_logs

from engine.auth import Tokens
from engine.errors import Busy, Refused, UnknownOffer, UnknownQueue
from engine.model import (
    Abandon,
    Accept,
    Ack,
    Arrived,
    Attach,
    Closing,
    Configure,
    Events,
    Hello,
    NotReady,
    OfferMade,
    Ping,
    Pong,
    Refusal,
    SignIn,
    Welcome,
    encode_frame,
)
from engine.testing.fixtures import SMALL_SITE
from engine.wire_client import Client, Disconnected, NotTaken, connect
from tests.unit.gateway_site import arrive, edge, plugin, raw, served, token, wait_for


async def test_a_contact_travels_from_plugin_to_edge(tmp_path: Path) -> None:
    async with served(tmp_path) as (service, address), plugin(address) as voice, edge(address) as desk:
        bob = desk.welcome.names["agent"]["bob"]
        await desk.send_control(Attach(agents=[bob]))
        await desk.request(SignIn(agent=bob))
        contact = await voice.request(arrive(voice, 1))
        offer = await wait_for(desk, OfferMade)
        assert (offer.contact, offer.agent) == (contact, bob)
        await desk.request(Accept(agent=bob, offer=offer.offer))
        state = service.contact_state(contact)
        assert state is not None
        assert state.state == "connecting"
        arrived = await wait_for(voice, Arrived)
        assert arrived.contact == contact


async def test_a_queue_gives_no_longer_head_start_over_a_socket_either(tmp_path: Path) -> None:
    text = SMALL_SITE.replace("wrap_up_ms = 3000", "wrap_up_ms = 3000\nmax_head_start_s = 90")
    async with served(tmp_path, text=text), plugin(tmp_path / "gateway.sock") as voice:
        await voice.request(replace(arrive(voice, 1), head_start_us=90_000_000))
        with pytest.raises(NotTaken, match="at most 90000000 for queue 2, got 90000001"):
            await voice.request(replace(arrive(voice, 2), head_start_us=90_000_001))


async def test_a_unix_socket_serves_too_and_replaces_a_stale_one(tmp_path: Path) -> None:
    (tmp_path / "gateway.sock").touch()
    async with served(tmp_path), edge(tmp_path / "gateway.sock") as desk:
        assert desk.welcome.site == "small"
        assert (tmp_path / "gateway.sock").stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "gateway.sock").exists()


async def test_a_plugin_that_is_killed_is_no_fault_of_the_site(tmp_path: Path) -> None:
    with capture_logs() as logged:
        async with served(tmp_path) as (_, address):
            host, port = address.split(":")
            stream = await trio.open_tcp_stream(host, int(port))
            hello = Hello(token=token("plugin", channel="voice"), name="doomed")
            await stream.send_all(encode_frame(hello))
            await stream.receive_some(4)
            # A reset instead of a good-bye, with the welcome unread.
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            await stream.aclose()
            async with plugin(address) as voice:
                await voice.request(arrive(voice, 1))
    assert [one for one in logged if one["log_level"] != "info"] == []


async def test_the_welcome_gives_names_and_a_plugin_its_key(tmp_path: Path) -> None:
    async with served(tmp_path) as (service, address):
        async with plugin(address) as voice:
            assert voice.welcome.names["queue"]["cards"] == service.names.id("queue", "cards")
            assert len(voice.welcome.arrival_key) == 32
        async with edge(address) as desk:
            assert desk.welcome.arrival_key is None


async def test_a_redelivered_arrival_is_the_same_contact(tmp_path: Path) -> None:
    async with served(tmp_path) as (_, address):
        async with plugin(address) as voice:
            first = await voice.request(arrive(voice, 1))
            assert await voice.request(arrive(voice, 1)) == first
        async with plugin(address) as voice:
            assert await voice.request(arrive(voice, 1)) == first


@pytest.mark.parametrize(
    ("kind", "claims", "reason"),
    [
        ("agent", {}, "wrong_purpose"),
        ("plugin", {}, "missing_claim"),
        ("plugin", {"channel": "fax"}, "missing_claim"),
    ],
)
async def test_a_wrong_token_is_refused(
    tmp_path: Path, kind: str, claims: dict[str, str], reason: str
) -> None:
    async with served(tmp_path) as (_, address):
        with pytest.raises(Disconnected, match=reason) as caught:
            async with connect(address, token(kind, **claims), "nobody"):
                pass
        assert caught.value.code == "bad_token"


async def test_a_forged_token_is_refused(tmp_path: Path) -> None:
    async with served(tmp_path) as (_, address):
        forged = Tokens(b"x" * 32, "small").issue("edge", "me", 60)
        with pytest.raises(Disconnected, match="bad_signature"):
            async with connect(address, forged, "nobody"):
                pass


async def test_who_says_no_hello_is_shown_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.gateway.HELLO_WITHIN_S", 0.05)
    async with served(tmp_path) as (_, address):
        (last,) = await raw(address)
        assert (last.code, last.text) == ("protocol_error", "no hello within 5 s")
        (last,) = await raw(address, encode_frame(Ping(n=1)))
        assert "has to be a hello, not Ping" in last.text
        (last,) = await raw(address, b"\xff\xff\xff\xff")
        assert "4294967295 bytes" in last.text
        (last,) = await raw(address, b"\0\0\0\x03\xc1\xc1\xc1")
        assert last.code == "protocol_error"


async def test_a_malformed_frame_is_answered_and_the_connection_lives(tmp_path: Path) -> None:
    async with served(tmp_path) as (service, address), plugin(address) as voice:
        body = msgpack.packb([3, 1, "one", bytes(16), 1, 0, 1, []])
        frame = len(body).to_bytes(4, "big") + body
        assert await voice.send(frame, 1) == 0
        refused = await wait_for(voice, Refusal)
        assert (refused.request_no, refused.code) == (0, "malformed")
        assert "arrive.channel" in refused.text
        seq = service.seq
        assert await voice.request(arrive(voice, 1)) == 1
        assert service.seq == seq + 1


async def test_a_framing_error_closes_with_a_word(tmp_path: Path) -> None:
    async with served(tmp_path) as (_, address):
        hello = encode_frame(Hello(token=token("edge"), name="broken"))
        messages = await raw(address, hello, b"\xff\xff\xff\xff")
        assert isinstance(messages[0], Welcome)
        assert isinstance(messages[-1], Closing)
        assert messages[-1].code == "protocol_error"


async def test_scopes_hold(tmp_path: Path) -> None:
    async with served(tmp_path) as (_, address), plugin(address) as voice, edge(address) as desk:
        bob = desk.welcome.names["agent"]["bob"]
        with pytest.raises(NotTaken, match="not_allowed"):
            await voice.request(SignIn(agent=bob))
        with pytest.raises(NotTaken, match="not_allowed"):
            await desk.request(SignIn(agent=bob))  # not attached
        chat = voice.welcome.names["channel"]["chat"]
        with pytest.raises(NotTaken, match="not_allowed"):
            await voice.request(Abandon(channel=chat, contact=1))
        await voice.send_control(Attach(agents=[bob]))
        assert (await wait_for(voice, Refusal)).code == "not_allowed"
        with pytest.raises(UnknownQueue):
            await voice.request(arrive(voice, 1, queue=99))


async def test_the_cores_refusal_is_typed(tmp_path: Path) -> None:
    async with served(tmp_path) as (_, address), edge(address) as desk:
        bob = desk.welcome.names["agent"]["bob"]
        await desk.send_control(Attach(agents=[bob]))
        with pytest.raises(UnknownOffer) as caught:
            await desk.request(Accept(agent=bob, offer=77))
        assert isinstance(caught.value, Refused)
        assert caught.value.detail == 77


async def test_ping_is_answered(tmp_path: Path) -> None:
    async with served(tmp_path) as (_, address):
        hello = encode_frame(Hello(token=token("edge"), name="ping"))
        host, port = address.split(":")
        async with await trio.open_tcp_stream(host, int(port)) as stream:
            await stream.send_all(hello + encode_frame(Ping(n=7)))
            data = b""
            with trio.fail_after(5):
                while not data.endswith(encode_frame(Pong(n=7))):
                    data += await stream.receive_some()


async def test_a_full_inbox_refuses_arrivals_and_not_what_is_in_hand(tmp_path: Path) -> None:
    async with served(tmp_path) as (service, address), plugin(address) as voice, edge(address) as desk:
        contact = await voice.request(arrive(voice, 1))
        service._inbox._arrivals_bytes = 0
        bob = desk.welcome.names["agent"]["bob"]
        await desk.send_control(Attach(agents=[bob]))
        await desk.request(SignIn(agent=bob))
        with pytest.raises(Busy) as caught:
            await voice.request(arrive(voice, 2))
        assert caught.value.retry_after_ms > 0
        abandon = Abandon(channel=voice.welcome.names["channel"]["voice"], contact=contact)
        both = encode_frame(arrive(voice, 3)) + encode_frame(abandon) + encode_frame(arrive(voice, 4))
        first = await voice.send(both, 3)
        refused = []
        with trio.fail_after(5):
            while len(refused) < 2:
                refused += [one.request_no for one in await voice.incoming() if isinstance(one, Refusal)]
        assert refused == [first, first + 2]
        await voice.request(abandon)
        state = service.contact_state(contact)
        assert state is not None
        assert state.state == "abandoned"


@pytest.mark.alone
async def test_it_is_fast_enough(tmp_path: Path) -> None:
    """20,000 arrivals, pipelined, acknowledged and published; quiet, it is far over 10,000 a second."""
    total, piece = 20_000, 1_000
    async with served(tmp_path) as (_, address), plugin(address) as voice:
        pieces = [
            b"".join(encode_frame(arrive(voice, number)) for number in range(at, at + piece))
            for at in range(0, total, piece)
        ]
        began = time.perf_counter()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_send_all, voice, pieces, piece)
            acknowledged = events = 0
            with trio.fail_after(30):
                while acknowledged < total or events < 2 * total:
                    for frame in await voice.incoming():
                        if isinstance(frame, Ack):
                            acknowledged += sum(1 for result in frame.results if result[2] == 0)
                        elif isinstance(frame, Events):
                            events += len(frame.events)
        took_s = time.perf_counter() - began
    assert total / took_s > 5_000, f"{total / took_s:.0f} commands/s"


async def _send_all(client: Client, pieces: list[bytes], count: int) -> None:
    for frames in pieces:
        await client.send(frames, count)


async def test_configure_and_reasons_pass_for_an_admin(tmp_path: Path) -> None:
    async with served(tmp_path) as (service, address), connect(address, token("admin"), "tool") as tool:
        config = service.router.config()
        assert config is not None
        await tool.request(Configure(config=config))
        bob = tool.welcome.names["agent"]["bob"]
        await tool.request(SignIn(agent=bob, ready=False))
        await tool.request(NotReady(agent=bob, reason=tool.welcome.names["reason"]["lunch"]))
        assert service.desk("bob").state().reason == "lunch"

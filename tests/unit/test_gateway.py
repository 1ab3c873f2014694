"""The gateway: who may come in, what is answered and how, who is cut, how fast it is."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgpack
import pytest
import trio

from engine.arrival_keys import arrival_key
from engine.auth import Tokens
from engine.config import Address
from engine.errors import Busy, Refused, UnknownOffer, UnknownQueue
from engine.gateway import Gateway
from engine.model import (
    Abandon,
    Accept,
    Ack,
    Arrive,
    Arrived,
    Attach,
    Closing,
    Configure,
    Events,
    Hello,
    Message,
    MessageOut,
    MessageStored,
    NotReady,
    OfferMade,
    Ping,
    Pong,
    Refusal,
    SignIn,
    Typing,
    Welcome,
    encode_frame,
)
from engine.returning import Desks
from engine.service import Service
from engine.testing.fixtures import small_service
from engine.wire_client import Client, Disconnected, NotTaken, connect, decode_frames

TOKENS = Tokens(b"k" * 32, "small")


def token(kind: str, **claims: Any) -> str:
    return TOKENS.issue(kind, f"{kind}-under-test", 60, **claims)


def arrive(client: Client, number: int, queue: int | None = None) -> Arrive:
    names = client.welcome.names
    assert client.welcome.arrival_key is not None
    return Arrive(
        channel=names["channel"]["voice"],
        key=arrival_key(client.welcome.arrival_key, "line", str(number)),
        queue=names["queue"]["loans"] if queue is None else queue,
    )


@asynccontextmanager
async def served(folder: Path, **options: Any) -> AsyncIterator[tuple[Service, str]]:
    async with small_service(folder, **options) as service, trio.open_nursery() as nursery:
        gateway = Gateway(service, TOKENS)
        ports = await nursery.start(gateway.serve, Address("127.0.0.1", 0), folder / "gateway.sock")
        yield service, f"127.0.0.1:{ports.tcp}"
        nursery.cancel_scope.cancel()


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


async def test_a_unix_socket_serves_too_and_replaces_a_stale_one(tmp_path: Path) -> None:
    (tmp_path / "gateway.sock").touch()
    async with served(tmp_path), edge(tmp_path / "gateway.sock") as desk:
        assert desk.welcome.site == "small"
        assert (tmp_path / "gateway.sock").stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "gateway.sock").exists()


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


async def test_a_stopping_gateway_says_draining(tmp_path: Path) -> None:
    async with (
        small_service(tmp_path) as service,
        trio.open_nursery() as outer,
        trio.open_nursery() as nursery,
    ):
        ports = await nursery.start(Gateway(service, TOKENS).serve, Address("127.0.0.1", 0))
        client = await outer.start(_hold, f"127.0.0.1:{ports.tcp}")
        nursery.cancel_scope.cancel()
    assert client.error.code == "draining"


class _Held:
    error: Disconnected


async def _hold(address: str, *, task_status: trio.TaskStatus[_Held]) -> None:
    held = _Held()
    async with edge(address) as client:
        task_status.started(held)
        with trio.fail_after(5):
            try:
                while True:
                    await client.incoming()
            except Disconnected as error:
                held.error = error


async def test_resume_behind_a_seq_misses_nothing(tmp_path: Path) -> None:
    async with served(tmp_path) as (_, address):
        async with plugin(address) as voice:
            await voice.request(arrive(voice, 1))
            await wait_for(voice, Arrived)
            seq = voice.seq
        async with plugin(address, listen=False) as other:
            await other.request(arrive(other, 2))
            await other.request(arrive(other, 3))
        async with plugin(address, resume_seq=seq) as voice:
            await voice.request(arrive(voice, 4))
            seen = []
            with trio.fail_after(5):
                while len(seen) < 3:
                    for frame in await voice.incoming():
                        if isinstance(frame, Events):
                            seen += [event.contact for _, event in frame.events if isinstance(event, Arrived)]
            assert seen == [2, 3, 4]


async def test_a_seq_beyond_the_journal_is_too_old(tmp_path: Path) -> None:
    async with served(tmp_path) as (_, address), trio.open_nursery() as nursery:
        with pytest.raises(Disconnected) as caught:
            async with plugin(address, resume_seq=10_000):
                pass
        assert caught.value.code == "too_old"
        nursery.cancel_scope.cancel()


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


async def test_a_slow_reader_is_cut_and_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.gateway_connection.LAST_WORD_S", 0.05)
    async with served(tmp_path) as (service, address):
        service.bus.subscriber_bytes = 20_000
        host, port = address.split(":")
        slow = await trio.open_tcp_stream(host, int(port))
        slow.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_RCVBUF, 4_096)
        await slow.send_all(encode_frame(Hello(token=token("plugin", channel="voice"), name="slow")))
        async with plugin(address, listen=False) as voice:
            frames = b"".join(encode_frame(arrive(voice, number)) for number in range(500))
            for _ in range(3):
                with trio.fail_after(10):
                    while len(service.bus._subscribers) > 1:
                        with trio.move_on_after(0.05):
                            await voice.send(frames, 500)
                            await trio.sleep(0.01)
                        frames = b"".join(
                            encode_frame(arrive(voice, number))
                            for number in range(service.seq * 1_000, service.seq * 1_000 + 500)
                        )
                break
        await slow.aclose()


async def test_messages_go_both_ways(tmp_path: Path) -> None:
    async with served(tmp_path) as (service, address), plugin(address) as voice, edge(address) as desk:
        bob = desk.welcome.names["agent"]["bob"]
        await desk.send_control(Attach(agents=[bob]))
        await desk.request(SignIn(agent=bob))
        contact = await voice.request(arrive(voice, 1))
        offer = await wait_for(desk, OfferMade)
        await desk.request(Accept(agent=bob, offer=offer.offer))
        await voice.send_control(Message(contact=contact, external_id="m1", text="你好"))
        stored = await wait_for(voice, MessageStored)
        await voice.send_control(Message(contact=contact, external_id="m1", text="你好"))
        assert (await wait_for(voice, MessageStored)).message_id == stored.message_id
        await voice.send_control(Message(contact=999, external_id="m2", text="?"))
        assert (await wait_for(voice, Refusal)).code == "unknown_contact"
        from engine.model import Connected

        channel = voice.welcome.names["channel"]["voice"]
        await voice.request(Connected(channel=channel, contact=contact))
        await service.desk("bob").say(contact, "hello", "a1")
        out = await wait_for(voice, MessageOut)
        assert (out.contact, out.text) == (contact, "hello")
        await desk.send_control(Message(contact=contact, external_id="a2", text="from the edge"))
        assert (await wait_for(voice, MessageOut)).text == "from the edge"
        await voice.send_control(Typing(contact=contact, on=True))
        assert (await wait_for(desk, Typing)).on


async def test_a_returning_plugin_gets_what_agents_wrote_meanwhile(tmp_path: Path) -> None:
    async with served(tmp_path) as (service, address):
        ann = service.desk("ann")
        await ann.sign_in()
        async with plugin(address) as voice:
            from engine.model import Connected

            contact = await voice.request(arrive(voice, 1))
            await ann.accept(ann.state().offers[0].offer)
            await voice.request(Connected(channel=voice.welcome.names["channel"]["voice"], contact=contact))
            seq = service.seq
        await ann.say(contact, "are you there?", "a1")
        async with plugin(address, resume_seq=seq) as voice:
            assert (await wait_for(voice, MessageOut)).text == "are you there?"


async def test_an_edge_sees_its_desks_when_it_attaches(tmp_path: Path) -> None:
    async with served(tmp_path) as (service, address):
        await service.desk("ann").sign_in()
        async with plugin(address, listen=False) as voice:
            contact = await voice.request(arrive(voice, 1))
        async with edge(address) as desk:
            ann = desk.welcome.names["agent"]["ann"]
            await desk.send_control(Attach(agents=[ann, 999]))
            (line,) = (await wait_for(desk, Desks)).desks
            assert (line.agent, line.presence, line.signing_out, line.locked) == (ann, 2, False, False)
            assert [offer.contact for offer in line.offers] == [contact]


@pytest.mark.slow
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

"""The gateway over time: messages, who is cut, who comes back, the end."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

import pytest
import trio

from engine.config import Address
from engine.gateway import Gateway
from engine.model import (
    Accept,
    Arrived,
    Attach,
    Events,
    Hello,
    Message,
    MessageOut,
    MessageStored,
    OfferMade,
    Refusal,
    SignIn,
    Typing,
    encode_frame,
)
from engine.returning import Desks
from engine.testing.fixtures import small_service
from engine.wire_client import Disconnected, decode_frames
from tests.unit.gateway_site import TOKENS, arrive, edge, plugin, served, token, wait_for


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


@pytest.mark.slow  # megabytes have to fill the sockets' buffers
async def test_a_slow_reader_is_cut_and_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.gateway_connection.LAST_WORD_S", 0.05)
    async with served(tmp_path) as (service, address), plugin(address, listen=False) as voice:
        service.bus.subscriber_bytes = 300_000
        host, port = address.split(":")
        slow = await trio.open_tcp_stream(host, int(port))
        hello = Hello(token=token("plugin", channel="voice"), name="slow")
        await slow.send_all(encode_frame(hello))
        data = bytes(await slow.receive_some())  # the welcome, and then it reads no more
        number = 0
        with trio.fail_after(20):
            while len(service.bus._subscribers) == 2:
                piece = range(number, number := number + 100)
                await voice.send(b"".join(encode_frame(arrive(voice, one)) for one in piece), 100)
                await voice.request(arrive(voice, number))  # a client that waits for its answers is not cut
        assert len(service.bus._subscribers) == 1
        with contextlib.suppress(trio.BrokenResourceError), trio.fail_after(5):
            while chunk := await slow.receive_some(1_000_000):
                data += chunk
        await slow.aclose()
        events = [frame for frame in decode_frames(data)[0] if isinstance(frame, Events)]
        seen = arrivals(events)
        assert 0 < len(seen) < service.overview().contacts.waiting
        async with plugin(address, resume_seq=events[-1].seq) as again:
            with trio.fail_after(10):
                while len(seen) < service.overview().contacts.waiting:
                    seen += arrivals(await again.incoming())
        assert seen == list(range(1, service.overview().contacts.waiting + 1)), "all, once, in order"


def arrivals(frames: Sequence[object]) -> list[int]:
    batches = [frame.events for frame in frames if isinstance(frame, Events)]
    return [event.contact for events in batches for _, event in events if isinstance(event, Arrived)]


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

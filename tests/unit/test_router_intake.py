"""The gateway's three tools from Python: Intake, Fanout, Batch; their frames are the model's."""

from __future__ import annotations

from typing import cast

import msgpack
import pytest

from engine.model import (
    NO_LIMIT,
    Accept,
    Ack,
    AgentConfig,
    AgentReady,
    AgentSignedIn,
    Arrive,
    Attach,
    ChannelConfig,
    ChannelUnits,
    Config,
    Configure,
    Detach,
    Event,
    Events,
    Frame,
    OfferMade,
    Ping,
    QueueConfig,
    Ready,
    SignIn,
    decode_body,
    encode_body,
    encode_frame,
    split_frames,
)
from engine.router import DecodeError, Fanout, Intake, Router

T = 1_700_000_000_000_000
CONFIG = Config(
    channels=(ChannelConfig(1), ChannelConfig(2)),
    queues=(QueueConfig(1, max_waiting=NO_LIMIT),),
    agents=tuple(AgentConfig(agent, capacity=(ChannelUnits(1, 1),)) for agent in (1, 2)),
)


def arrive(key: int, channel: int = 1) -> Arrive:
    return Arrive(channel=channel, key=key.to_bytes(16, "big"), queue=1)


def stream(*messages: Frame) -> bytes:
    return b"".join(map(encode_frame, messages))


def only(frame: bytes) -> Frame:
    (body,) = split_frames(frame)
    return decode_body(body)


def test_an_intake_passes_what_may_be_journaled() -> None:
    intake = Intake("plugin", 1)
    sent = stream(arrive(1), Ping(n=3), arrive(2, channel=2), arrive(3))
    runs, refusals, control, fatal = intake.feed(sent)
    assert runs == [(0, stream(arrive(1)), 1), (2, stream(arrive(3)), 1)]
    assert refusals == [(1, "not_allowed", "channel 2 is not this plugin's")]
    assert [decode_body(body) for body in control] == [Ping(n=3)]
    assert fatal is None


def test_an_intake_waits_for_the_rest() -> None:
    intake = Intake("plugin", 1)
    sent = stream(arrive(1), arrive(2))
    counts = [sum(run[2] for run in intake.feed(bytes([byte]))[0]) for byte in sent]
    assert sum(counts) == 2
    assert counts[-1] == 1


def test_an_edge_attaches_in_the_stream_or_from_outside() -> None:
    intake = Intake("edge")
    runs, refusals, control, _ = intake.feed(
        stream(Attach(agents=[1]), Ready(agent=1), Detach(agents=[1]), Ready(agent=1))
    )
    assert ([run[0] for run in runs], [one[0] for one in refusals], len(control)) == ([0], [1], 2)
    intake.attach([2])
    assert len(intake.feed(stream(Ready(agent=2)))[0]) == 1
    intake.detach([2])
    assert intake.feed(stream(Ready(agent=2)))[1] == [(3, "not_allowed", "agent 2 is not attached")]


def test_a_refusal_says_what_was_wrong() -> None:
    body = msgpack.packb([12, 1, 1, "7"])
    _, refusals, _, fatal = Intake("admin").feed(len(body).to_bytes(4, "big") + body)
    text = "accept.offer: expected an integer 0..18446744073709551615, got str"
    assert (refusals, fatal) == ([(0, "malformed", text)], None)


def test_another_protocol_is_fatal() -> None:
    *_, fatal = Intake("follower").feed(b"GET / HTTP/1.1\r\n\r\n")
    assert fatal == "a frame of 1195725856 bytes; at most 65536 are allowed"


@pytest.mark.parametrize("arguments", [("plugin",), ("edge", 1), ("admin", 1), ("operator",), ("", None)])
def test_who_is_there_is_said_exactly(arguments: tuple[str]) -> None:
    with pytest.raises(ValueError, match="expected 'plugin' with its channel"):
        Intake(*arguments)  # type: ignore[arg-type]


@pytest.fixture
def router() -> Router:
    router = Router()
    router.apply(T, Configure(config=CONFIG))
    return router


def test_a_batch_answers_its_sources_and_tells_whom_it_concerns(router: Router) -> None:
    fanout = Fanout()
    fanout.subscribe_channel(10, 1)
    fanout.attach_agents(20, [1])
    fanout.attach_agents(21, [2])
    fanout.subscribe_all(30)
    parts = [(5, 0, stream(SignIn(agent=1))), (6, 70, stream(arrive(1), Accept(agent=2, offer=8)))]
    batch = router.apply_batch(9, T, parts)
    acks = {source: only(frame) for source, frame in batch.acks()}
    assert acks == {
        5: Ack(seq=9, results=[(0, 0, 0, 0)]),
        6: Ack(seq=9, results=[(70, 1, 0, 1), (71, 2, 15, 8)]),
    }
    routed = {subscriber: cast(Events, only(frame)) for subscriber, frame in batch.route(fanout)}
    everything = [cast(Event, decode_body(body)) for body in split_frames(batch.events)]
    assert list(routed) == [10, 20, 30]
    assert routed[30] == Events(seq=9, at=T, events=list(enumerate(everything)))
    assert [type(event) for _, event in routed[20].events] == [AgentSignedIn, AgentReady, OfferMade]
    assert [event.channel for _, event in routed[10].events if isinstance(event, OfferMade)] == [1]
    assert all(everything[index] == event for frame in routed.values() for index, event in frame.events)


def test_a_subscriber_that_comes_back_gets_the_same_frame(router: Router) -> None:
    fanout = Fanout()
    fanout.attach_agents(20, [1])
    batch = router.apply_batch(9, T, [(5, 0, stream(SignIn(agent=1), SignIn(agent=2)))])
    ((_, frame),) = batch.route(fanout)
    assert fanout.route_blob(20, 9, T, batch.events) == frame
    assert fanout.route_blob(20, 9, T, b"") is None
    assert fanout.route_blob(99, 9, T, batch.events) is None
    fanout.detach_agents(20, [1])
    assert fanout.route_blob(20, 9, T, batch.events) is None
    fanout.unsubscribe(20)
    assert batch.route(fanout) == []
    with pytest.raises(DecodeError):
        fanout.route_blob(20, 9, T, encode_body(Ping(n=1)))

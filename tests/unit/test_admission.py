"""Admission: how many arrivals a second come in, who is told to come back, and when."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from engine.admission import RETRY_MOST_MS, Admission, Bucket, monotonic_us
from engine.config import read_site
from engine.config_types import Rate
from engine.errors import Busy, ConfigError
from engine.model import Abandon, Ack, Refusal, encode_frame
from engine.testing.fixtures import SMALL_SITE, small_site
from tests.unit.gateway_site import arrive, connect, plugin, served, token, wait_for

SITE_LIMIT = SMALL_SITE.replace("[gateway]", "[gateway]\narrivals_per_s = 10\narrivals_burst = 3")
CHANNEL_LIMIT = SMALL_SITE.replace("[channels.voice]", "[channels.voice]\narrivals_per_s = 10")
CONNECTION_LIMIT = SMALL_SITE.replace(
    "[gateway]", "[gateway]\nconnection_arrivals_per_s = 1\nconnection_arrivals_burst = 2"
)


def test_a_bucket_holds_a_burst_and_fills_at_its_rate() -> None:
    bucket = Bucket(Rate(per_s=10, burst=3), 0)
    assert bucket.room(0) == 3
    bucket.take(3)
    assert bucket.room(0) == 0
    assert bucket.room(99_999) == 0
    assert bucket.room(100_000) == 1
    assert bucket.room(1_000_000_000) == 3


def test_who_comes_back_when_told_is_admitted_and_no_two_are_told_the_same() -> None:
    bucket = Bucket(Rate(per_s=10, burst=1), 0)
    bucket.take(1)
    told = [bucket.promise_ms(0) for _ in range(5)]
    assert told == [100, 200, 300, 400, 500]
    for after_ms in told:
        assert bucket.room(after_ms * 1_000) >= 1
        bucket.take(1)


def test_nobody_is_sent_away_for_longer_than_the_flood_is_remembered() -> None:
    bucket = Bucket(Rate(per_s=1, burst=1), 0)
    bucket.take(1)
    assert max(bucket.promise_ms(0) for _ in range(100)) == RETRY_MOST_MS
    assert bucket.room(RETRY_MOST_MS * 1_000) == 1


async def test_time_is_monotonic_and_the_scarcest_bucket_decides(
    tmp_path: Path, mock_clock: MockClock
) -> None:
    admission = Admission(small_site(tmp_path, SITE_LIMIT))
    own = Bucket(Rate(per_s=1, burst=2), monotonic_us())
    admitted = admission.admit("voice", 5, own)
    assert (admitted.commands, admitted.retry_after_ms) == (2, [1_000, 2_000, 3_000])
    assert admission.admit("chat", 5).commands == 1, "what the connection refused the site did not count"
    with pytest.raises(Busy) as caught:
        admission.check("chat")
    assert caught.value.retry_after_ms > 0
    assert admission.refused == {"voice": 3, "chat": 5}
    mock_clock.jump(0.3)
    assert admission.admit("chat", 5).commands == 3


@pytest.mark.parametrize("text", [SITE_LIMIT, CONNECTION_LIMIT, CHANNEL_LIMIT])
async def test_what_is_not_admitted_is_busy_and_leaves_no_trace(tmp_path: Path, text: str) -> None:
    async with served(tmp_path, text=text) as (service, address), plugin(address) as voice:
        seq = service.seq
        sent = b"".join(encode_frame(arrive(voice, number)) for number in range(50))
        first = await voice.send(sent, 50)
        acked: list[int] = []
        refused: list[Refusal] = []
        with trio.fail_after(5):
            while len(acked) + len(refused) < 50:
                for frame in await voice.incoming():
                    if isinstance(frame, Ack):
                        acked += [result[0] for result in frame.results]
                    elif isinstance(frame, Refusal):
                        refused.append(frame)
        assert acked == list(range(first, first + len(acked)))
        assert len(acked) < 20
        assert {one.code for one in refused} == {"busy"}
        assert all(0 < one.retry_after_ms <= RETRY_MOST_MS for one in refused)
        assert service.overview().contacts.waiting == len(acked)
        assert service.seq == seq + 1
        assert service.admission.refused["voice"] == len(refused)
        # What is in hand goes on: only arrivals are counted.
        channel = voice.welcome.names["channel"]["voice"]
        for contact in range(1, len(acked) + 1):
            await voice.request(Abandon(channel=channel, contact=contact))


async def test_one_channels_limit_is_not_anothers(tmp_path: Path) -> None:
    async with (
        served(tmp_path, text=CHANNEL_LIMIT) as (_, address),
        plugin(address) as voice,
        connect(address, token("plugin", channel="chat"), "chat") as chat,
    ):
        for number in range(10):
            await voice.request(arrive(voice, number))
        arrivals = [encode_frame(arrive(voice, number)) for number in range(10, 30)]
        await voice.send(b"".join(arrivals), len(arrivals))
        assert (await wait_for(voice, Refusal)).code == "busy"
        command = arrive(chat, 1)
        for number in range(30):
            await chat.request(command.__class__(channel=1, key=number.to_bytes(16, "big"), queue=2))


async def test_a_hosted_channels_arrival_is_refused_before_the_store(tmp_path: Path) -> None:
    text = SMALL_SITE.replace("[channels.chat]", "[channels.chat]\narrivals_per_s = 1\narrivals_burst = 2")
    async with served(tmp_path, text=text) as (service, _):
        conversations = service.conversations
        assert conversations is not None
        first, _ = await conversations.arrive("chat", "one", queue="cards")
        await conversations.arrive("chat", "two", queue="cards")
        with pytest.raises(Busy):
            await conversations.arrive("chat", "three", queue="cards")
        assert await conversations.store.by_external_id("chat", "three") is None
        again, _ = await conversations.arrive("chat", "one", queue="cards")
        assert again == first, "a repeat is answered as before"


async def test_an_admin_is_limited_by_the_channel_of_each_arrival(tmp_path: Path) -> None:
    async with (
        served(tmp_path, text=CHANNEL_LIMIT) as (service, address),
        connect(address, token("admin"), "tool") as tool,
        plugin(address) as voice,
    ):
        chat = service.names.id("channel", "chat")
        frames = []
        for number in range(40):
            command = arrive(voice, number)
            frames.append(encode_frame(command))
            frames.append(encode_frame(type(command)(channel=chat, key=command.key, queue=command.queue)))
        await tool.send(b"".join(frames), len(frames))
        answered, refused = 0, set()
        with trio.fail_after(5):
            while answered + len(refused) < len(frames):
                for frame in await tool.incoming():
                    if isinstance(frame, Ack):
                        answered += len(frame.results)
                    elif isinstance(frame, Refusal):
                        refused.add(frame.request_no)
        assert len(refused) >= 25
        assert all(number is not None and number % 2 == 0 for number in refused), "none of chat's"


def test_the_configuration_names_what_is_wrong() -> None:
    text = SMALL_SITE.replace(
        "[gateway]", "[gateway]\narrivals_burst = 5\nconnection_arrivals_per_s = 0\nmax_connections = 0"
    )
    with pytest.raises(ConfigError) as caught:
        read_site(text, Path("/"))
    assert caught.value.errors == [
        "gateway.max_connections: expected 1..1000000, got 0",
        "gateway.arrivals_burst: goes with arrivals_per_s; give that too",
        "gateway.connection_arrivals_per_s: expected 1..1000000, got 0",
    ]
    assert read_site(CHANNEL_LIMIT, Path("/")).channels["voice"].arrivals == Rate(10, 10)
    assert read_site(SITE_LIMIT, Path("/")).gateway.arrivals == Rate(10, 3)

"""The bus: who is cut, and what a return finds."""

from __future__ import annotations

import pytest
import trio

from engine.bus import Bus, ForAgents, ForAll, ForChannel, Item, SlowReader, TooOld
from engine.model import (
    Ack,
    Arrive,
    ChannelConfig,
    Config,
    Configure,
    QueueConfig,
    decode_body,
    encode_frame,
    split_frames,
)
from engine.notices import MessageNotice, TypingNotice
from engine.router import Router
from engine.subscription import EventBatch, Subscription

CONFIG = Config(channels=(ChannelConfig(1), ChannelConfig(2)), queues=(QueueConfig(1),), hash=b"h" * 32)


class Site:
    """A router whose batches go straight to a bus."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.router = Router()
        self.seq = 0
        self.do(encode_frame(Configure(config=CONFIG)))

    def do(self, frames: bytes) -> None:
        self.seq += 1
        self.bus.publish(self.router.apply_batch(self.seq, 1_000 + self.seq, [(0, 0, frames)]))

    def arrive(self, channel: int, count: int = 1) -> None:
        keys = range(self.seq * 1_000, self.seq * 1_000 + count)
        commands = [Arrive(channel=channel, key=key.to_bytes(16, "big"), queue=1) for key in keys]
        self.do(b"".join(encode_frame(command) for command in commands))


def message(seq: int, channel: int = 1, *agents: int) -> MessageNotice:
    return MessageNotice(seq, 1, channel, agents, "agent", 1, 1, 1)


async def seqs(subscription: Subscription) -> list[int | str]:
    """What has come until now."""
    got: list[int | str] = []
    while True:
        with trio.move_on_after(0.01) as scope:
            item = await subscription.receive()
            got.append(item.seq if isinstance(item, EventBatch) else type(item).__name__)
        if scope.cancelled_caught:
            return got


async def test_a_channel_gets_its_own_only() -> None:
    site = Site(Bus())
    one, everything = (Subscription(site.bus.subscribe(scope)) for scope in (ForChannel(1), ForAll()))
    site.arrive(1)
    site.arrive(2)
    assert await seqs(one) == [2]
    assert await seqs(everything) == [2, 3]


async def test_who_is_slow_is_cut_and_can_resume() -> None:
    site = Site(Bus(subscriber_bytes=3_000))
    slow = Subscription(site.bus.subscribe(ForAll()))
    quick = Subscription(site.bus.subscribe(ForAll()))
    site.arrive(1)
    assert await seqs(quick) == [2]
    assert (await slow.receive()).seq == 2
    for _ in range(20):
        site.arrive(1)
        assert await seqs(quick) == [site.seq], "one who is cut harms no other"
    with pytest.raises(SlowReader) as caught:
        await slow.receive()
    assert caught.value.seq == 2
    again = Subscription(site.bus.subscribe(ForAll(), caught.value.seq))
    assert await seqs(again) == list(range(3, site.seq + 1))


async def test_a_resumption_joins_what_happens_now() -> None:
    site = Site(Bus())
    for _ in range(3):
        site.arrive(1)
    late = Subscription(site.bus.subscribe(ForChannel(1), 2))
    site.arrive(1)
    assert await seqs(late) == [3, 4, 5]
    site.arrive(1)
    site.arrive(2)
    assert await seqs(late) == [6]


async def test_beyond_the_ring_it_is_too_old() -> None:
    site = Site(Bus(ring_bytes=2_000))
    for _ in range(30):
        site.arrive(1)
    with pytest.raises(TooOld) as caught:
        site.bus.subscribe(ForAll(), 1)
    oldest = caught.value.oldest
    assert 1 < oldest < site.seq
    assert await seqs(Subscription(site.bus.subscribe(ForAll(), oldest))) == list(
        range(oldest + 1, site.seq + 1)
    )
    with pytest.raises(TooOld):
        site.bus.subscribe(ForAll(), site.seq + 1)


async def test_who_falls_out_of_the_ring_while_catching_up_is_told() -> None:
    site = Site(Bus(ring_bytes=2_000))
    for _ in range(3):
        site.arrive(1)
    late = Subscription(site.bus.subscribe(ForAll(), site.seq - 1))
    for _ in range(30):
        site.arrive(1)
    with pytest.raises(TooOld):
        await late.receive()


async def test_notices_come_in_order_and_can_be_resumed() -> None:
    site = Site(Bus())
    live = Subscription(site.bus.subscribe(ForChannel(1), notices=True))
    deaf = Subscription(site.bus.subscribe(ForChannel(1)))
    site.arrive(1)
    site.bus.notify(message(site.seq))
    site.bus.notify(TypingNotice(1, 1, (), "agent", True))
    site.bus.notify(message(site.seq, channel=2))
    site.arrive(1)
    assert await seqs(live) == [2, "MessageNotice", "TypingNotice", 3]
    assert await seqs(deaf) == [2, 3]
    again = Subscription(site.bus.subscribe(ForChannel(1), 2, notices=True))
    assert await seqs(again) == ["MessageNotice", 3], "typing is of the moment"


async def test_agents_are_told_of_their_contacts() -> None:
    site = Site(Bus())
    desk = site.bus.subscribe(ForAgents(()), notices=True)
    site.bus.notify(message(1, 1, 7))
    desk.attach([7])
    site.bus.notify(message(1, 1, 7))
    desk.detach([7])
    site.bus.notify(message(1, 1, 7))
    assert await seqs(Subscription(desk)) == ["MessageNotice"]


async def test_own_frames_keep_their_place_while_catching_up() -> None:
    site = Site(Bus())
    site.arrive(1)
    late = site.bus.subscribe(ForAll(), 1)
    said: list[str] = []
    late.on_live = lambda: (said.append("live"), late.push_frame(b"state"))[0]
    late.push_frame(b"welcome")
    assert [item.body for item in await late.receive()] == [b"welcome"]
    items = await late.receive()
    assert [item.seq for item in items[:1]] == [2]
    assert items[-1].body == b"state"
    assert said == ["live"]


def test_a_closed_subscription_costs_nothing() -> None:
    site = Site(Bus())
    subscriber = site.bus.subscribe(ForAll())
    subscriber.close()
    subscriber.close()
    site.arrive(1)
    assert not subscriber.waiting


async def test_who_waits_is_sent_to_at_once_and_what_is_left_over_comes_in_order() -> None:
    """The socket takes some bytes of the second batch and none of the third."""
    site = Site(Bus())
    subscriber = site.bus.subscribe(ForAll())
    sent: list[bytes] = []
    room = [10_000, 30]

    def send_now(data: bytes) -> bytes | None:
        take = room.pop(0)
        sent.append(data[:take])
        return data[take:] or None

    subscriber.send_now = send_now
    got: list[Item] = []

    async def receive() -> None:
        while True:
            got.extend(await subscriber.receive())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(receive)
        await trio.testing.wait_all_tasks_blocked()
        site.arrive(1)
        await trio.testing.wait_all_tasks_blocked()
        assert not got
        assert subscriber.seq == 2, "what was sent need not be resumed"
        site.arrive(1)
        site.arrive(1)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert not room, "while something is queued nothing overtakes it"
    assert [item.seq for item in got] == [3, 4]
    whole = b"".join([*sent, *(item.body for item in got if isinstance(item.body, bytes))])
    fresh = site.bus.subscribe(ForAll(), 1)
    assert whole == b"".join(item.body for item in await fresh.receive() if isinstance(item.body, bytes))


async def test_an_edge_gets_its_answers_and_events_in_one_piece_even_before_it_has_agents() -> None:
    site = Site(Bus())
    subscriber = site.bus.subscribe(ForAgents())
    subscriber.answers(0)
    site.arrive(1)
    (item,) = await subscriber.receive()
    assert isinstance(item.body, bytes)
    assert [type(message) for message in map(decode_body, split_frames(item.body))] == [Ack]
    subscriber.close()
    site.arrive(1)
    assert not subscriber.waiting

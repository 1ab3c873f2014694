"""The bus: events to those whom they concern, bounded; a slow one is cut and can resume by seq."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

import msgspec
import trio

from engine.errors import PaiduiError
from engine.notices import NOTICE_BYTES, MessageNotice, Notice
from engine.router import Batch, Fanout

RING_BYTES = 256 * 1024 * 1024
SUBSCRIBER_BYTES = 8 * 1024 * 1024
ENTRY_BYTES = 200
"""What a ring entry or a queued item costs beside its bytes."""


class SlowReader(PaiduiError):
    """The subscriber did not keep up and was cut; it can resume behind `seq`."""

    def __init__(self, seq: int) -> None:
        super().__init__(f"more than {SUBSCRIBER_BYTES} bytes were waiting; resume behind seq {seq}")
        self.seq = seq


class TooOld(PaiduiError):
    """What lies behind the wanted seq is not at hand any more, or not yet; `oldest` can be asked for."""

    def __init__(self, wanted: int, oldest: int, newest: int) -> None:
        super().__init__(
            f"resume_seq: expected {oldest}..{newest}, got {wanted}; take a fresh view of the state"
        )
        self.oldest = oldest


class ForChannel(NamedTuple):
    """Subscribe to a channel's contacts."""

    channel: int


class ForAgents(NamedTuple):
    """Subscribe to what concerns these agents; `Subscriber.attach` adds more."""

    agents: Sequence[int] = ()


class ForAll(NamedTuple):
    """Subscribe to everything."""


class ForNotices(NamedTuple):
    """Subscribe to all notices and to no event: an edge follows the journal itself."""


Scope: TypeAlias = ForChannel | ForAgents | ForAll | ForNotices


class Item(msgspec.Struct, frozen=True, gc=False):
    """What a subscriber gets: encoded frames of batch `seq`, or a notice, or own bytes."""

    seq: int
    body: bytes | Notice

    @property
    def cost(self) -> int:
        """Bytes that it counts for."""
        return ENTRY_BYTES + (len(self.body) if isinstance(self.body, bytes) else NOTICE_BYTES)


class _Happened(msgspec.Struct, frozen=True, gc=False):
    """A batch in the ring; without `gc=False` the collector would walk a hundred thousand of them."""

    seq: int
    at: int
    events: bytes


class Bus:
    """The fan-out of events and notices, with a ring of the newest for those who come back.

    Args:
        ring_bytes: how much is kept for resuming.
        subscriber_bytes: how much may wait for one subscriber.

    Attributes:
        cuts: how many subscribers have been cut because they did not keep up.
    """

    def __init__(self, ring_bytes: int = RING_BYTES, subscriber_bytes: int = SUBSCRIBER_BYTES) -> None:
        self.seq = 0
        self.fanout = Fanout()
        self.subscriber_bytes = subscriber_bytes
        self._ring: dict[int, _Happened | MessageNotice] = {}  # numbered without gaps
        self._ring_bytes = 0
        self._ring_limit_bytes = ring_bytes
        self._first = self._next = 0  # the ring's oldest number, and the next one to give
        self._oldest_seq = 0  # everything behind this seq is in the ring
        self._subscribers: dict[int, Subscriber] = {}
        self._next_subscriber = 1
        self.cuts = 0
        self._moved = trio.Event()

    async def beyond(self, seq: int) -> int:
        """Return the newest batch, once there is one behind `seq`."""
        while self.seq <= seq:
            await self._moved.wait()
        return self.seq

    @property
    def subscribers(self) -> int:
        """How many subscriptions there are."""
        return len(self._subscribers)

    def remember(self, seq: int, at: int, events: bytes) -> None:
        """Put a batch into the ring without publishing it (replay)."""
        self.seq = seq
        if events:
            self._keep(_Happened(seq, at, events))
        if self._moved.statistics().tasks_waiting:
            self._moved.set()
            self._moved = trio.Event()

    def begin_behind(self, seq: int) -> None:
        """What happened up to batch `seq` is not at hand (a start from a snapshot)."""
        self.seq = self._oldest_seq = seq

    def publish(self, batch: Batch) -> list[tuple[int, bytes]]:
        """Hand a batch's events to everybody whom they concern, behind the answers to their own commands.

        Returns:
            (source, `ack` frame) of the sources for which no subscriber `answers`.
        """
        self.remember(batch.seq, batch.at, batch.events)
        answers, deliveries = batch.deliver(self.fanout)
        for subscriber, frames in deliveries:
            self._subscribers[subscriber].push(Item(batch.seq, frames))
        return answers

    def notify(self, notice: Notice, *, but: int | None = None) -> None:
        """Hand a notice to everybody whom it concerns; messages can be resumed, typing cannot.

        Args:
            notice: what to tell.
            but: the subscriber from whom it came, who is not told.
        """
        if isinstance(notice, MessageNotice):
            self._keep(notice)
        for subscriber in list(self._subscribers.values()):
            if subscriber.notices and subscriber.id != but and subscriber.concerned_by(notice):
                subscriber.push(Item(self.seq, notice))

    def subscribe(self, scope: Scope, resume_seq: int | None = None, *, notices: bool = False) -> Subscriber:
        """Begin a subscription.

        Args:
            scope: whose events.
            resume_seq: begin behind this batch; None = now.
            notices: messages and typing, too.

        Raises:
            TooOld: `resume_seq` is not in the ring.
        """
        cursor = None
        if resume_seq is not None:
            if not self._oldest_seq <= resume_seq <= self.seq:
                raise TooOld(resume_seq, self._oldest_seq, self.seq)
            numbers = range(self._first, self._next)
            cursor = self._first + bisect_left(numbers, resume_seq, key=lambda number: self._ring[number].seq)
        seq = self.seq if resume_seq is None else resume_seq
        subscriber = Subscriber(self, self._next_subscriber, scope, seq, cursor=cursor, notices=notices)
        self._next_subscriber += 1
        self._subscribers[subscriber.id] = subscriber
        return subscriber

    def forget(self, subscriber: int) -> None:
        """End a subscription; a second call does nothing."""
        if self._subscribers.pop(subscriber, None) is not None:
            self.fanout.unsubscribe(subscriber)

    def ring_from(self, cursor: int) -> Iterator[_Happened | MessageNotice]:
        """Yield the ring's entries from number `cursor` on.

        Raises:
            IndexError: it has left the ring.
        """
        if cursor < self._first:
            raise IndexError(cursor)
        for number in range(cursor, self._next):
            yield self._ring[number]

    def happened(self) -> Iterator[bytes]:
        """Yield the events that are at hand, a batch's as frames, the oldest first."""
        for entry in self.ring_from(self._first):
            if isinstance(entry, _Happened):
                yield entry.events

    def ring_cut(self, wanted: int) -> TooOld:
        """The error for a subscriber whose place has left the ring."""
        return TooOld(wanted, self._oldest_seq, self.seq)

    def _keep(self, entry: _Happened | MessageNotice) -> None:
        self._ring[self._next] = entry
        self._next += 1
        self._ring_bytes += _cost(entry)
        while self._ring_bytes > self._ring_limit_bytes:
            gone = self._ring.pop(self._first)
            self._first += 1
            self._ring_bytes -= _cost(gone)
            # Who resumes behind a message's own seq wants that message, too.
            complete_behind = gone.seq + isinstance(gone, MessageNotice)
            self._oldest_seq = max(self._oldest_seq, complete_behind)


class Subscriber:
    """One subscription's bounded queue. Made by `Bus.subscribe`; close it when done.

    Attributes:
        on_live: called once everything that was resumed has been queued.
        send_now: takes bytes while nothing is queued and `receive` waits, which spares a switch of
            tasks; returns the rest that has to be queued, None when there is none. Must not block.
    """

    def __init__(
        self, bus: Bus, number: int, scope: Scope, seq: int, *, cursor: int | None, notices: bool
    ) -> None:
        self.id = number
        self.notices = notices
        self.seq = seq
        self.on_live: Callable[[], None] | None = None
        self.send_now: Callable[[bytes], bytes | None] | None = None
        self._bus = bus
        self._scope = scope
        self._agents: set[int] = set()
        self._cursor = cursor  # None = live; else the next ring entry to look at
        self._resume_seq = seq
        self._items: deque[Item] = deque()
        self._bytes = 0
        self.cut = trio.Event()
        self._held = cursor is not None and scope == ForAgents(())
        self._filled = trio.Event()
        self._idle = False  # whether `receive` waits
        if isinstance(scope, ForChannel):
            bus.fanout.subscribe_channel(number, scope.channel)
        elif isinstance(scope, ForAll):
            bus.fanout.subscribe_all(number)
        elif isinstance(scope, ForAgents):
            self.attach(scope.agents)

    def attach(self, agents: Sequence[int]) -> None:
        """Add agents to a subscription for agents; the first ones begin a resumption, too."""
        self._agents.update(agents)
        self._bus.fanout.attach_agents(self.id, list(agents))
        if agents:
            self._held = False
            self._filled.set()

    def detach(self, agents: Sequence[int]) -> None:
        """Take agents out again."""
        self._agents.difference_update(agents)
        self._bus.fanout.detach_agents(self.id, list(agents))

    def answers(self, source: int) -> None:
        """Get the acknowledgements of a source's commands, ahead of the same batch's events; once live."""
        if not self.cut.is_set():
            self._bus.fanout.answer(self.id, source)

    def concerned_by(self, notice: Notice) -> bool:
        """Whether a notice is for this subscriber."""
        if isinstance(self._scope, ForChannel):
            return notice.channel == self._scope.channel
        return isinstance(self._scope, ForAll | ForNotices) or not self._agents.isdisjoint(notice.agents)

    @property
    def live(self) -> bool:
        """Whether everything that was resumed has been queued."""
        return self._cursor is None

    @property
    def waiting(self) -> bool:
        """Whether something has come that was not taken yet."""
        return bool(self._items) or self.cut.is_set()

    def push(self, item: Item) -> None:
        """Queue what happened now; who is catching up finds it in the ring."""
        if self._cursor is None:
            self._append(item)

    def push_frame(self, frame: bytes) -> None:
        """Queue bytes of the subscriber's own (an answer), in order with its events."""
        self._append(self._own(frame))

    def push_state(self, frames: Sequence[bytes]) -> None:
        """Queue the state that a return begins with; it is as large as it is, and does not count."""
        self._items.extend(self._own(frame) for frame in frames)
        self._filled.set()

    def _own(self, frame: bytes) -> Item:
        return Item(self._bus.seq if self._cursor is None else self.seq, frame)

    def _append(self, item: Item) -> None:
        """Beyond the limit the subscription is cut."""
        if self.cut.is_set():
            return
        if self._idle and not self._items and self._cursor is None and self.send_now is not None:
            rest = self.send_now(item.body) if isinstance(item.body, bytes) else item.body
            if rest is None:
                self.seq = item.seq
                return
            item = Item(item.seq, rest)
        self._bytes += item.cost
        if self._bytes > self._bus.subscriber_bytes:
            self.cut.set()
            self._bus.cuts += 1
            self.seq = max(self.seq, self._items[0].seq - 1) if self._items else self.seq
            self._items.clear()
            self._bus.forget(self.id)
        else:
            self._items.append(item)
        self._filled.set()

    async def receive(self) -> list[Item]:
        """Return what has come since the last call; wait when it is nothing yet.

        Raises:
            SlowReader: cut; nothing follows.
            TooOld: cut while it was catching up.
        """
        await trio.lowlevel.checkpoint()
        while not self._items:
            if self.cut.is_set():
                raise SlowReader(self.seq)
            if self._cursor is not None and not self._held:
                self._catch_up()
                continue
            self._filled = trio.Event()
            self._idle = True
            try:
                await self._filled.wait()
            finally:
                self._idle = False
        items = list(self._items)
        self._items.clear()
        self._bytes = 0
        self.seq = items[-1].seq
        return items

    def close(self) -> None:
        """End the subscription; a second call does nothing."""
        self._bus.forget(self.id)

    def _catch_up(self) -> None:
        """Queue up to half a queue of the ring's entries; become live at its end."""
        assert self._cursor is not None
        try:
            for entry in self._bus.ring_from(self._cursor):
                if self._bytes > self._bus.subscriber_bytes // 2:
                    return
                self._cursor += 1
                self._queue_entry(entry)
        except IndexError:
            self.close()
            raise self._bus.ring_cut(self.seq) from None
        self._cursor = None
        if self.on_live is not None:
            self.on_live()

    def _queue_entry(self, entry: _Happened | MessageNotice) -> None:
        item = None
        if isinstance(entry, MessageNotice):
            # It may have come just before or after the last batch that was seen: once too often.
            if self.notices and entry.seq >= self._resume_seq and self.concerned_by(entry):
                item = Item(entry.seq, entry)
        elif entry.seq > self._resume_seq:
            frame = self._bus.fanout.route_blob(self.id, entry.seq, entry.at, entry.events)
            item = Item(entry.seq, frame) if frame is not None else None
        if item is not None:
            self._items.append(item)
            self._bytes += item.cost


def _cost(entry: _Happened | MessageNotice) -> int:
    return ENTRY_BYTES + (len(entry.events) if isinstance(entry, _Happened) else NOTICE_BYTES)

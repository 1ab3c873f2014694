"""The service: the one task that owns the router, and the facade through which all others reach it.

Whatever waits becomes a batch: it is stamped once, appended to the journal in the writer's thread
while the next batch gathers, and only after the commit applied, answered and published. A batch is
told while the next one commits. What was
acknowledged is therefore durable. The first journal error ends the process: nothing is retried.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from time import perf_counter
from typing import NamedTuple

import msgspec
import structlog
import trio

from engine.admission import Admission
from engine.bus import Bus
from engine.channel_health import hosted
from engine.clock import Clock, SystemClock, not_before
from engine.config import SiteConfig
from engine.config_compile import compile_config, refusal_text
from engine.conversations import Conversations, check_same_moment
from engine.errors import Busy, ConfigError, Malformed, Refused, refusal
from engine.facade import Facade
from engine.gateway_limits import Doors
from engine.inbox import Pace, Part
from engine.journal import (
    STATE_HASH_EVERY,
    Appending,
    Journal,
    JournalWriter,
    Limits,
    NewBatch,
    SqliteJournal,
    events_hash,
)
from engine.leases import Leases
from engine.lifecycle import Pulse
from engine.message_store import MessageStore
from engine.metrics import Meter, Moments, service_levels
from engine.model import Ack, Command, Configure, Restarted, encode_frame
from engine.names import Names
from engine.opening import Notes, Opening
from engine.outside import Outside, asks_outside
from engine.replay import Replayed, replay
from engine.router import Batch, Intake
from engine.taking_in import IN_PROCESS, TakingIn

SECRET_BYTES = 32
ITS_OWN = 2**32 - 1
"""The request number of what the service itself journals at the start."""

_ack_decoder = msgspec.msgpack.Decoder(Ack)
_log = structlog.get_logger(__name__)


class Service(TakingIn, Facade):
    """The running engine. Made by `open_service`.

    Attributes:
        site: the configuration file's content.
        names: name <-> number of everything that is configured.
        bus: events and notices.
        clock: the one clock.
        conversations: messages and arrivals with a store behind them; None without a store.
        outside: strategies from outside; None where no queue has one.
        config_errors: why the configuration file is not in force; empty when it is.
        pace: when connections read.
        by_hand: what supervisors have opened and closed.
        admission: how many arrivals a second come in.
        doors: the gateway's connections, and how many were turned away.
        pulse: shows that the one task gets on.
        hosted: hosted channel -> how it is.
        leases: who is at agents' desks and behind channels.
    """

    by_hand: Notes

    def __init__(
        self, site: SiteConfig, clock: Clock, writer: JournalWriter, state: Replayed, bus: Bus
    ) -> None:
        TakingIn.__init__(self, self._answered)
        self.site = site
        self.clock = clock
        self.bus = bus
        self.names = Names.decode(state.router.names())
        self.config_errors: list[str] = []
        self.conversations: Conversations | None = None
        self.by_hand = Notes(site.data)
        self.outside: Outside | None = None
        self.pulse = Pulse()
        self.hosted = hosted(site)
        self._leases = Leases(self)
        self._router = state.router
        self._writer = writer
        self._seq = state.seq
        self._last_at_us = state.at_us
        self._time = not_before(clock, state.at_us)  # the core's; hours follow the clock that people see
        self._events_hash = state.events_hash
        self.admission = Admission(site)
        self.doors = Doors(site.gateway.max_connections, site.gateway.max_from_address)
        self.pace = Pace()
        self._scanner = Intake("admin")
        self._waiting: dict[int, _Answer] = {}

    # ----- what everybody may do --------------------------------------------------------------

    async def command(self, command: Command) -> int:
        """Carry out one command; it is durable when this returns.

        Returns:
            The contact's id for `Arrive`, else 0.

        Raises:
            Refused: the core's own refusal; nothing changed.
            Malformed: a field is out of its range; the text names it.
            Busy: too much is waiting; not taken.
        """
        frame = encode_frame(command)
        runs, refusals, _, fatal = self._scanner.feed(frame)
        if refusals or fatal is not None or not runs:
            raise Malformed(refusals[0][2] if refusals else fatal or "not a command")
        request_no = runs[0][0]
        part = Part(IN_PROCESS, request_no, frame, 1, perf_counter())
        if not self._inbox.has_room(part.cost, arrivals=False):
            raise Busy(self.retry_after_ms)
        answer = self._waiting[request_no] = _Answer()
        self._inbox.put(part, urgent=True)
        try:
            await answer.ready.wait()
        finally:
            self._waiting.pop(request_no, None)
        if answer.code:
            raise refusal(answer.code, answer.value)
        return answer.value

    @property
    def leases(self) -> Leases:
        """Who is at agents' desks and behind channels."""
        return self._leases

    @property
    def journal_open(self) -> bool:
        """Whether the journal takes batches."""
        return self._writer.is_open

    def behind_us(self) -> int:
        """For how long a deadline has been due, in µs; 0 with an empty inbox and none due."""
        deadline_us = self._router.next_deadline()
        overdue_us = 0 if deadline_us is None else self._time.now_us() - deadline_us
        return max(overdue_us, 1 if self._inbox else 0)

    # ----- the one task -----------------------------------------------------------------------

    async def run(self) -> None:
        """Commit batches until cancelled."""
        while True:
            if not self._inbox:
                self.pulse.rest()
                await self._time.wait(self._inbox.filled, self._router.next_deadline())
            self.pulse.turn()
            batch = self._begin_next()
            if batch is None:
                await trio.lowlevel.checkpoint()
            while batch is not None:
                applied = await self._apply(batch)
                await self.pace.let_read()
                # The next batch commits while this one is told: it needs no more than its events' hash.
                following = self._begin_next()
                self._tell(applied, batch)
                self.pulse.turn()
                batch = following

    async def commit(self, parts: Sequence[Part]) -> None:
        """Make one batch durable, apply it, answer and publish; no part at all lets time pass."""
        batch = self._begin(parts)
        self._tell(await self._apply(batch), batch)

    def _begin_next(self) -> _Committing | None:
        """Begin a batch of what waits, or an empty one when a deadline is due; None = there is neither."""
        deadline_us = self._router.next_deadline()
        due = deadline_us is not None and deadline_us <= self._time.now_us()
        return self._begin(self._inbox.take()) if self._inbox or due else None

    def _begin(self, parts: Sequence[Part]) -> _Committing:
        """Stamp a batch and hand it to the journal; the one before has been applied."""
        taken_s, started_us = perf_counter(), self._time.now_us()
        at_us = max(started_us, self._last_at_us)
        frames = b"".join([part.frames for part in parts])
        with_state = (self._seq + 1) % STATE_HASH_EVERY == 0
        new = NewBatch(
            at_us,
            sum([part.commands for part in parts]),
            frames,
            self._events_hash,
            self._router.state_hash() if with_state else None,
        )
        self.pace.committing = True
        return _Committing(parts, at_us, len(frames), taken_s, started_us, self._writer.begin(new))

    async def _apply(self, batch: _Committing) -> _Applied:
        """Wait until a batch is durable, and apply it."""
        self._seq = await batch.durable.wait()
        durable_s = perf_counter()
        self.pace.committing = False
        self._last_at_us = batch.at_us
        parts = [(part.source, part.first_request_no, part.frames) for part in batch.parts]
        applied = self._router.apply_batch(self._seq, batch.at_us, parts)
        self._events_hash = events_hash(applied.events)
        return _Applied(applied, durable_s, perf_counter())

    def _tell(self, applied: _Applied, batch: _Committing) -> None:
        """Answer and publish."""
        self.answer(self.bus.publish(applied.batch))
        self.settle(batch.parts)
        if self.meter is not None:
            came_s = min([part.came_s for part in batch.parts], default=batch.taken_s)
            moments = Moments(came_s, batch.taken_s, applied.durable_s, applied.applied_s, perf_counter())
            self.meter.batch(moments, self._router, applied.batch, batch.size)
        self._measure(batch.size, self._time.now_us() - batch.started_us)

    async def start(self) -> None:
        """Journal `restarted`, and the configuration if it is another one.

        Raises:
            ConfigError: there is none in force yet, and the file's was refused.
        """
        await self.commit([_part(Restarted())])
        config, names = compile_config(self.site, self.names)
        if config.hash == self._router.config_hash():
            return
        command = Configure(config=config)
        _, refusals, _, fatal = Intake("admin").feed(encode_frame(command))
        errors = [text for _, _, text in refusals] + ([fatal] if fatal else [])
        if not errors:
            try:
                await self._configure(command)
            except Refused as error:
                errors = [refusal_text(error, names)]
        if not errors:
            self.names = names
        elif not self._router.config_hash():
            raise ConfigError(errors)
        else:
            self.config_errors = errors
            _log.error("the configuration file was refused, the old one stays in force", errors=errors)

    async def _configure(self, command: Configure) -> None:
        answer = self._waiting[ITS_OWN] = _Answer()
        await self.commit([_part(command)])
        del self._waiting[ITS_OWN]
        if answer.code:
            raise refusal(answer.code, answer.value)

    def _answered(self, ack: bytes) -> None:
        for request_no, _, code, value in _ack_decoder.decode(memoryview(ack)[4:]).results:
            if (answer := self._waiting.get(request_no)) is not None:
                answer.code, answer.value = code, value
                answer.ready.set()


class _Committing(NamedTuple):
    """A batch on its way to the disk."""

    parts: Sequence[Part]
    at_us: int
    size: int
    taken_s: float
    started_us: int
    durable: Appending


class _Applied(NamedTuple):
    """A batch that has been carried out and not been told yet."""

    batch: Batch
    durable_s: float
    applied_s: float


def _part(command: Command) -> Part:
    return Part(IN_PROCESS, ITS_OWN, encode_frame(command), 1)


class _Answer:
    """What one command in this process waits for."""

    def __init__(self) -> None:
        self.ready = trio.Event()
        self.code = 0
        self.value = 0


@asynccontextmanager
async def open_service(
    site: SiteConfig,
    clock: Clock | None = None,
    *,
    store: MessageStore | None = None,
    secret: bytes | None = None,
    open_writer: Callable[[Callable[[], Journal]], JournalWriter] = JournalWriter,
) -> AsyncIterator[Service]:
    """Run the service: replay the journal, journal the start, serve until the block is left.

    Args:
        site: the configuration; the journal is in `site.data`.
        clock: another clock, for tests.
        store: where conversations are kept; with it go arrivals that a crash has lost.
        secret: the site's key for arrival keys, 32 bytes; needed with a store.
        open_writer: another writer around the journal, for tests.

    Raises:
        JournalError: the journal is damaged or diverges; the text names the batch.
        NotDurable: the journal failed while serving; the block is cancelled.
        ConfigError: there is no usable configuration.
    """
    folder = site.data / "journal"
    kept = site.journal
    limits = Limits(kept.segment_bytes, kept.segment_batches, kept.reserve_bytes, kept.format)
    writer = open_writer(lambda: SqliteJournal(folder, site.name, limits))
    try:
        await writer.start()
        bus = Bus()
        state = await writer.read(lambda journal: replay(journal, bus))
        _log.info("the state is back", seq=state.seq, rows=state.seq - state.began_behind)
        if store is not None:
            await check_same_moment(state.router.next_contact - 1, store)
        service = Service(site, clock or SystemClock(), writer, state, bus)
        outside = service.outside = Outside(service) if asks_outside(site) else None
        service.leases.recall(bus.happened())
        await service.start()
        levels = service_levels(site, service.names, service.router)
        service.meter = Meter(levels, lambda queue: service.names.name("queue", queue))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(service.run)
            opening = Opening(service, service.by_hand)
            await opening.begin()
            nursery.start_soon(opening.run)
            nursery.start_soon(service.leases.run)
            if outside is not None:
                nursery.start_soon(outside.run)
            if store is not None:
                if secret is None or len(secret) < SECRET_BYTES:
                    raise ValueError(f"secret: expected {SECRET_BYTES} bytes or more")
                service.conversations = Conversations(service, store, secret)
                await service.conversations.reconcile()
                nursery.start_soon(service.conversations.keep_closing)
            yield service
            nursery.cancel_scope.cancel()
    finally:
        await writer.close()

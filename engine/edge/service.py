"""The site as an edge sees it: its own copy of the state, and the core's word for every command.

1. State and events come from the journal, as any follower's: the core is not asked, so a page that draws
   ten thousand agents costs it nothing.
2. A command goes to the core; its answer is given once this copy has carried out the batch that it was
   in: everybody reads what he has written.
3. Notices (messages, typing) go through the core to whoever else is concerned.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import structlog
import trio

from engine.admission import Admission
from engine.bus import Bus
from engine.channel_health import Away, hosted
from engine.clock import Clock, SystemClock
from engine.config import SiteConfig
from engine.edge.link import RETRY_MS, Link
from engine.edge.telling import notice_of, told
from engine.errors import Draining
from engine.facade import Facade
from engine.follower import Follower
from engine.lifecycle import BACK_WITHIN_MS, Drain, Pulse
from engine.messages.between import (
    Bell,
    ByHand,
    ChannelAway,
    Heard,
    Holds,
    LeaseOver,
    MessageTold,
    TypingTold,
)
from engine.model import Command, Frame, HoursState, Refusal, Welcome
from engine.names import Names
from engine.notices import Notice

RING_BYTES: Final = 4 * 1024 * 1024
"""What hosted channels resume from; the core keeps more, for those who come from far."""

REST_FACTOR: Final = 4
MOST_REST_S: Final = 0.02
"""A desk hears of an offer so much later at most; without a rush it is a millisecond."""

ROWS_BETWEEN_LOOKS: Final = 64
"""How many batches are carried out at once, before pages have their turn."""

_log = structlog.get_logger(__name__)


class EdgeService(Facade):
    """The facade in an edge. `run` must be running, and `Link.run` with `take`.

    Args:
        site: the configuration that is in force in the core.
        link: to the core.
        follower: of the site's journal, from its newest state.
        clock: another clock, for tests.
    """

    def __init__(self, site: SiteConfig, link: Link, follower: Follower, clock: Clock | None = None) -> None:
        self.site = site
        self.clock = clock or SystemClock()
        self.conversations = None
        self.admission = Admission(site)
        self.drain = Drain()
        self.pulse = Pulse()
        self.hosted = hosted(site)
        self.by_hand = _Notes(link)
        self.names = Names()
        self.bus = self._bus = _EdgeBus(link)
        self._leases = _Leases(link)
        self._link = link
        self._follower = follower
        self._router = follower.router
        self._seq, self._last_at_us = follower.seq, follower.at_us
        self._told_seq = 0
        self._told_at_s = 0.0
        self._rung = trio.Event()
        self._wanted = trio.Event()  # somebody waits for a batch
        self._bell: int | None = None
        self._waiting: deque[tuple[int, trio.Event]] = deque()  # in the order of their batches
        self._early: deque[MessageTold | TypingTold] = deque()  # told of a state that is not seen here yet
        self._known = trio.Event()
        self._remember_tail()

    def _remember_tail(self) -> None:
        behind, tail = self._follower.tail
        self.bus.begin_behind(behind)
        for seq, at, events in tail:
            self.bus.remember(seq, at, events)
        self.bus.remember(self._seq, self._last_at_us, b"")

    @property
    def leases(self) -> _Leases:
        """Who is at agents' desks and behind channels; the core keeps the time."""
        return self._leases

    @property
    def retry_after_ms(self) -> int:
        """When somebody who is refused should ask again."""
        return self.drain.retry_after_ms() if self.drain.begun else RETRY_MS

    def check_intake(self) -> None:
        """Refuse an arrival while the site drains.

        Raises:
            Draining: it takes none in any more.
        """
        if self.drain.begun:
            raise Draining(self.retry_after_ms)

    def behind_us(self) -> int:
        """For how long the core has had batches that this copy has not carried out, in µs; 0 = none."""
        if self._told_seq <= self._seq:
            return 0
        return max(1, int((trio.current_time() - self._told_at_s) * 1_000_000))

    async def command(self, command: Command) -> int:
        """Have the core carry out one command; it is durable, and to be seen here, when this returns.

        Returns:
            The contact's id for `Arrive`, else 0.

        Raises:
            Refused: the core's own refusal; nothing changed.
            Malformed: a field is out of its range; the text names it.
            Busy: too much is waiting; not taken.
        """
        answer = await self._link.request(command)
        await self.followed(answer.seq)
        if answer.error is not None:
            raise answer.error
        return answer.value

    async def followed(self, seq: int) -> None:
        """Return when batch `seq` has been carried out here."""
        if seq <= self._seq:
            return
        done = trio.Event()
        self._waiting.append((seq, done))
        self._wanted.set()
        self._hear_of(seq)
        await done.wait()

    async def up_to_date(self) -> None:
        """Return when everything has been carried out that the core had done when it took this edge in.

        The names are those of the configuration that is in force by then; a later one comes with a new start.
        """
        await self._known.wait()
        await self.followed(self._told_seq)
        self.names = Names.decode(self._router.names())

    # ----- what the core says ---------------------------------------------------------------------

    def take(self, message: Frame) -> None:
        """Take a frame of the core that is no answer."""
        match message:
            case Welcome(seq=seq):
                self._hear_of(seq)
                self._known.set()
            case Bell(seq=seq):
                self._bell = seq
                self._hear_of(seq)
            case MessageTold() | TypingTold():
                self._early.append(message)
                self._hear_of(message.seq)
            case LeaseOver(agent=agent, at=at):
                self._leases.over(agent, at)
            case ChannelAway(channel=channel, since=since, until=until):
                self._leases.gone(channel, Away(since, until))
            case Refusal(code="draining", retry_after_ms=after_ms):
                self.drain.begin(max(0, after_ms - BACK_WITHIN_MS) / 1_000)
            case _:
                _log.error("the core has said what an edge does not know", kind=type(message).__name__)

    def _hear_of(self, seq: int) -> None:
        """There is something to carry out, up to batch `seq` at least."""
        if self._told_seq <= self._seq:
            self._told_at_s = trio.current_time()
        self._told_seq = max(self._told_seq, seq)
        self._rung.set()

    # ----- following ------------------------------------------------------------------------------

    async def run(self) -> None:
        """Follow the journal until cancelled.

        Raises:
            JournalError: it cannot be followed any more; whoever comes back begins with a newer state.
        """
        while True:
            self.pulse.rest()
            await self._rung.wait()
            self._rung = trio.Event()
            self.pulse.turn()
            began_s = trio.current_time()
            await self._carry_out()
            self._pass_notices()
            await self._rest(trio.current_time() - began_s)
            if self._bell is not None:
                self._bell = None
                self._link.send(Heard(seq=self._seq))

    async def _rest(self, worked_s: float) -> None:
        """Let more batches come, unless somebody waits for one.

        In a rush the core needs the processor for decisions, and batches are cheaper many at a time.
        """
        self._wanted = trio.Event()
        if not self._waiting:
            with trio.move_on_after(min(REST_FACTOR * worked_s, MOST_REST_S)):
                await self._wanted.wait()

    async def _carry_out(self) -> None:
        """Carry out what is in the journal now."""
        for number, batch in enumerate(self._follower.poll_state(), 1):
            self._seq, self._last_at_us = batch.seq, batch.at
            self.bus.publish(batch)
            self._pass_notices()
            while self._waiting and self._waiting[0][0] <= self._seq:
                self._waiting.popleft()[1].set()
            if number % ROWS_BETWEEN_LOOKS == 0:
                self.pulse.turn()
                await trio.lowlevel.checkpoint()

    def _pass_notices(self) -> None:
        """Tell the notices whose state is seen here by now."""
        while self._early and self._early[0].seq <= self._seq:
            self._bus.hear(notice_of(self._early.popleft(), self._seq))


class _EdgeBus(Bus):
    """The bus of an edge: what is told here is told to the core, too."""

    def __init__(self, link: Link) -> None:
        super().__init__(RING_BYTES)
        self._link = link

    def notify(self, notice: Notice, *, but: int | None = None) -> None:
        """Hand a notice to everybody whom it concerns, in every process."""
        super().notify(notice, but=but)
        self._link.send(told(notice, self.seq))

    def hear(self, notice: Notice) -> None:
        """Hand on what the core has told."""
        super().notify(notice)


class _Notes:
    """What supervisors have opened and closed: the core writes it down."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def note(self, queue: str, state: HoursState, at_us: int) -> None:
        """Have it remembered."""
        self._link.send(ByHand(queue=queue, state=state, at=at_us))


class _Holds:
    """Numbers for which somebody is there, at this edge."""

    def __init__(self, link: Link, kind: str) -> None:
        self._link = link
        self._kind = kind
        self._holders: Counter[int] = Counter()

    @contextmanager
    def held(self, number: int) -> Iterator[None]:
        """Be there for a number in this block."""
        self._holders[number] += 1
        if self._holders[number] == 1:
            self._tell(number, on=True)
        try:
            yield
        finally:
            self._holders[number] -= 1
            if not self._holders[number]:
                del self._holders[number]
                self._tell(number, on=False)

    def _tell(self, number: int, *, on: bool) -> None:
        agents, channels = ([number], []) if self._kind == "agents" else ([], [number])
        self._link.send(Holds(on=on, agents=agents, channels=channels))


class _Leases:
    """Who is there, as the core is told it."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.agents = _Holds(link, "agents")
        self.channels = _Holds(link, "channels")
        self.lost_at_us: dict[int, int] = {}
        self.away: dict[int, Away] = {}

    def gone(self, channel: int, away: Away) -> None:
        """Note that nobody is behind a channel; since 0 = somebody is again."""
        if away.since_us:
            self.away[channel] = away
        else:
            self.away.pop(channel, None)

    def over(self, agent: int, at_us: int) -> None:
        """Note when an agent's lease was lost; 0 = it is signed in again."""
        if at_us:
            self.lost_at_us[agent] = at_us
        else:
            self.lost_at_us.pop(agent, None)

    def signs_in(self, agent: int) -> None:
        """The agent is back at its desk: what was lost before is no news any more."""
        if self.lost_at_us.pop(agent, None) is not None:
            self._link.send(LeaseOver(agent=agent, at=0))

    def stop(self) -> None:
        """Nothing: the core sees to it when the site stops."""

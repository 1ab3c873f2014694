"""Plays a scenario against a running site over real sockets, open loop.

Open loop: a contact arrives when its time has come, whether or not the site keeps up; every latency
counts from the moment at which the command was meant to be sent. One plugin connection per channel,
a few edge connections that share the agents out, one heap of timers, no task per agent.
"""

import gc
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import trio

from loadtest.crowd import KEY_SALT_BYTES, Crowd
from loadtest.errors import FloodError
from loadtest.ledger import Ledger
from loadtest.link import Address, Link
from loadtest.people import Numbers, Sent
from loadtest.plan import plan_contacts
from loadtest.protocol import Body, Message
from loadtest.returning import Returning, Rows
from loadtest.scenario import Scenario

MAX_EDGES = 16
TICK_S = 0.0005
SIGN_IN_S = 30
DRAIN_S = 20
HOME_S = 10
US = 1_000_000


@dataclass(frozen=True, slots=True)
class Tokens:
    """Hello tokens: one per channel, and one for the edges."""

    channels: Mapping[str, str]
    edge: str


@dataclass(frozen=True, slots=True)
class Progress:
    """What happened in the last second."""

    at_s: float
    arrivals: int
    lifecycles: int
    live: int
    unanswered: int
    freed_offer_p99_ms: float | None


class Watcher(Protocol):
    """Who is told how it goes."""

    def __call__(self, progress: Progress) -> None:
        """Takes one second's progress."""


class LiveSite:
    """The connections to one site: the crowd's outbox, and the loop that drives it."""

    def __init__(
        self, scenario: Scenario, address: Address, tokens: Tokens, *, edges: int, stubborn: bool = False
    ) -> None:
        """Prepares the connections; `run` opens them.

        Args:
            scenario: what is played.
            address: the gateway.
            tokens: the hello tokens.
            edges: how many connections share the agents, 1..16.
            stubborn: the site may go away and come back during the run.
        """
        if not 1 <= edges <= MAX_EDGES:
            raise FloodError(f"--edges: expected 1..{MAX_EDGES}, got {edges}")
        self._scenario = scenario
        self._start_ns = time.monotonic_ns()
        self._crowd: Crowd | None = None
        self._nap: trio.CancelScope | None = None
        self._nap_until_us = 0

        def link(token: str, name: str, hear: Callable[[int, Body], None]) -> Link:
            made = Link(address, token, name, hear, self.now_us, stubborn=stubborn)
            made.after_input = self._settle
            return made

        self.channels = [
            link(tokens.channels[name], f"flood-{name}", self._hear_channel) for name in scenario.channels
        ]
        self.edges = [link(tokens.edge, f"flood-edge-{n}", self._hear_agent) for n in range(edges)]

    @property
    def links(self) -> Sequence[Link]:
        """All connections."""
        return (*self.channels, *self.edges)

    def now_us(self) -> int:
        """Returns the run's time: 0 is when the first contact may arrive."""
        return (time.monotonic_ns() - self._start_ns) // 1_000

    def start_in(self, seconds: float) -> None:
        """Sets the run's time to minus `seconds`."""
        self._start_ns = time.monotonic_ns() + int(seconds * 1e9)

    def to_channel(self, channel: int, message: Message, sent: Sent) -> None:
        """Sends a channel's command; the crowd's outbox."""
        self.channels[channel].send(message, sent)

    def to_agent(self, agent: int, message: Message, sent: Sent) -> None:
        """Sends an agent's command; the crowd's outbox."""
        self.edges[agent % len(self.edges)].send(message, sent)

    def flush(self) -> None:
        """Sends everything that is queued."""
        for link in self.links:
            link.flush()

    def _hear_channel(self, now_us: int, body: Body) -> None:
        if self._crowd is not None:
            self._crowd.hear_channel(now_us, body)

    def _hear_agent(self, now_us: int, body: Body) -> None:
        if self._crowd is not None:
            self._crowd.hear_agent(now_us, body)

    def _settle(self) -> None:
        """Sends the answers to what was just heard; wakes the pacer if it has to be up earlier."""
        self.flush()
        if self._nap is None or self._crowd is None:
            return
        due_us = self._crowd.next_step_us()
        if due_us is not None and due_us < self._nap_until_us:
            self._nap_until_us = due_us
            self._nap.deadline = trio.current_time() + max((due_us - self.now_us()) / US, TICK_S)

    async def connect(self, nursery: trio.Nursery) -> Numbers:
        """Opens every connection; returns the site's numbers of the scenario's names."""
        for link in self.links:
            await nursery.start(link.run)
        welcome = self.channels[0].welcome
        assert welcome is not None
        return find_numbers(welcome.names, self._scenario)

    def seat(self, crowd: Returning, numbers: Numbers) -> None:
        """Lets the crowd use the connections; attaches the agents."""
        self._crowd = crowd
        for link in self.links:
            link.listener = crowd
        for position, link in enumerate(self.channels):
            link.hear_state(partial(_hear_contacts, crowd, position))
        for position, edge in enumerate(self.edges):
            edge.hear_state(crowd.hear_desks)
            edge.attach(numbers.agents[position :: len(self.edges)])

    async def play(self, crowd: Crowd, done: Callable[[int], bool]) -> None:
        """Steps the crowd until `done(now_us)`."""
        while not done(self.now_us()):
            crowd.step(self.now_us())
            self.flush()
            due_us = crowd.next_step_us()
            longest_us = self.now_us() + US // 20
            self._nap_until_us = longest_us if due_us is None else min(due_us, longest_us)
            nap_s = max((self._nap_until_us - self.now_us()) / US, TICK_S)
            with trio.CancelScope(deadline=trio.current_time() + nap_s) as self._nap:
                await trio.sleep_forever()
            self._nap = None

    async def answered(self, within_s: float) -> bool:
        """Waits until every command is acknowledged; says whether it was in time."""
        with trio.move_on_after(within_s):
            while any(link.unanswered for link in self.links):
                self.flush()
                await trio.sleep(0.01)
            return True
        return False


def _hear_contacts(crowd: Returning, channel: int, now_us: int, rows: Rows) -> None:
    crowd.hear_contacts(now_us, channel, rows)


def find_numbers(names: Mapping[str, Mapping[str, int]], scenario: Scenario) -> Numbers:
    """Looks the scenario's names up in a site's.

    Raises:
        FloodError: the site does not have them all.
    """
    return Numbers(
        _find(names, "channel", scenario.channels),
        _find(names, "queue", scenario.queues),
        _find(names, "agent", [name for name, _ in scenario.agent_names()]),
    )


def _find(
    names: Mapping[str, Mapping[str, int]], kind: str, wanted: Sequence[str] | Mapping[str, object]
) -> list[int]:
    known = names.get(kind, {})
    missing = [name for name in wanted if name not in known]
    if missing:
        text = f"the site has no {kind} {', '.join(missing[:5])}"
        raise FloodError(f"{text}; its configuration must hold the scenario's names")
    return [known[name] for name in wanted]


async def flood(
    scenario: Scenario,
    address: Address,
    tokens: Tokens,
    *,
    edges: int,
    watch: Watcher,
    stubborn: bool = False,
    drain_s: float = DRAIN_S,
) -> Ledger:
    """Plays a scenario against a site; returns the books.

    Args:
        scenario: what is played; the warm-up comes before the measured duration.
        address: the gateway.
        tokens: the hello tokens.
        edges: how many connections share the agents.
        watch: is told every second how it goes.
        stubborn: the site may go away and come back.
        drain_s: how long contacts may take to end by themselves after the last arrival.

    Raises:
        FloodError: the site could not be reached, refused a link, or went away.
    """
    try:
        return await _flood(scenario, address, tokens, edges, watch, stubborn, drain_s)
    except BaseExceptionGroup as group:
        # One connection's end ends all: the first plain reason is the one to tell.
        reason = first_of(group)
        if isinstance(reason, FloodError):
            raise reason from None
        raise


def first_of(error: BaseException) -> BaseException:
    """Returns the first plain error of a group."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _flood(
    scenario: Scenario,
    address: Address,
    tokens: Tokens,
    edges: int,
    watch: Watcher,
    stubborn: bool,
    drain_s: float,
) -> Ledger:
    total_us = int((scenario.warmup_s + scenario.duration_s) * US)
    ledger = Ledger(int(scenario.warmup_s * US), total_us)
    site = LiveSite(scenario, address, tokens, edges=edges, stubborn=stubborn)
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        async with trio.open_nursery() as nursery:
            numbers = await site.connect(nursery)
            salt = secrets.token_bytes(KEY_SALT_BYTES)
            contacts = plan_contacts(scenario, total_us / US)
            crowd = Returning(scenario, numbers, site, ledger, salt=salt, contacts=contacts)
            site.seat(crowd, numbers)
            crowd.sign_in(-US)
            if not await site.answered(SIGN_IN_S):
                raise FloodError(f"{scenario.agents} sign-ins were not acknowledged within {SIGN_IN_S} s")
            site.start_in(0.2)
            nursery.start_soon(_watch, site, crowd, watch)
            await site.play(crowd, lambda now_us: now_us >= total_us and not crowd.arriving)
            await _drain(site, crowd, drain_s)
            nursery.cancel_scope.cancel()
    finally:
        gc.enable()
        gc.unfreeze()
    return ledger


async def _drain(site: LiveSite, crowd: Crowd, drain_s: float) -> None:
    """Lets the agents finish; sends home who still waits after a while; signs everybody out."""
    until_us = site.now_us() + int(drain_s * US)
    await site.play(crowd, lambda now_us: not crowd.live or now_us >= until_us)
    crowd.send_everybody_home(site.now_us())
    until_home_us = site.now_us() + int(min(drain_s, HOME_S) * US)
    await site.play(crowd, lambda now_us: not crowd.live or now_us >= until_home_us)
    crowd.sign_out(site.now_us())
    await site.answered(HOME_S)


async def _watch(site: LiveSite, crowd: Crowd, watch: Watcher) -> None:
    ledger = crowd.ledger
    arrivals = lifecycles = 0
    while True:
        await trio.sleep(1)
        p99_us = ledger.freed_offer.percentile(0.99)
        watch(
            Progress(
                site.now_us() / US,
                ledger.counts["arrivals"] - arrivals,
                ledger.counts["lifecycles"] - lifecycles,
                len(crowd.live),
                sum(link.unanswered for link in site.links),
                None if p99_us is None else p99_us / 1_000,
            )
        )
        arrivals, lifecycles = ledger.counts["arrivals"], ledger.counts["lifecycles"]

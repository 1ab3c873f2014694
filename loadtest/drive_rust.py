"""Plays a scenario with the client that is written in Rust: prompt, patient, and hardly there.

The contacts are the scenario's own (`plan_contacts`): channel, queue, time and length of the talk.
Nobody loses patience, thinks, declines or misses; for that there is the crowd in Python. What is left
is the whole life of a contact at rates at which that crowd would be measured rather than the site.
"""

from __future__ import annotations

import secrets
import socket
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import msgspec

from engine.router import CODES, FloodStopped, flood
from loadtest.crowd import KEY_SALT_BYTES
from loadtest.drive_live import DRAIN_S, Progress, Tokens, Watcher, find_numbers
from loadtest.errors import FloodError, InputError
from loadtest.histogram import Histogram
from loadtest.link import ATTACH, ATTACH_AGENTS, HANDSHAKE_S, HELLO, WELCOME, Address
from loadtest.people import Numbers
from loadtest.plan import plan_contacts
from loadtest.report import LATENCIES, Report
from loadtest.scenario import Scenario

ROTATION_S = 5.0
"""How many seconds of its plan a saturation goes round and round with."""

US = 1_000_000
CODE_NAMES = dict(CODES)
COUNTS = ("arrivals", "lifecycles", "busy", "expired", "hurried", "otherwise")
Seen = tuple[int, int, int, int, int, int | None]


@dataclass(frozen=True, slots=True)
class Saturation:
    """As many contacts as the site can take.

    Attributes:
        waiting: how many always wait.
        contacts: arrivals at most.
    """

    waiting: int
    contacts: int


def play_rust(
    scenario: Scenario,
    address: Address,
    tokens: Tokens,
    *,
    edges: int,
    watch: Watcher,
    saturation: Saturation | None = None,
    tick: Callable[[int], None] = lambda at_us: None,
) -> Report:
    """Plays a scenario against a site.

    Args:
        scenario: what is played; the warm-up comes before the measured duration.
        address: the gateway.
        tokens: the hello tokens.
        edges: how many connections share the agents.
        watch: is told every second how it goes.
        saturation: contacts come so that some always wait, rather than each at its time; talks take no time.
        tick: is called four times a second with the run's time in microseconds.

    Returns:
        The results, shaped as `loadtest.report.describe_results`.

    Raises:
        FloodError: the site could not be reached, refused a link, or went away.
        InputError: it speaks TLS.
    """
    if address.tls is not None:
        raise InputError(
            "--tls: the client in Rust speaks plain text only; leave --engine rust and --saturate away"
        )
    numbers = learn_numbers(scenario, address, tokens)
    from_us, until_us = int(scenario.warmup_s * US), int((scenario.warmup_s + scenario.duration_s) * US)
    talk = saturation is None
    singles = [scenario.holds_one(group) for _, group in scenario.agent_names()]
    try:
        books = flood(
            f"{address.host}:{address.port}",
            [
                (_hello(tokens.channels[name], f"flood-{name}"), number)
                for name, number in zip(scenario.channels, numbers.channels, strict=True)
            ],
            [_edge(tokens.edge, position, numbers.agents[position::edges]) for position in range(edges)],
            list(zip(numbers.agents, singles, strict=True)),
            [
                (number, queue.wrap_up_ms > 0)
                for number, queue in zip(numbers.queues, scenario.queues.values(), strict=True)
            ],
            _plan(scenario, ROTATION_S if saturation else until_us / US, talk=talk),
            saturation=None if saturation is None else (saturation.waiting, saturation.contacts),
            wrap_up_us=int(scenario.manner.wrap_up_us) if talk else 0,
            salt=secrets.token_bytes(KEY_SALT_BYTES),
            window_us=(from_us, until_us),
            drain_us=DRAIN_S * US,
            watch=_Seconds(watch, tick),
        )
    except FloodStopped as error:
        raise FloodError(str(error)) from None
    return describe(scenario, books)


def describe(scenario: Scenario, books: dict[str, Any]) -> Report:
    """Returns what came of it, in the shape of `loadtest.report.describe_results`."""
    latency = {name: _histogram(books[name]).summary_ms() for name in LATENCIES}
    answered, arrived = _histogram(books["answered"]), books["arrivals_measured"]
    lost = books["missing"] + books["otherwise"]
    return {
        "window_s": scenario.duration_s,
        "lifecycles": books["lifecycles_measured"],
        "lifecycles_per_s": float(f"{books['lifecycles_measured'] / scenario.duration_s:.5g}"),
        "arrivals_per_s": float(f"{arrived / scenario.duration_s:.5g}"),
        "latency": latency,
        "service": {
            "answered": answered.count,
            "wait_mean_ms": answered.summary_ms()["mean_ms"],
            "wait_p99_ms": answered.summary_ms()["p99_ms"],
            "wait_max_ms": answered.summary_ms()["max_ms"],
            "service_level_20s": round(books["answered_in_time"] / arrived, 4) if answered.count else None,
            "abandoned_share": None,
            "blocked_share": None,
        },
        "counts": {name: books[name] for name in COUNTS},
        "refused": {f"{kind}: {CODE_NAMES[code]}": count for kind, code, count in books["refused"]},
        "conservation": {
            "acknowledged": books["acknowledged"],
            "served": books["served"],
            "abandoned": 0,
            "blocked": books["blocked"],
            "missing": lost,
            "missing_contacts": books["missing_contacts"],
            "ended_twice": books["doubled"],
            "holds": not lost and not books["doubled"],
        },
    }


def learn_numbers(scenario: Scenario, address: Address, tokens: Tokens) -> Numbers:
    """Asks a site, on a connection of its own, for its numbers of the scenario's names."""
    token = tokens.channels[next(iter(scenario.channels))]
    try:
        with socket.create_connection((address.host, address.port), HANDSHAKE_S) as sock:
            sock.sendall(_hello(token, "flood-names"))
            body = _receive_frame(sock)
    except (OSError, EOFError) as error:
        raise FloodError(f"no gateway at {address.host}:{address.port}: {error}") from error
    if body[0] != WELCOME:
        raise FloodError(f"the site refused the link: {' '.join(map(str, body[2:]))}")
    return find_numbers(cast(dict[str, dict[str, int]], body[4]), scenario)


def _receive_frame(sock: socket.socket) -> list[object]:
    data = b""
    while len(data) < 4 or len(data) < 4 + int.from_bytes(data[:4], "big"):
        received = sock.recv(2**20)
        if not received:
            why = "it closed the connection before its welcome; if it has a certificate"
            raise EOFError(f"{why}, only the crowd in Python can play (--engine python --tls)")
        data += received
    return cast(list[object], msgspec.msgpack.decode(data[4 : 4 + int.from_bytes(data[:4], "big")]))


def _frame(message: tuple[object, ...]) -> bytes:
    body = msgspec.msgpack.encode(message)
    return len(body).to_bytes(4, "big") + body


def _hello(token: str, name: str) -> bytes:
    return _frame((HELLO, 1, token, name, None))


def _edge(token: str, position: int, agents: Sequence[int]) -> bytes:
    attach = [
        _frame((ATTACH, 1, agents[start : start + ATTACH_AGENTS]))
        for start in range(0, len(agents), ATTACH_AGENTS)
    ]
    return b"".join([_hello(token, f"flood-edge-{position}"), *attach])


def _plan(scenario: Scenario, seconds: float, *, talk: bool) -> list[array[int]]:
    """The contacts of so many seconds in columns: time, plugin, queue, head start, talk."""
    columns: list[array[int]] = [array("q") for _ in range(5)]
    for one in plan_contacts(scenario, seconds):
        row = (one.at_us, one.channel, one.queue, one.head_start_us, one.talk_us if talk else 0)
        for column, value in zip(columns, row, strict=True):
            column.append(int(value))
    return columns


def _histogram(figures: tuple[list[int], int, int]) -> Histogram:
    counts, total, largest = figures
    return Histogram.from_counts(counts, total, largest)


class _Seconds:
    """Turns what the client shows four times a second into one second's progress."""

    def __init__(self, watch: Watcher, tick: Callable[[int], None]) -> None:
        self._watch = watch
        self._tick = tick
        self._last: Seen = (0, 0, 0, 0, 0, None)

    def __call__(self, seen: Seen) -> None:
        self._tick(seen[0])
        at_us, arrivals, lifecycles, live, unanswered, freed_us = seen
        before_us, arrivals_before, lifecycles_before, *_ = self._last
        if at_us - before_us < US:
            return
        seconds = (at_us - before_us) / US
        self._last = seen
        self._watch(
            Progress(
                at_s=at_us / US,
                arrivals=round((arrivals - arrivals_before) / seconds),
                lifecycles=round((lifecycles - lifecycles_before) / seconds),
                live=live,
                unanswered=unanswered,
                freed_offer_p99_ms=None if freed_us is None else freed_us / 1_000,
            )
        )

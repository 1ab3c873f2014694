"""What a site is watched by: figures in Prometheus' text format, per site or per queue, never per agent.

`Meter` is told each batch and costs a batch a few microseconds, however many commands it holds;
`SiteFigures` reads the router's state when somebody asks.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from importlib import metadata
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from prometheus_client import ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from engine.channel_health import IN_ANOTHER_PROCESS
from engine.config import SiteConfig
from engine.errors import REFUSALS
from engine.gateway_limits import TURNED_AWAY
from engine.journal.contract import RULES_VERSION
from engine.messages.codec import EVENTS
from engine.names import Names
from engine.router import AgentLine, Batch, Figures, Router

if TYPE_CHECKING:
    from engine.channel_health import ChannelHealth
    from engine.service import Service

MICROS: Final = 1_000_000
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

WAIT_MARKS_S: Final = (1.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0)
"""Buckets of every queue's waits; a queue's own service level is one more."""

STAGE_MARKS_S: Final = (
    *(0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005),
    *(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0),
)
STAGES: Final = ("queue", "journal", "apply", "send")
FAMILIES: Final = (
    ("contacts_arrived", "Contacts that arrived.", ""),
    ("contacts_ended", "Contacts that are over, by outcome.", "outcome"),
    ("offers", "Offers made, and how they ended.", "result"),
    ("agents_locked", "Agents locked after too many missed offers.", ""),
)
COUNTED: Final = {
    "Arrived": ("contacts_arrived", ""),
    "AgentLocked": ("agents_locked", ""),
    "Ended": ("contacts_ended", "served"),
    "Abandoned": ("contacts_ended", "abandoned"),
    "Blocked": ("contacts_ended", "blocked"),
    "Withdrawn": ("contacts_ended", "withdrawn"),
    "Overflowed": ("contacts_ended", "overflowed"),
    "OfferMade": ("offers", "made"),
    "OfferAccepted": ("offers", "accepted"),
    "OfferDeclined": ("offers", "declined"),
    "OfferExpired": ("offers", "expired"),
    "OfferWithdrawn": ("offers", "withdrawn"),
}
"""Which events are counted, in which family and under which of its label's values."""

_OF_KIND: Final = {
    number: COUNTED[kind.__name__] for number, kind in EVENTS.items() if kind.__name__ in COUNTED
}
AGENT_STATES: Final = ("signed_out", "locked", "talking", "ringing", "wrap_up", "not_ready", "ready")

_PROCESS = ProcessCollector(registry=None)


Shown: TypeAlias = tuple[list[tuple[str, float]], float]
"""A histogram as a family takes it: (mark, how many at or below)s, and the sum."""


class Moments(NamedTuple):
    """When a batch passed each stage, in seconds of `time.perf_counter`; `came_s` is its oldest part's."""

    came_s: float
    taken_s: float
    durable_s: float
    applied_s: float
    sent_s: float


class Buckets:
    """A histogram: how many values lie at or below each mark, and their sum, in seconds."""

    def __init__(self, marks_s: Sequence[float]) -> None:
        self._marks_s = marks_s
        self._counts = [0] * (len(marks_s) + 1)
        self._sum_s = 0.0

    def add(self, value_s: float) -> None:
        """Count one value."""
        self._counts[bisect_left(self._marks_s, value_s)] += 1
        self._sum_s += value_s

    def shown(self) -> Shown:
        """Return what a family takes."""
        return shown(self._marks_s, self._counts, self._sum_s)


def shown(marks_s: Sequence[float], counts: Sequence[int], sum_s: float) -> Shown:
    """Return (mark, how many at or below)s and the sum."""
    marks = [*map(str, marks_s), "+Inf"]
    return [(mark, float(n)) for mark, n in zip(marks, accumulate(counts), strict=True)], sum_s


class Meter(Collector):
    """Counts what goes through the service's task.

    Plain numbers, made into families only when somebody asks: a batch must not wait for its figures.

    Args:
        service_levels: queue number -> its service level in seconds, 0 = none.
        queue_name: number -> name.
    """

    def __init__(self, service_levels: Mapping[int, float], queue_name: Callable[[int], str]) -> None:
        self._queue_name = queue_name
        self._stages = tuple(Buckets(STAGE_MARKS_S) for _ in STAGES)
        self._wait_marks_s = {
            queue: sorted({*WAIT_MARKS_S, level_s} - {0.0}) for queue, level_s in service_levels.items()
        }
        self._figures = Figures(
            [(queue, [round(mark * MICROS) for mark in marks]) for queue, marks in self._wait_marks_s.items()]
        )
        self._batches = self._commands = self._bytes = 0
        self._refused: dict[str, int] = {}

    def batch(self, moments: Moments, router: Router, batch: Batch, size: int) -> None:
        """Count one batch.

        Args:
            moments: when it passed each stage.
            router: it was applied there, and nothing since.
            batch: what it brought about.
            size: its commands' bytes.
        """
        for stage, (began_s, ended_s) in zip(self._stages, pairwise(moments), strict=True):
            stage.add(ended_s - began_s)
        self._batches += 1
        self._commands += batch.count
        self._bytes += size
        router.count(batch, self._figures)

    def refused(self, code: str, commands: int = 1) -> None:
        """Count what was refused before the journal: `busy`, `draining`."""
        self._refused[code] = self._refused.get(code, 0) + commands

    def collect(self) -> Iterator[Metric]:
        """Yield every family."""
        text = "How long a batch took: waiting in the inbox, journal, router, answers and events."
        stages = ((name, one.shown()) for name, one in zip(STAGES, self._stages, strict=True))
        yield _histogram("decision", text, "stage", stages)
        text = "What contacts waited in their queue until they were engaged."
        yield _histogram("wait", text, "queue", self._waits())
        yield _counter("batches", "Batches that were made durable.", self._batches)
        yield _counter("commands", "Commands that were journaled, refused ones too.", self._commands)
        yield _counter("command_bytes", "Bytes of journaled commands.", self._bytes)
        events = dict(self._figures.events())
        for name, text, label in FAMILIES:
            counts = [(one, events.get(kind, 0)) for kind, (of, one) in _OF_KIND.items() if of == name]
            yield _counters(name, text, label, counts) if label else _counter(name, text, counts[0][1])
        refused = [(REFUSALS[code].name, count) for code, count in self._figures.refusals()]
        text = "Commands that were refused, by code."
        yield _counters("refusals", text, "code", [*refused, *self._refused.items()])

    def _waits(self) -> Iterator[tuple[str, Shown]]:
        for queue, counts, sum_us in self._figures.waits():
            yield self._queue_name(queue), shown(self._wait_marks_s[queue], counts, sum_us / MICROS)


class SiteFigures(Collector):
    """The figures that nobody counts: read from the service when somebody asks.

    Args:
        service: the running service.
        channels: channel -> how it is.

    Attributes:
        edge_is_open: whether the pages are open; set before figures are asked for, as the lag is.
        statistics_lag: batches; None when the statistics do not answer.
    """

    def __init__(self, service: Service, channels: Mapping[str, ChannelHealth]) -> None:
        self._service = service
        self._channels = channels
        self.edge_is_open = False
        self.statistics_lag: int | None = None

    def collect(self) -> Iterator[Metric]:
        """Yield every family."""
        yield from self._of_queues()
        yield from self._of_people()
        yield from self._of_parts()
        yield from self._of_the_site()

    def _of_queues(self) -> Iterator[Metric]:
        service = self._service
        waiting = GaugeMetricFamily(
            "paidui_contacts_waiting", "Contacts that wait or are offered.", labels=["queue"]
        )
        longest = GaugeMetricFamily(
            "paidui_longest_wait_seconds",
            "How long the longest waiting contact has waited.",
            labels=["queue"],
        )
        for line in service.router.overview().queues:
            queue = [service.names.name("queue", line.queue)]
            waiting.add_metric(queue, line.waiting)
            wait_us = service.clock.now_us() - line.oldest_at if line.oldest_at else 0
            longest.add_metric(queue, max(0, wait_us) / MICROS)
        yield waiting
        yield longest

    def _of_people(self) -> Iterator[Metric]:
        overview = self._service.router.overview()
        contacts = GaugeMetricFamily("paidui_contacts", "Live contacts by state.", labels=["state"])
        for state, count in overview.contacts._asdict().items():
            contacts.add_metric([state], count)
        yield contacts
        agents = GaugeMetricFamily("paidui_agents", "Agents by what they do now.", labels=["state"])
        counts = dict.fromkeys(AGENT_STATES, 0)
        for line in overview.agents:
            counts[agent_state(line)] += 1
        for name, count in counts.items():
            agents.add_metric([name], count)
        yield agents

    def _of_parts(self) -> Iterator[Metric]:
        up = GaugeMetricFamily(
            "paidui_channel_open",
            "1 while a hosted channel is open, or a plugin of another process is there.",
            labels=["channel"],
        )
        failures = CounterMetricFamily(
            "paidui_channel_failures", "How often a hosted channel has ended.", labels=["channel"]
        )
        for name, health in self._channels.items():
            up.add_metric([name], health.state == "open")
            failures.add_metric([name], health.failures)
        for channel in self._service.channels_now():
            if channel.name not in self._service.hosted:
                up.add_metric([channel.name], channel.state == "connected")
        yield up
        yield failures
        yield _gauge("edge_up", "1 while the process of the pages is open.", self.edge_is_open)
        yield _gauge(
            "statistics_up", "1 while the statistics process answers.", self.statistics_lag is not None
        )
        if self.statistics_lag is not None:
            yield _gauge(
                "statistics_lag_batches",
                "Batches that statistics are behind the journal.",
                self.statistics_lag,
            )

    def _of_the_site(self) -> Iterator[Metric]:
        service = self._service
        yield _gauge("journal_seq", "The journal's last batch.", service.seq)
        yield _gauge(
            "journal_size_bytes",
            "What the journal's files take.",
            folder_bytes(service.site.data / "journal"),
        )
        yield from _of_doors(service)
        yield _gauge("subscribers", "Who listens to events now.", service.bus.subscribers)
        yield _counter("readers_cut", "Subscribers that did not keep up and were cut.", service.bus.cuts)
        errors = len(service.config_errors)
        yield _gauge("config_errors", "Errors of a configuration file that is not in force.", errors)
        yield _gauge("draining", "1 while the site takes no arrivals in.", service.drain.begun)
        build = InfoMetricFamily("paidui_build", "What is installed.")
        release = metadata.version("paidui")
        written = str(service.site.journal.format)
        build.add_metric([], {"version": release, "journal_format": written, "rules": str(RULES_VERSION)})
        yield build


def _of_doors(service: Service) -> Iterator[Metric]:
    """Who came to the gateway, and what was not let in."""
    doors, refused = service.doors, service.admission.refused
    yield _gauge("connections", "Connections of the gateway now.", doors.connections)
    text = "Connections that the gateway has turned away, by the code of their good-bye."
    turned_away = ((code, doors.turned_away[code]) for code in TURNED_AWAY)
    yield _counters("connections_turned_away", text, "code", turned_away)
    text = "Arrivals over the gateway beyond the rates that are admitted, by channel."
    served = {one.name for one in service.site.channels.values() if one.plugin == IN_ANOTHER_PROCESS}
    counts = ((name or "unknown", refused[name]) for name in sorted(served | refused.keys()))
    yield _counters("arrivals_not_admitted", text, "channel", counts)


def agent_state(line: AgentLine) -> str:
    """What an agent is counted under: the first that applies."""
    for state, applies in (
        ("signed_out", line.presence == 0),
        ("locked", line.locked),
        ("talking", line.engaged or line.connecting or line.joined),
        ("ringing", line.offers),
        ("wrap_up", line.wrap_ups),
        ("not_ready", line.presence == 1),
    ):
        if applies:
            return state
    return "ready"


def folder_bytes(folder: Path) -> int:
    """Return what a folder's files take; one that goes while we look counts for nothing."""
    total = 0
    for file in folder.iterdir():
        with suppress(FileNotFoundError):
            total += file.stat().st_size
    return total


def service_levels(site: SiteConfig, names: Names, router: Router) -> dict[int, float]:
    """Return queue number -> its service level in seconds, 0 = none, of the queues in force."""
    levels = {}
    for line in router.overview().queues:
        section = site.queues.get(names.name("queue", line.queue))
        levels[line.queue] = section.service_level_ms / 1_000 if section is not None else 0.0
    return levels


def exposition(service: Service, figures: SiteFigures) -> bytes:
    """Return all figures in Prometheus' text format."""
    parts = (service.meter, figures, _PROCESS) if service.meter else (figures, _PROCESS)
    return b"".join(generate_latest(part) for part in parts)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"paidui_{name}", text, value=float(value))


def _counter(name: str, text: str, value: int) -> CounterMetricFamily:
    return CounterMetricFamily(f"paidui_{name}", text, value=value)


def _counters(name: str, text: str, label: str, values: Iterable[tuple[str, int]]) -> CounterMetricFamily:
    family = CounterMetricFamily(f"paidui_{name}", text, labels=[label])
    for value, count in values:
        family.add_metric([value], count)
    return family


def _histogram(
    name: str, text: str, label: str, values: Iterable[tuple[str, Shown]]
) -> HistogramMetricFamily:
    family = HistogramMetricFamily(f"paidui_{name}_seconds", text, labels=[label])
    for value, (buckets, sum_s) in values:
        family.add_metric([value], buckets, sum_s)
    return family

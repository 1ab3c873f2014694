"""A load scenario: who is there, what comes in, how long everything takes. Data, chosen by name."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast, get_args

from loadtest.arrivals import BANK_DAY_PER_HOUR, Arrivals, Surge
from loadtest.errors import InputError
from loadtest.handling import Handling, Manner
from loadtest.patience import Distribution, Patience
from loadtest.toml_table import Section

SCENARIOS = Path(__file__).parent / "scenarios"
MAX_AGENTS = 20_000
MAX_RATE_PER_S = 50_000.0
MAX_DURATION_S = 86_400.0
MAX_CONTACTS = 10_000_000
DISTRIBUTIONS = get_args(Distribution)
US = 1_000_000


@dataclass(frozen=True, slots=True)
class ChannelPlan:
    """A channel and its share of the contacts."""

    share: float
    exclusive: bool
    instant: bool


@dataclass(frozen=True, slots=True)
class QueuePlan:
    """A queue and its share of the contacts."""

    share: float
    skills: Mapping[str, int]
    offer_timeout_ms: int
    wrap_up_ms: int
    max_waiting: int | None


@dataclass(frozen=True, slots=True)
class AgentGroup:
    """Some agents who are alike; `exact` = one agent, whose name is the group's."""

    name: str
    count: int
    skills: Mapping[str, int]
    capacity: Mapping[str, int]
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Scenario:
    """Everything that a run needs; durations in seconds unless the name says otherwise."""

    name: str
    title: str
    seed: int
    duration_s: float
    warmup_s: float
    order: str
    miss_limit: int
    retry_after_ms: int
    max_waiting: int | None
    vip_share: float
    vip_head_start_ms: int
    channels: Mapping[str, ChannelPlan]
    queues: Mapping[str, QueuePlan]
    groups: tuple[AgentGroup, ...]
    arrivals: Arrivals
    patience: Patience
    handling: Handling
    occupancy: float | None
    manner: Manner

    @property
    def agents(self) -> int:
        """How many agents there are."""
        return sum(group.count for group in self.groups)

    @property
    def units(self) -> int:
        """How many contacts they can hold together, each agent on the channel where it holds most."""
        return sum(group.count * max(group.capacity.values(), default=0) for group in self.groups)

    def holds_one(self, group: AgentGroup) -> bool:
        """Says whether an agent of a group has at most one contact in hand."""
        shared = [units for name, units in group.capacity.items() if not self.channels[name].exclusive]
        return sum(shared) <= 1

    def agent_names(self) -> list[tuple[str, AgentGroup]]:
        """Lists the agents by name, in the order of their positions."""
        return [
            (group.name if group.exact else f"{group.name}-{n}", group)
            for group in self.groups
            for n in range(1, group.count + 1)
        ]

    def resized(
        self,
        *,
        rate_per_s: float | None = None,
        agents: int | None = None,
        duration_s: float | None = None,
        warmup_s: float | None = None,
        seed: int | None = None,
    ) -> "Scenario":
        """Returns the scenario with another size; the mix stays as it is.

        With `occupancy` in the scenario the talks get shorter or longer, so that the agents are
        as busy as it says at the new size.
        """
        groups = self.groups if agents is None else _scale(self.groups, agents)
        arrivals = self.arrivals if rate_per_s is None else replace(self.arrivals, rate_per_s=rate_per_s)
        resized = replace(
            self,
            groups=groups,
            arrivals=arrivals,
            duration_s=self.duration_s if duration_s is None else duration_s,
            warmup_s=self.warmup_s if warmup_s is None else warmup_s,
            seed=self.seed if seed is None else seed,
        )
        return resized._with_occupancy()

    def _with_occupancy(self) -> "Scenario":
        if self.occupancy is None:
            return self
        hold_us = self.occupancy * self.units / self.arrivals.rate_per_s * US
        talk_us = hold_us - self.manner.think_us - self.manner.wrap_up_us
        if talk_us <= 0:
            text = (
                f"{self.units} units at {self.arrivals.rate_per_s:g}/s and occupancy {self.occupancy:g}"
                f" leave {hold_us / US:.3f} s a contact, less than think time and wrap-up;"
                " take more agents or a lower rate"
            )
            raise InputError(f"scenario {self.name}: handling.occupancy: {text}")
        return replace(self, handling=replace(self.handling, mean_us=talk_us))


def _scale(groups: tuple[AgentGroup, ...], agents: int) -> tuple[AgentGroup, ...]:
    """Shares `agents` out as the groups are now, by largest remainder; nobody who was there vanishes."""
    if not 1 <= agents <= MAX_AGENTS:
        raise InputError(f"--agents: expected 1..{MAX_AGENTS}, got {agents}")
    total = sum(group.count for group in groups)
    exact = [group.count * agents / total for group in groups]
    counts = [int(share) for share in exact]
    by_remainder = sorted(range(len(groups)), key=lambda i: (counts[i] - exact[i], i))
    for index in by_remainder[: agents - sum(counts)]:
        counts[index] += 1
    return tuple(replace(g, count=n) for g, n in zip(groups, counts, strict=True) if n)


def load_scenario(name_or_path: str) -> Scenario:
    """Loads a named scenario, or a file when the argument ends in `.toml`.

    Raises:
        InputError: all faults at once, each with its key.
    """
    path = Path(name_or_path) if name_or_path.endswith(".toml") else SCENARIOS / f"{name_or_path}.toml"
    try:
        with path.open("rb") as file:
            values = tomllib.load(file)
    except FileNotFoundError as error:
        known = ", ".join(sorted(file.stem for file in SCENARIOS.glob("*.toml")))
        raise InputError(f"no scenario {name_or_path!r}; there are {known}, or give a .toml file") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not TOML: {error}") from error
    return parse_scenario(path.stem, values)


def parse_scenario(name: str, values: Mapping[str, object]) -> Scenario:
    """Reads a scenario from its TOML values."""
    errors: list[str] = []
    root = Section("", values, errors)
    duration_s = root.number("duration_s", 0.1, MAX_DURATION_S, None)
    skills = dict.fromkeys(_names(root, "skills"))
    channels = {key: _channel(section) for key, section in root.tables("channels").items()}
    queues = {key: _queue(section, skills) for key, section in root.tables("queues").items()}
    groups = tuple(_group(key, one, skills, channels) for key, one in root.tables("agents").items())
    for key, things in (("channels", channels), ("queues", queues), ("agents", groups)):
        if not things:
            root.fault(key, "expected at least one table")
    routing, vip = root.table("routing"), root.table("vip")
    handling, occupancy = _handling(root.table("handling"))
    scenario = Scenario(
        name=name,
        title=root.text("title", name),
        seed=root.integer("seed", 0, 2**53, 1),
        duration_s=duration_s,
        warmup_s=root.number("warmup_s", 0, MAX_DURATION_S, 0),
        order=routing.word("order", ("longest", "agent_level"), "longest"),
        miss_limit=routing.integer("miss_limit", 0, 1_000, 3),
        retry_after_ms=routing.integer("retry_after_ms", 1, 86_400_000, 5_000),
        max_waiting=_limit(routing),
        vip_share=vip.number("share", 0, 1, 0),
        vip_head_start_ms=vip.integer("head_start_ms", 0, 604_800_000, 0),
        channels=channels,
        queues=queues,
        groups=groups,
        arrivals=_arrivals(root.table("arrivals")),
        patience=_patience(root.table("patience")),
        handling=handling,
        occupancy=occupancy,
        manner=_manner(root.table("manner")),
    )
    for section in (routing, vip, root):
        section.finish()
    if errors:
        raise InputError("\n".join(f"scenario {name}: {error}" for error in errors))
    return scenario._with_occupancy()


def _names(root: Section, key: str) -> list[str]:
    root.asked.add(key)
    value = root.values.get(key, [])
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        root.fault(key, "expected an array of names")
        return []
    return value


def _limit(section: Section) -> int | None:
    if "max_waiting" not in section.values:
        return None
    return section.integer("max_waiting", 0, 2_000_000, None)


def _channel(section: Section) -> ChannelPlan:
    plan = ChannelPlan(
        section.number("share", 0, 1e6, 1.0),
        section.flag("exclusive", default=False),
        section.flag("instant", default=True),
    )
    section.finish()
    return plan


def _queue(section: Section, skills: Mapping[str, object]) -> QueuePlan:
    plan = QueuePlan(
        section.number("share", 0, 1e6, 1.0),
        section.counts("skills", skills, 100),
        section.integer("offer_timeout_ms", 1, 86_400_000, 20_000),
        section.integer("wrap_up_ms", 0, 86_400_000, 5_000),
        _limit(section),
    )
    section.asked.add("max_waiting")
    section.finish()
    return plan


def _group(
    name: str, section: Section, skills: Mapping[str, object], channels: Mapping[str, object]
) -> AgentGroup:
    group = AgentGroup(
        name,
        section.integer("count", 1, MAX_AGENTS, None),
        section.counts("skills", skills, 100),
        section.counts("capacity", channels, 10_000),
    )
    section.finish()
    return group


def _arrivals(section: Section) -> Arrivals:
    shape = section.word("shape", ("constant", "bank_day"), "constant")
    surges = []
    for one in section.list_of_tables("surges"):
        every_s = one.number("every_s", 0, MAX_DURATION_S, 0)
        surges.append(
            Surge(
                one.number("start_s", 0, MAX_DURATION_S, None),
                one.number("duration_s", 0, MAX_DURATION_S, None),
                one.number("factor", 0, 1_000, None),
                every_s or None,
            )
        )
        one.finish()
    arrivals = Arrivals(
        section.number("rate_per_s", 0.001, MAX_RATE_PER_S, None),
        BANK_DAY_PER_HOUR if shape == "bank_day" else (1.0,),
        section.number("day_s", 1, 7 * MAX_DURATION_S, MAX_DURATION_S),
        section.number("day_starts_at", 0, 1, 0),
        tuple(surges),
    )
    section.finish()
    return arrivals


def _shape(section: Section) -> Distribution:
    return cast(Distribution, section.word("shape", DISTRIBUTIONS, "exponential"))


def _patience(section: Section) -> Patience:
    patience = Patience(
        _shape(section),
        section.number("mean_s", 0, MAX_DURATION_S, 60) * US,
        section.number("spread", 0, 10, 1),
        section.number("share", 0, 1, 0),
    )
    section.finish()
    return patience


def _handling(section: Section) -> tuple[Handling, float | None]:
    occupancy = section.number("occupancy", 0, 2, 0) or None
    handling = Handling(
        _shape(section),
        section.number("mean_s", 0, MAX_DURATION_S, 1 if occupancy else None) * US,
        section.number("spread", 0, 10, 1),
        section.number("customer_ends_share", 0, 1, 0),
    )
    section.finish()
    return handling, occupancy


def _manner(section: Section) -> Manner:
    manner = Manner(
        section.number("think_s", 0, 3_600, 0) * US,
        section.number("decline_share", 0, 1, 0),
        section.number("miss_share", 0, 1, 0),
        section.number("wrap_up_s", 0, 3_600, 0) * US,
        section.number("wrap_up_by_deadline_share", 0, 1, 0),
    )
    section.finish()
    return manner

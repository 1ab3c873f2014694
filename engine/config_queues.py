"""The sections of queues: what they ask of agents, and how that is relaxed while a contact waits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from engine.calendars import Calendar
from engine.config_domains import read_domain
from engine.config_outside import read_outside
from engine.config_overflow import read_overflow
from engine.config_table import Table, did_you_mean
from engine.config_types import DomainSection, Named, QueueSection, StepSection, Title
from engine.model import Strategy
from engine.requirement_text import RequirementError, read_requirement
from engine.requirements import MAX_LEVEL, MAX_NEEDS, Need, Requirement

DAY_MS: Final = 86_400_000
WEEK_MS: Final = 7 * DAY_MS
MAX_PRIORITY: Final = 9
MAX_RATIO: Final = 1_000
MAX_RING_LIMIT: Final = 1_000
MAX_STEPS: Final = 8
MAX_WAITING: Final = 2_000_000
"""The core's own bound of live contacts; a higher limit would never be reached."""
OUTBOUND: Final = "outbound"
DIRECTIONS: Final = ("inbound", OUTBOUND)
STRATEGIES: Final = tuple(strategy.name.lower() for strategy in Strategy)


def read_queue(
    table: Table,
    name: str,
    title: Title,
    skills: Mapping[str, Named],
    calendars: Mapping[str, Calendar],
    domains: Mapping[str, DomainSection],
) -> QueueSection:
    """Read one queue; where its steps widen to is checked once all queues are known."""
    required = levels(table, "skills", skills)
    if len(required) > MAX_NEEDS:
        table.error("skills", f"{len(required)} are listed, at most {MAX_NEEDS} can be")
    requires = _requires(table, skills, required)
    rank_skill = table.optional_text("rank_skill")
    if rank_skill is not None and rank_skill not in skills:
        table.error("rank_skill", f'no skill "{rank_skill}"; {did_you_mean(rank_skill, skills)}')
    calendar = table.optional_text("calendar")
    if calendar is not None and calendar not in calendars:
        table.error("calendar", f'no calendar "{calendar}"; {did_you_mean(calendar, calendars)}')
    if calendar is None and "serve_out" in table.values:
        table.error("serve_out", "says nothing where no calendar closes the queue; give it a calendar")
    section = QueueSection(
        name=name,
        title=title,
        was=table.name("was"),
        requires=requires,
        rank_skill=rank_skill or _first_skill(requires),
        offer_timeout_ms=table.integer("offer_timeout_ms", 1, DAY_MS, 20_000),
        wrap_up_ms=table.integer("wrap_up_ms", 0, DAY_MS, 5_000),
        max_waiting=table.optional_integer("max_waiting", 0, MAX_WAITING),
        strategy=table.choice("strategy", STRATEGIES, STRATEGIES[0]),
        ring_limit=table.integer("ring_limit", 1, MAX_RING_LIMIT, 50),
        expected_handle_s=table.integer("expected_handle_s", 1, DAY_MS // 1_000, 180),
        calendar=calendar,
        serve_out=table.boolean("serve_out", default=True),
        max_head_start_s=table.integer("max_head_start_s", 0, WEEK_MS // 1_000, 3_600),
        waive_overtaking=table.optional_text("waive_overtaking"),
        last_agent_wait_s=table.integer("last_agent_wait_s", 0, DAY_MS // 1_000, 0),
        priority=table.integer("priority", 1, MAX_PRIORITY, 5),
        service_level_ms=table.integer("service_level_ms", 0, DAY_MS, 20_000),
        ratio=table.integer("ratio", 1, MAX_RATIO, 100),
        steps=_steps(table, skills),
        overflow=read_overflow(table),
        outbound=table.choice("direction", DIRECTIONS, DIRECTIONS[0]) == OUTBOUND,
        max_in_hand=table.optional_integer("max_in_hand", 1, MAX_WAITING),
        announce_s=table.integer("announce_s", 0, DAY_MS // 1_000, 0),
        domain=read_domain(table, domains),
        outside=read_outside(table),
    )
    table.finish()
    return section


def check_widening(file: Table, queues: Mapping[str, QueueSection]) -> None:
    """Report every step that widens to no queue, or to its own."""
    for name, queue in queues.items():
        for place, step in enumerate(queue.steps):
            path = f"queues.{name}.steps[{place}].widen"
            for other in step.widen:
                if other not in queues:
                    file.error(path, f'no queue "{other}"; {did_you_mean(other, queues)}')
                elif other == name:
                    file.error(path, f'"{other}" is this queue itself; name others')


def levels(table: Table, key: str, skills: Mapping[str, Named]) -> dict[str, int]:
    """Read skill = level."""
    return table.numbers(key, "skill", skills, MAX_LEVEL)


def _requires(table: Table, skills: Mapping[str, Named], required: Mapping[str, int]) -> Requirement:
    text = table.optional_text("requires")
    if text is None:
        return (tuple(Need(skill, False, level) for skill, level in required.items()),) if required else ()
    if "skills" in table.values:
        table.error("requires", "skills says what is required already; leave one of the two out")
    try:
        requires = read_requirement(text)
    except RequirementError as error:
        table.error("requires", str(error))
        return ()
    needs = [need for one in requires for need in one]
    for skill in dict.fromkeys(need.skill for need in needs if need.skill not in skills):
        table.error("requires", f'no skill "{skill}"; {did_you_mean(skill, skills)}')
    for need in needs:
        if not 1 <= need.level <= MAX_LEVEL:
            table.error("requires", f"{need.skill} >= {need.level}: expected a level 1..{MAX_LEVEL}")
    return requires


def _first_skill(requires: Requirement) -> str | None:
    return next((need.skill for needs in requires for need in needs if not need.negated), None)


def _steps(queue: Table, skills: Mapping[str, Named]) -> tuple[StepSection, ...]:
    steps: list[StepSection] = []
    for table in queue.tables("steps", MAX_STEPS):
        after_ms = table.optional_integer("after_ms", 1, DAY_MS)
        if "after_ms" not in table.values:
            table.error("after_ms", "is missing; give an integer")
        if after_ms is not None and steps and after_ms <= steps[-1].after_ms:
            table.error(
                "after_ms", f"expected more than {steps[-1].after_ms}, the step before, got {after_ms}"
            )
        steps.append(
            StepSection(
                after_ms=after_ms or 0,
                drop=table.names("drop", "skill", skills),
                lower=levels(table, "lower", skills),
                widen=table.names("widen"),
                head_start_ms=table.integer("head_start_ms", 0, WEEK_MS, 0),
            )
        )
        table.finish()
    return tuple(steps)

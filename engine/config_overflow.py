"""A queue's overflow rules: when its contacts go elsewhere, and where to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from engine.config_table import Table, did_you_mean
from engine.config_types import OverflowSection, QueueSection, TargetSection
from engine.model import OverflowTo, OverflowWhen

MAX_RULES: Final = 8
DAY_S: Final = 86_400
WHENS: Final = tuple(when.name.lower() for when in OverflowWhen)
THRESHOLDS: Final[dict[str, tuple[str, int]]] = {
    "size": ("contacts", 2_000_000),
    "wait": ("after_s", DAY_S),
    "estimate": ("after_s", DAY_S),
    "no_answer": ("offers", 1_000),
}
"""The key that says from when on a rule holds, and its highest value; the others hold or do not."""
KINDS: Final = {kind.name.lower(): kind for kind in OverflowTo}


def read_overflow(queue: Table) -> tuple[OverflowSection, ...]:
    """Read the rules of one queue; where they lead is checked once all queues are known."""
    rules: list[OverflowSection] = []
    for table in queue.tables("overflow", MAX_RULES):
        rule = _rule(table)
        hidden = next((index for index, one in enumerate(rules) if _hides(one, rule)), None)
        if hidden is not None:
            table.error("when", f"is never reached: overflow[{hidden}] holds before, and a target takes all")
        rules.append(rule)
    return tuple(rules)


def check_overflow(
    file: Table, queues: Mapping[str, QueueSection], targets: Mapping[str, TargetSection]
) -> None:
    """Report every rule that leads to nothing, or to its own queue."""
    for name, queue in queues.items():
        for place, rule in enumerate(queue.overflow):
            path = f"queues.{name}.overflow[{place}].to"
            known: Mapping[str, object] = queues if rule.to_kind is OverflowTo.QUEUE else targets
            kind = rule.to_kind.name.lower()
            if rule.to and rule.to not in known:
                file.error(path, f'no {kind} "{rule.to}"; {did_you_mean(rule.to, known)}')
            elif rule.to_kind is OverflowTo.QUEUE and rule.to == name:
                file.error(path, f'"{rule.to}" is this queue itself; name another, or a target')


def _rule(table: Table) -> OverflowSection:
    when = table.choice("when", WHENS, WHENS[0])
    if "when" not in table.values:
        table.error("when", f"is missing; give one of {', '.join(WHENS)}")
    threshold = _threshold(table, when)
    to_kind, to = _to(table)
    table.finish()
    return OverflowSection(OverflowWhen[when.upper()], threshold, to_kind, to)


def _threshold(table: Table, when: str) -> int:
    key, highest = THRESHOLDS.get(when, ("", 0))
    for other in dict.fromkeys(name for name, _ in THRESHOLDS.values()):
        if other == key:
            continue
        table.known.append(other)
        if other in table.values:
            instead = f"give {key}" if key else "leave it out"
            table.error(other, f'says nothing with when = "{when}"; {instead}')
    if not key:
        return 0
    if key not in table.values:
        table.error(key, f'is missing; when = "{when}" needs it, 1..{highest}')
    return table.integer(key, 1, highest, 1)


def _to(table: Table) -> tuple[OverflowTo, str]:
    text = table.text("to", "")
    if "to" not in table.values:
        table.error("to", 'is missing; give "queue:NAME" or "target:NAME"')
        return OverflowTo.QUEUE, ""
    kind, _, name = text.partition(":")
    if kind not in KINDS or not name:
        if text.strip():
            table.error("to", f'expected "queue:NAME" or "target:NAME", got "{text}"')
        return OverflowTo.QUEUE, ""
    return KINDS[kind], name


def _hides(earlier: OverflowSection, later: OverflowSection) -> bool:
    """Whether the earlier rule leaves nothing to the later one: a queue may be full, a target never is."""
    outside = earlier.to_kind is OverflowTo.TARGET and bool(earlier.to)
    return outside and earlier.when is later.when and earlier.threshold <= later.threshold

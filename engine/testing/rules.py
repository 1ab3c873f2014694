"""The rules that the channel kit certifies, and how a broken one is told to the plugin's author."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

GUIDE: Final = 'docs/en/plugin-guide.md and docs/zh/plugin-guide.md, "The rules"'


@dataclass(frozen=True)
class Rule:
    """What a plugin promises.

    Attributes:
        name: as it stands in the guide.
        text: the promise, for the plugin's author.
        hint: where to look when it is broken.
    """

    name: str
    text: str
    hint: str


_ALL: Final = (
    Rule(
        "opens_contacts",
        "Who asks for help waits in the queue, once the network has its answer.",
        "Call `port.arrive` for each request, and answer your network only after it has returned.",
    ),
    Rule(
        "loses_nothing",
        "Everything that a customer or an agent writes reaches the other side.",
        "Carry out every effect before you ask for the next; answer your network after `port.message`.",
    ),
    Rule(
        "doubles_nothing",
        "A request or a message that is delivered again is one request or message; so is an effect.",
        "Give each the same external id every time; drop an effect whose `effect_id` you have done.",
    ),
    Rule(
        "keeps_order",
        "Words arrive unchanged and in the order in which they were written.",
        "One task for all effects, one after the other; the same for what comes from a customer.",
    ),
    Rule(
        "keeps_customers_apart",
        "Nobody sees what was written to somebody else.",
        "Address by `effect.contact`, never by who wrote last.",
    ),
    Rule(
        "refuses_strangers",
        "A message from somebody who never opened is an error, and makes nothing.",
        "Let `UnknownContact` become an answer to your network.",
    ),
    Rule(
        "tells_leaving",
        "A customer who goes does not stay behind as a ghost, in whatever state the contact is.",
        "Call `port.abandon` when the customer has left.",
    ),
    Rule(
        "tells_the_end",
        "The customer is told that it is over, after everything that was written before.",
        "Carry out `Ended` like every other effect, in its turn.",
    ),
    Rule(
        "shows_true_positions",
        "A position that is shown is the engine's.",
        "Ask `port.position`, or carry out `Announcement`; do not count yourself.",
    ),
    Rule(
        "carries_files",
        "A file that comes with a message reaches the other side once and whole, with its name.",
        "Hand it to `port.message`, read it with `port.attachment`; `capabilities` say how large it may be.",
    ),
    Rule(
        "survives_crashes",
        "After a crash of the plugin everything goes on: the same contacts, nothing lost, nothing doubled.",
        "At the start ask `port.contacts()`; a crash is not the customer's leaving.",
    ),
    Rule(
        "survives_restarts",
        "After a restart of the service everything goes on: the same contacts, and nothing is left mounted.",
        "Keep nothing that matters in memory only; end when you are cancelled.",
    ),
    Rule(
        "survives_cancellation",
        "Cancelled at whichever await and started again, the plugin has lost nothing and doubled nothing.",
        "An effect is finished when you ask for the next: do not ask while one is still in your hands.",
    ),
    Rule(
        "reconnects",
        "When the outside goes away and comes back, the plugin is there again, and nothing is missing.",
        "Connect again, with a growing delay, or let `run` raise: it is started again.",
    ),
    Rule(
        "holds_back",
        "While the outside takes nothing, memory does not grow with what is written to it.",
        "Do not ask for the next effect before the outside has taken this one; the engine keeps the rest.",
    ),
)
RULES: Final = {rule.name: rule for rule in _ALL}

_current: ContextVar[tuple[Rule, str]] = ContextVar("paidui_rule")


class BrokenRule(AssertionError):
    """A plugin breaks a rule of the kit.

    Attributes:
        rule: which one.
        check: the kit's check that has seen it.
        expected: what ought to have been seen.
        seen: what was seen instead.
    """

    def __init__(self, rule: Rule, check: str, expected: object, seen: object) -> None:
        super().__init__(
            f"rule `{rule.name}` is broken: {rule.text}\n"
            f"  check:    {check}\n"
            f"  expected: {_short(expected)}\n"
            f"  seen:     {_short(seen)}\n"
            f"  look at:  {rule.hint}\n"
            f"  guide:    {GUIDE}, `{rule.name}`"
        )
        self.rule = rule
        self.check = check
        self.expected = expected
        self.seen = seen


@contextmanager
def under(name: str, check: str) -> Iterator[None]:
    """What is found wrong in this block breaks that rule, unless something more exact is known."""
    token = _current.set((RULES[name], check))
    try:
        yield
    finally:
        _current.reset(token)


def broken(expected: object, seen: object, rule: str | None = None) -> BrokenRule:
    """Return the error for what was seen, under the rule that is checked or another one."""
    current, check = _current.get((_ALL[0], "outside of a check"))
    return BrokenRule(RULES[rule] if rule else current, check, expected, seen)


def require(is_so: bool, expected: object, seen: object, rule: str | None = None) -> None:
    """Raise `BrokenRule` unless it is so."""
    if not is_so:
        raise broken(expected, seen, rule)


def require_same(what: str, expected: Sequence[str], seen: Sequence[str], rule: str | None = None) -> None:
    """Compare what was written with what arrived, and say which rule a difference breaks.

    Args:
        what: for the author: whose words these are.
        expected: as they were written.
        seen: as they arrived.
        rule: the rule that every difference breaks; None = lost, doubled and reordered are told apart.
    """
    if list(expected) == list(seen):
        return
    lost = list((Counter(expected) - Counter(seen)).elements())
    more = list((Counter(seen) - Counter(expected)).elements())
    foreign = [one for one in more if one not in expected]
    if lost:
        kind, text = "loses_nothing", f"without {lost}"
    elif foreign:
        kind, text = "keeps_customers_apart", f"with {foreign}, which nobody wrote here"
    elif more:
        kind, text = "doubles_nothing", f"with {more} once too often"
    else:
        kind, text = "keeps_order", "in another order"
    raise broken(f"{what}: {_list(expected)}", f"{_list(seen)}, {text}", rule or kind)


def _list(texts: Sequence[str]) -> str:
    return "[" + ", ".join(repr(one if len(one) <= 24 else f"{one[:20]}...") for one in texts) + "]"


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 600 else f"{text[:600]}... ({len(text)} characters)"

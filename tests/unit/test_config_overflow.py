"""Overflow rules and hours of queues in the configuration file: every fault is named."""

from __future__ import annotations

import pytest

from engine.config_compile import compile_config
from engine.config_types import OverflowSection
from engine.model import Overflow, OverflowTo, OverflowWhen
from engine.names import Names
from tests.unit.test_config import MINIMAL, errors_of, read

SITE = MINIMAL + "[targets.voicemail]\n[queues.cards]\n{queue}\n[queues.loans]\n[calendars.hours]\n"


def rules(*texts: str, queue: str = "") -> str:
    listed = "\n".join(f"[[queues.cards.overflow]]\n{text}" for text in texts)
    return SITE.format(queue=f"{queue}\n{listed}")


def test_every_kind_of_rule_is_compiled() -> None:
    site = read(
        rules(
            'when = "size"\ncontacts = 5\nto = "queue:loans"',
            'when = "wait"\nafter_s = 60\nto = "target:voicemail"',
            'when = "estimate"\nafter_s = 90\nto = "queue:loans"',
            'when = "no_agent"\nto = "queue:loans"',
            'when = "closed"\nto = "target:voicemail"',
            'when = "no_answer"\noffers = 2\nto = "queue:loans"',
        )
    )
    assert site.queues["cards"].overflow[1] == OverflowSection(
        OverflowWhen.WAIT, 60, OverflowTo.TARGET, "voicemail"
    )
    config, names = compile_config(site, Names())
    loans, voicemail = names.id("queue", "loans"), names.id("target", "voicemail")
    assert config.queues[0].overflow == (
        Overflow(OverflowWhen.SIZE, 5, OverflowTo.QUEUE, loans),
        Overflow(OverflowWhen.WAIT, 60_000_000, OverflowTo.TARGET, voicemail),
        Overflow(OverflowWhen.ESTIMATE, 90_000_000, OverflowTo.QUEUE, loans),
        Overflow(OverflowWhen.NO_AGENT, 0, OverflowTo.QUEUE, loans),
        Overflow(OverflowWhen.CLOSED, 0, OverflowTo.TARGET, voicemail),
        Overflow(OverflowWhen.NO_ANSWER, 2, OverflowTo.QUEUE, loans),
    )


@pytest.mark.parametrize(
    ("rule", "error"),
    [
        (
            'to = "queue:loans"',
            "when: is missing; give one of size, wait, estimate, no_agent, closed, no_answer",
        ),
        ('when = "soon"\nto = "queue:loans"', 'when: expected "size" or "wait" or "estimate" or '),
        ('when = "wait"\nto = "queue:loans"', 'after_s: is missing; when = "wait" needs it, 1..86400'),
        ('when = "wait"\nafter_s = 0\nto = "queue:loans"', "after_s: expected 1..86400, got 0"),
        ('when = "estimate"\nafter_s = 86401\nto = "queue:loans"', "after_s: expected 1..86400, got 86401"),
        (
            'when = "size"\ncontacts = true\nto = "queue:loans"',
            "contacts: expected an integer, got true or false",
        ),
        ('when = "no_answer"\noffers = 1001\nto = "queue:loans"', "offers: expected 1..1000, got 1001"),
        (
            'when = "size"\nafter_s = 3\ncontacts = 3\nto = "queue:loans"',
            'after_s: says nothing with when = "size"',
        ),
        (
            'when = "closed"\noffers = 3\nto = "queue:loans"',
            'offers: says nothing with when = "closed"; leave it out',
        ),
        ('when = "closed"', 'to: is missing; give "queue:NAME" or "target:NAME"'),
        ('when = "closed"\nto = "loans"', 'to: expected "queue:NAME" or "target:NAME", got "loans"'),
        ('when = "closed"\nto = "queue:"', 'to: expected "queue:NAME" or "target:NAME", got "queue:"'),
        ('when = "closed"\nto = "agent:ann"', 'to: expected "queue:NAME" or "target:NAME", got "agent:ann"'),
        ('when = "closed"\nto = "queue:loan"', 'to: no queue "loan"; did you mean "loans"?'),
        ('when = "closed"\nto = "target:voice"', 'to: no target "voice"; did you mean "voicemail"?'),
        (
            'when = "closed"\nto = "queue:cards"',
            'to: "cards" is this queue itself; name another, or a target',
        ),
        ('when = "closed"\nto = "queue:loans"\nuntil = 3', "until: unknown key; known: when, "),
    ],
)
def test_every_fault_is_named(rule: str, error: str) -> None:
    found = errors_of(rules(rule))
    assert any(one.startswith(f"queues.cards.overflow[0].{error}") for one in found), found


def test_one_fault_is_one_error() -> None:
    assert len(errors_of(rules('when = "wait"\nafter_s = 0\nto = "queue:loan"'))) == 2


def test_a_rule_that_a_target_leaves_nothing_is_an_error() -> None:
    earlier, later = 'when = "wait"\nafter_s = 60\nto = "target:voicemail"', 'when = "wait"\nafter_s = 90\n'
    (error,) = errors_of(rules(earlier, later + 'to = "queue:loans"'))
    assert error.startswith("queues.cards.overflow[1].when: is never reached: overflow[0] holds before")
    read(rules(later + 'to = "queue:loans"', earlier))
    read(rules(earlier.replace("target:voicemail", "queue:loans"), later + 'to = "target:voicemail"'))


def test_at_most_eight_rules() -> None:
    errors = errors_of(rules(*['when = "no_agent"\nto = "queue:loans"'] * 9))
    assert errors == ["queues.cards.overflow: 9 are listed, at most 8 can be"]


def test_serve_out_needs_a_calendar() -> None:
    assert read(SITE.format(queue='calendar = "hours"')).queues["cards"].serve_out
    assert not read(SITE.format(queue='calendar = "hours"\nserve_out = false')).queues["cards"].serve_out
    (error,) = errors_of(SITE.format(queue="serve_out = true"))
    assert error == (
        "queues.cards.serve_out: says nothing where no calendar closes the queue; give it a calendar"
    )


def test_a_target_has_options_and_no_secrets() -> None:
    site = read(MINIMAL + "[targets.box]\n[targets.box.options]\nlanguage = 'zh'\nminutes = 3\n")
    assert site.targets["box"].options == {"language": "zh", "minutes": 3}
    (error,) = errors_of(MINIMAL + "[targets.box]\noptions = { api_key = 'x' }\n")
    assert error.startswith("targets.box.options.api_key: secrets do not stand in this file")

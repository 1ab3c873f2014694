"""Every explanation, number by number, against the oracle's own idea of who may serve whom."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from engine.explain import SCHEDULED
from engine.explain_texts import CONDITIONS
from engine.model import OfferMade
from engine.router import Router
from tests.oracle.config import NO_LIMIT, Need, QueueState, Requirement
from tests.oracle.eligibility import relaxed
from tests.oracle.oracle import Oracle
from tests.oracle.state import Agent, Contact, State
from tests.unit.explain_storm import storm, tell

STEPS, PAIRS = 250, 6


def by_the_oracle(oracle: Oracle, contact: Contact, agent: Agent) -> dict[str, list[tuple[object, ...]]]:
    """The conditions as the oracle sees them: predicate -> (holds, numbers...)."""
    hours, queue = oracle.hours_of(contact.queue), oracle.queues[contact.queue]
    in_hand = list(oracle.in_hand(agent))
    units = agent.units.get(contact.channel, 0)
    exclusive, direct = oracle.exclusive(contact.channel), oracle.direct(contact, agent)
    held = 0 if exclusive else sum(weight for channel, weight in in_hand if channel == contact.channel)
    blocking = sum(weight for channel, weight in in_hand if oracle.exclusive(channel))
    state = SCHEDULED if contact.state is State.SCHEDULED else int(contact.state)
    told: dict[str, list[tuple[object, ...]]] = {
        "queue_open": [(hours is not QueueState.CLOSED, str(contact.queue), int(hours))],
        "waiting": [(contact.state is State.WAITING, str(contact.agent or ""), state)],
        "ready": [(agent.presence == 2, int(agent.presence))],
        "staying": [(not agent.signing_out,)],
        "unlocked": [(not agent.locked, agent.misses)],
        "not_attempted": [(agent.id not in contact.attempted, contact.retry_at or 0)],
        "capacity": [(direct or held + contact.weight <= units, units, held + contact.weight, held)],
    }
    if queue.max_in_hand != NO_LIMIT:
        taken = oracle.queue_in_hand(contact.queue)
        told["pace"] = [(taken < queue.max_in_hand, str(contact.queue), taken, queue.max_in_hand)]
    if agent.domain != queue.domain:
        opened = oracle.may_use(agent.domain, contact.queue)
        told["domain"] = [(opened, str(contact.queue), agent.domain, queue.domain)]
    steps = oracle.applied_steps(contact)
    widened = sorted({other for step in steps for other in step.widen})
    of_queues = [relaxed(oracle.queues[other].requires, steps) for other in (contact.queue, *widened)]
    for name, asked in (("queue", of_queues), ("contact", [relaxed(contact.demand.requires, steps)])):
        for need in nearest(asked, agent):
            has = agent.levels.get(need.skill, 0)
            row = ((has >= need.level) != need.negated, str(need.skill), has, need.level)
            told.setdefault(f"{name}{'_not' * need.negated}_skill", []).append(row)
    if contact.choice:
        told["choosing"] = [(False, oracle.choices[contact.choice].deadline)]
    if kept_for := oracle.kept_for(agent):
        told["not_reserved"] = [(kept_for == contact.id, kept_for)]
    if contact.demand.excludes:
        told["not_excluded"] = [(agent.id not in contact.demand.excludes,)]
    if contact.preferred_until is not None:
        told["preferred"] = [(agent.id in contact.demand.preferred, contact.preferred_until)]
    if agent.stealth:
        everybody = oracle.agents.values()
        humans = [
            one for one in everybody if one.signed_in() and not one.stealth and oracle.suits(contact, one)
        ]
        told["no_human"] = [(not humans, str(humans[0].id) if humans else "")]
    if exclusive:
        ringing = [one for one in agent.contacts.values() if one.state is State.OFFERED]
        fixed = [(one.channel, -one.weight) for one in ringing]
        has = sum(units for channel, units in (*in_hand, *fixed) if not oracle.interruptible(channel))
        told["empty_hands"] = [(direct or has == 0, has, sum(units for _, units in in_hand))]
        told["no_offer"] = [(direct or not ringing, len(ringing))]
    else:
        told["nothing_exclusive"] = [(direct or blocking == 0, blocking)]
    return {name: rows for name, rows in told.items() if rows}


def nearest(asked: list[Requirement], agent: Agent) -> tuple[Need, ...]:
    """The alternative of which the fewest needs fail, the first of equals."""
    if () in asked:
        return ()

    def fail(needs: tuple[Need, ...]) -> int:
        return sum((agent.levels.get(need.skill, 0) >= need.level) == need.negated for need in needs)

    return min((needs for requires in asked for needs in requires), key=fail)


FIELDS = {
    "queue_open": ("holds", "subject", "has"),
    "pace": ("holds", "subject", "has", "needs"),
    "domain": ("holds", "subject", "has", "needs"),
    "waiting": ("holds", "subject", "has"),
    "queue_skill": ("holds", "subject", "has", "needs"),
    "queue_not_skill": ("holds", "subject", "has", "needs"),
    "contact_skill": ("holds", "subject", "has", "needs"),
    "contact_not_skill": ("holds", "subject", "has", "needs"),
    "not_excluded": ("holds",),
    "no_human": ("holds", "subject"),
    "capacity": ("holds", "has", "needs", "held"),
    "staying": ("holds",),
    "empty_hands": ("holds", "has", "held"),
}


def compare(oracle: Oracle, router: Router, contact: Contact, agent: Agent) -> list[str]:
    told = tell(router, contact.id, agent.id)
    rows: dict[str, list[tuple[object, ...]]] = {}
    for reason in told.reasons:
        fields = FIELDS.get(reason.predicate, ("holds", "has"))
        rows.setdefault(reason.predicate, []).append(tuple(getattr(reason, field) for field in fields))
    assert rows == by_the_oracle(oracle, contact, agent)
    assert told.eligible == oracle.eligible(contact, agent) == (not told.failing)
    return [reason.predicate for reason in told.failing]


@pytest.mark.slow  # thousands of steps, several pairs each
def test_every_condition_is_the_oracles() -> None:
    seen = Counter[str]()
    for seed in range(24):
        random = Random(seed)
        for moment, oracle in storm(seed, STEPS):
            router = moment.router()
            if moment.command is None:
                router.advance(moment.at)
            else:
                router.apply_batch(1, moment.at, [(0, 0, moment.frames())])
            contacts, agents = list(oracle.contacts.values()), list(oracle.agents.values())
            for _ in range(PAIRS if contacts and agents else 0):
                contact, agent = random.choice(contacts), random.choice(agents)
                before = router.state_hash()
                seen.update(compare(oracle, router, contact, agent))
                assert router.state_hash() == before
    assert set(seen) == set(CONDITIONS), seen


@pytest.mark.slow  # dozens of storms
def test_the_moment_of_a_choice() -> None:
    """Right before an offer its pair is eligible and first: of the agents, or of the contacts.

    Whoever is rung at beside the first is neither for certain: it is the contact that rings on.
    """
    chosen = Counter[str]()
    for moment in (moment for seed in range(10, 46) for moment, _ in storm(seed, STEPS)):
        for place, offer in enumerate(moment.offers()):
            before = moment.router().before_offer(moment.at, moment.frames(), offer.offer)
            assert before is not None
            told = tell(before, offer.contact, offer.agent)
            assert told.eligible
            assert before.now == offer.at
            first_agent = told.best[0].agent == told.agent
            rings = offer.contact in [made.contact for made in moment.offers()[:place]]
            beside = rings and told.rank.strategy == "ring_all"
            assert first_agent or told.contacts_ahead == 0 or beside
            assert told.agents_ahead == [one.agent for one in told.best].index(told.agent)
            chosen["agent" if told.candidates > 1 else "contact" if told.rivals else "only"] += 1
    assert min(chosen.values()) > 30, chosen


def test_an_offer_of_another_batch_is_not_found() -> None:
    for moment, _ in storm(1, 60):
        made = [event.offer for event in moment.events if isinstance(event, OfferMade)]
        after = max(made, default=0) + 1000
        assert moment.router().before_offer(moment.at, moment.frames(), after) is None
        assert moment.router().before_offer(moment.at, moment.frames(), 0) is None

"""Every explanation, number by number, against the oracle's own idea of who may serve whom."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from engine.explain_texts import CONDITIONS
from engine.model import OfferMade
from engine.router import Router
from tests.oracle.oracle import Oracle
from tests.oracle.state import Agent, Contact, State
from tests.unit.explain_storm import storm, tell

STEPS, PAIRS = 250, 6


def by_the_oracle(oracle: Oracle, contact: Contact, agent: Agent) -> dict[str, list[tuple[object, ...]]]:
    """The conditions as the oracle sees them: predicate -> (holds, numbers...)."""
    in_hand = list(oracle.in_hand(agent))
    units = agent.units.get(contact.channel, 0)
    exclusive = oracle.exclusive(contact.channel)
    held = 0 if exclusive else sum(weight for channel, weight in in_hand if channel == contact.channel)
    blocking = sum(weight for channel, weight in in_hand if oracle.exclusive(channel))
    told: dict[str, list[tuple[object, ...]]] = {
        "waiting": [(contact.state is State.WAITING, str(contact.agent or ""), int(contact.state))],
        "ready": [(agent.presence == 2, int(agent.presence))],
        "staying": [(not agent.signing_out,)],
        "unlocked": [(not agent.locked, agent.misses)],
        "not_attempted": [(agent.id not in contact.attempted, contact.retry_at or 0)],
        "capacity": [(held + contact.weight <= units, units, held + contact.weight, held)],
    }
    for name, needs in (
        ("queue_skill", oracle.queues[contact.queue].requires),
        ("contact_skill", contact.requires),
    ):
        levels = [(str(one.skill), agent.levels.get(one.skill, 0), one.level) for one in needs]
        told[name] = [(has >= level, skill, has, level) for skill, has, level in levels]
    if exclusive:
        total = sum(weight for _, weight in in_hand)
        told["empty_hands"] = [(total == 0, total)]
    else:
        told["nothing_exclusive"] = [(blocking == 0, blocking)]
    return {name: rows for name, rows in told.items() if rows}


FIELDS = {
    "waiting": ("holds", "subject", "has"),
    "queue_skill": ("holds", "subject", "has", "needs"),
    "contact_skill": ("holds", "subject", "has", "needs"),
    "capacity": ("holds", "has", "needs", "held"),
    "staying": ("holds",),
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
    for seed in range(4):
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


@pytest.mark.slow  # a dozen storms
def test_the_moment_of_a_choice() -> None:
    """Right before an offer its pair is eligible and first: of the agents, or of the contacts."""
    chosen = Counter[str]()
    for moment in (moment for seed in range(10, 22) for moment, _ in storm(seed, STEPS)):
        for offer in moment.offers():
            before = moment.router().before_offer(moment.at, moment.frames(), offer.offer)
            assert before is not None
            told = tell(before, offer.contact, offer.agent)
            assert told.eligible
            assert before.now == offer.at
            first_agent = told.best[0].agent == told.agent
            assert first_agent or told.contacts_ahead == 0
            assert told.agents_ahead == [one.agent for one in told.best].index(told.agent)
            chosen["agent" if told.candidates > 1 else "contact" if told.rivals else "only"] += 1
    assert min(chosen.values()) > 30, chosen


def test_an_offer_of_another_batch_is_not_found() -> None:
    for moment, _ in storm(1, 60):
        made = [event.offer for event in moment.events if isinstance(event, OfferMade)]
        after = max(made, default=0) + 1000
        assert moment.router().before_offer(moment.at, moment.frames(), after) is None
        assert moment.router().before_offer(moment.at, moment.frames(), 0) is None

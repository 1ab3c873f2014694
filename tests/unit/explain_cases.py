"""Cases to explain, drawn from storms by seed: a contact, an agent, an instant, and what is said of them."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from engine.explain import Explained
from engine.model import Event, OfferMade, Order, Restarted, encode_body
from engine.router import Router
from tests.oracle.oracle import Oracle
from tests.unit.explain_storm import WAITING, Moment, configured, is_direct, storm, tell

STEPS = 220


class Case(NamedTuple):
    """An explanation, and the replay in which it has to prove itself; `router` is at the instant."""

    kind: str
    moment: Moment
    told: Explained
    offer: OfferMade | None = None
    several: bool = False
    """There are alternatives, so a fix may meet another one than the one that is told."""
    wished: bool = False
    """Somebody waits for preferred agents, or the agent is a stealth one: being alone changes who may."""

    @property
    def contact(self) -> int:
        return self.told.contact

    @property
    def agent(self) -> int:
        return int(self.told.agent)


def cases(seed: int) -> Iterator[Case]:
    """Yield a few cases of each kind from one storm."""
    random = Random(seed)
    for moment, oracle in storm(seed, STEPS, calm=True):
        waiting = [contact.id for contact in oracle.contacts.values() if contact.state == WAITING]
        agents = list(oracle.agents)
        if waiting and agents and random.random() < 0.04:
            contact, agent = random.choice(waiting), random.choice(agents)
            router = after(moment)
            case = Case("waits", moment, tell(router, contact, agent))
            if is_testable(case, oracle) and not is_due(router):
                yield case._replace(several=several(oracle, contact), wished=wished(oracle, agent))
        offers = moment.offers()
        if len(offers) != 1 or isinstance(moment.command, Restarted):
            continue
        [offer] = offers
        if moment.events[-1] != offer and moment.events[moment.events.index(offer) + 1].at == offer.at:
            # What else fell due in the same instant would be mixed into the replay.
            continue
        before = moment.router().before_offer(moment.at, moment.frames(), offer.offer)
        assert before is not None
        if tell(before, offer.contact, offer.agent).agents_ahead:
            # Several agents became free in one instant, and this one looked first: no rank decided.
            continue
        losers = [one.id for one in configured(before).agents if one.id != offer.agent]
        told = [tell(before, offer.contact, agent) for agent in losers]
        outranked = [one for one in told if one.eligible]
        if told and random.random() < (0.9 if outranked else 0.2):
            case = Case("offered", moment, random.choice(outranked or told), offer)
            if is_testable(case, oracle):
                yield case._replace(several=several(oracle, offer.contact))
        left = [contact for contact in waiting if contact != offer.contact and before.contact(contact)]
        passed = [tell(before, contact, offer.agent) for contact in left]
        passed = [told for told in passed if told.eligible and was_waiting(moment, told.ahead)]
        if passed and random.random() < 0.7 and configured(before).order is not Order.RATIO:
            yield Case("passed over", moment, random.choice(passed), offer)


OTHERS = {"pass_on", "open_up", "finish_one", "open_queue", "sign_contract", "await_choice", "serve_first"}
"""What is not done to the agent, and lets others take the contact, or the agent take others, at once."""


def is_testable(case: Case, oracle: Oracle) -> bool:
    """Tell whether a replay can show it; what it cannot has tests of its own, or is no use to anybody.

    Nobody can take an exclusion back, an agent who is preferred cannot be left alone and stay, a requirement
    that contradicts itself is met by nobody, steps change what is asked while time passes, the time for a
    reply may be over by then, and what opens a queue opens it to all who wait there and to all agents.
    """
    told = case.told
    if case.offer is not None and case.offer in at_the_choice(case).events:
        return False  # it was due at the very time of the step before
    if case.offer is not None and case.offer.at != case.moment.at:
        queue = oracle.queues.get(case.offer.queue)
        if queue is None or queue.steps:
            return False  # a timer made it, and a step may have been due with it
    actions = {fix.action for fix in told.fixes}
    if actions & OTHERS or ("humans_leave" in actions and case.kind != "waits"):
        return False
    if "humans_leave" in actions and oracle.offers:  # they would come back as the others take a break
        return False
    contact = oracle.contacts.get(case.contact)
    if (
        contact is None
        or is_direct(contact)
        or ("ask_again" in actions and (oracle.queues[contact.queue].steps or contact.reply_by))
    ):
        return False
    lowest, beyond = dict[str, int](), dict[str, int]()
    for reason in told.reasons:
        if reason.predicate in {"queue_skill", "contact_skill"}:
            lowest[reason.subject] = max(reason.needs, lowest.get(reason.subject, 0))
        elif reason.predicate in {"queue_not_skill", "contact_not_skill"}:
            beyond[reason.subject] = min(reason.needs, beyond.get(reason.subject, 101))
    return all(lowest.get(skill, 0) < limit for skill, limit in beyond.items())


def is_due(router: Router) -> bool:
    """Tell whether a deadline is due already: who comes back with an old place may be past a step of its
    queue, which fires before whatever comes next, and so before any fix.
    """
    due = router.next_deadline()
    return due is not None and due <= router.now


def several(oracle: Oracle, number: int) -> bool:
    """Tell whether there is more than one way to meet what a contact asks."""
    contact = oracle.contacts[number]
    queue = oracle.queues[contact.queue]
    return max(len(contact.demand.requires), len(queue.requires)) > 1 or bool(queue.steps)


def wished(oracle: Oracle, agent: int) -> bool:
    waiting = any(contact.preferred_until is not None for contact in oracle.contacts.values())
    return waiting or any(one.stealth for one in oracle.agents.values()) or oracle.agents[agent].stealth


def after(moment: Moment) -> Router:
    router = moment.router()
    play(router, moment)
    return router


def play(router: Router, moment: Moment) -> list[Event]:
    if moment.command is None:
        router.advance(moment.at)
    else:
        router.apply_raw(moment.at, encode_body(moment.command))
    return router.events


def was_waiting(moment: Moment, contacts: list[int]) -> bool:
    router = moment.router()
    lines = [router.contact(contact) for contact in contacts]
    return all(line is not None and line.state == WAITING for line in lines)


def at_the_choice(case: Case) -> Router:
    """The router as late as possible before the choice: all that fell due before has happened."""
    moment, offer = case.moment, case.offer
    assert offer is not None
    router = moment.router()
    router.advance(moment.at)
    if any(isinstance(event, OfferMade) and event.offer == offer.offer for event in router.events):
        router = moment.router()
        router.advance(max(router.now, offer.at - 1))
    return router

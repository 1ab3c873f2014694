"""What the service reads off a router, read off the oracle: floor, desks, contacts, in plain tuples."""

from __future__ import annotations

from typing import Any

from tests.oracle.oracle import Oracle
from tests.oracle.state import Contact, Purpose, State

STATES = tuple(State)


def overview(oracle: Oracle) -> tuple[list[Any], list[Any], tuple[int, ...]]:
    """Return (queue, waiting, oldest, hours), agents, and how many contacts stand in each state."""
    queues = []
    for queue in oracle.queues:
        since = [contact.arrived_at for contact in oracle.waiting() if contact.queue == queue]
        hours = int(oracle.hours_of(queue))
        queues.append((queue, len(since), min(since, default=0), hours))
    agents = []
    for agent in oracle.agents.values():
        states = [contact.state for contact in agent.contacts.values()]
        counts = (states.count(State.OFFERED), states.count(State.CONNECTING), states.count(State.ENGAGED))
        flags = (int(agent.presence), agent.reason, agent.signing_out, agent.locked)
        agents.append((agent.id, *flags, *counts, len(agent.wrap_ups), agent.idle_since, len(agent.joined)))
    live = [contact.state for contact in oracle.contacts.values()]
    return queues, agents, tuple(live.count(state) for state in STATES)


def desk(oracle: Oracle, number: int) -> tuple[Any, ...] | None:
    """Return what an agent has in hand, each kind in the order of its numbers."""
    agent = oracle.agents.get(number)
    if agent is None:
        return None
    offers, invitations = [], []
    for offer in oracle.offers_to(agent):
        contact = oracle.contacts[offer.contact]
        what = (offer.id, contact.id, contact.channel, contact.queue)
        if offer.purpose is Purpose.JOIN:
            invitations.append((*what, contact.agent, offer.deadline))
        else:
            offers.append((*what, offer.deadline, contact.enqueued_at))
    contacts = [
        (c.id, c.channel, c.queue, int(c.state), c.deadline, c.arrived_at, *in_hand(c))
        for c in sorted(agent.contacts.values(), key=lambda contact: contact.id)
        if c.state is not State.OFFERED
    ]
    joined = [
        (c.id, c.channel, c.queue, c.agent, since, c.arrived_at)
        for c in sorted(agent.joined.values(), key=lambda contact: contact.id)
        for one, since in c.participants
        if one == number
    ]
    wrap_ups = [(w.contact, w.channel, w.deadline) for w in agent.wrap_ups]
    flags = (int(agent.presence), agent.reason, agent.signing_out, agent.locked)
    lists = (offers, contacts, wrap_ups, invitations, joined)
    return (*flags, agent.misses, agent.idle_since, *lists)


def in_hand(contact: Contact) -> tuple[bool, bool, list[int]]:
    """Return whether it is held, whether it is parked, and who is in it beside who serves it."""
    return contact.held, contact.parked, [one.agent for one in contact.participants]


def contact_line(oracle: Oracle, number: int) -> tuple[Any, ...] | None:
    """Return a live contact's line."""
    contact = oracle.contacts.get(number)
    if contact is None:
        return None
    state = (contact.channel, contact.queue, int(contact.state), contact.agent)
    return (*state, contact.arrived_at, contact.enqueued_at, *in_hand(contact))


def invited(oracle: Oracle, number: int) -> list[tuple[int, int, int]]:
    """Return who has been asked to join a contact: invitation, agent, deadline."""
    contact = oracle.contacts.get(number)
    open_ones = [] if contact is None else oracle.open_offers(contact, Purpose.JOIN)
    return [(offer.id, offer.agent, offer.deadline) for offer in open_ones]


def ended_line(oracle: Oracle, number: int) -> tuple[Any, ...] | None:
    """Return an ended contact's line."""
    ended = oracle.ended.get(number)
    if ended is None:
        return None
    over = (ended.channel, int(ended.outcome), ended.last_agent, ended.ended_at)
    return (*over, ended.enqueued_at, ended.place_used)

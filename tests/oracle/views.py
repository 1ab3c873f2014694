"""What the service reads off a router, read off the oracle: floor, desks, contacts, in plain tuples."""

from __future__ import annotations

from typing import Any

from tests.oracle.oracle import Oracle
from tests.oracle.state import State

STATES = (State.WAITING, State.OFFERED, State.CONNECTING, State.ENGAGED)


def overview(oracle: Oracle) -> tuple[list[Any], list[Any], tuple[int, ...]]:
    """Return (queue, waiting, oldest), agents, and how many contacts stand in each state."""
    queues = []
    for queue in oracle.queues:
        since = [contact.arrived_at for contact in oracle.waiting() if contact.queue == queue]
        queues.append((queue, len(since), min(since, default=0)))
    agents = []
    for agent in oracle.agents.values():
        states = [contact.state for contact in oracle.contacts.values() if contact.agent == agent.id]
        counts = (states.count(State.OFFERED), states.count(State.CONNECTING), states.count(State.ENGAGED))
        flags = (int(agent.presence), agent.reason, agent.signing_out, agent.locked)
        agents.append((agent.id, *flags, *counts, len(agent.wrap_ups), agent.idle_since))
    live = [contact.state for contact in oracle.contacts.values()]
    return queues, agents, tuple(live.count(state) for state in STATES)


def desk(oracle: Oracle, number: int) -> tuple[Any, ...] | None:
    """Return what an agent has in hand: offers, contacts and wrap-ups, each in the order of its numbers."""
    agent = oracle.agents.get(number)
    if agent is None:
        return None
    mine = [contact for contact in oracle.contacts.values() if contact.agent == number]
    offers = [
        (c.offer, c.id, c.channel, c.queue, oracle.offers[c.offer].deadline, c.enqueued_at)
        for c in mine
        if c.state is State.OFFERED
    ]
    contacts = [
        (c.id, c.channel, c.queue, int(c.state), c.deadline, c.arrived_at)
        for c in mine
        if c.state is not State.OFFERED
    ]
    wrap_ups = [(w.contact, w.channel, w.deadline) for w in agent.wrap_ups]
    flags = (int(agent.presence), agent.reason, agent.signing_out, agent.locked)
    return (*flags, agent.misses, agent.idle_since, sorted(offers), contacts, wrap_ups)


def contact_line(oracle: Oracle, number: int) -> tuple[int, ...] | None:
    """Return a live contact's line."""
    contact = oracle.contacts.get(number)
    if contact is None:
        return None
    state = (contact.channel, contact.queue, int(contact.state), contact.agent)
    return (*state, contact.arrived_at, contact.enqueued_at)


def ended_line(oracle: Oracle, number: int) -> tuple[int, ...] | None:
    """Return an ended contact's line."""
    ended = oracle.ended.get(number)
    return None if ended is None else (ended.channel, int(ended.outcome), ended.last_agent, ended.ended_at)

"""Oracles with one planted bug each in contacts that are for an agent beyond its capacity."""

from __future__ import annotations

from collections.abc import Iterator

from tests.oracle import commands as cmd
from tests.oracle.matching import Rank
from tests.oracle.oracle import Oracle
from tests.oracle.state import Agent, Contact, State


class BusyIsBusy(Oracle):
    """Units and exclusive channels are asked of preferred agents, too."""

    def direct(self, contact: Contact, agent: Agent) -> bool:
        return False


class ForGood(Oracle):
    """A preferred agent gets it beyond its capacity when the preference is over, too."""

    def direct(self, contact: Contact, agent: Agent) -> bool:
        return contact.demand.beyond_capacity and agent.id in contact.demand.preferred


class NoRoomIsNeeded(Oracle):
    """Whoever is preferred gets it beyond its capacity, though the contact does not say so."""

    def direct(self, contact: Contact, agent: Agent) -> bool:
        return agent.id in contact.demand.preferred and contact.preferred_until is not None


class OnlyWhereItWorks(Oracle):
    """An agent must at least have the units for the contact, if nothing else were in hand."""

    def could_hold(self, contact: Contact, agent: Agent) -> bool:
        return self.suits(contact, agent)


class ShutByWhatItHolds(Oracle):
    """Something exclusive in hand keeps the contact away."""

    def fits(self, contact: Contact, agent: Agent) -> bool:
        held = [channel for channel, units in self.in_hand(agent) if units > 0]
        return super().fits(contact, agent) and not any(map(self.exclusive, held))


class ExclusiveNeedsEmptyHands(Oracle):
    """An exclusive contact comes to nobody who has something in hand."""

    def fits(self, contact: Contact, agent: Agent) -> bool:
        exclusive = self.exclusive(contact.channel)
        return self.has_room(contact, agent) if exclusive else super().fits(contact, agent)


class OneAtATime(Oracle):
    """An agent at whom something rings is not asked."""

    def fits(self, contact: Contact, agent: Agent) -> bool:
        ringing = any(other.state is State.OFFERED for other in agent.contacts.values())
        room = self.has_room(contact, agent)
        return room or (super().fits(contact, agent) and not ringing)


class SkillsAreNotAsked(Oracle):
    """Whoever is named gets it, whatever the contact requires."""

    def meets(self, contact: Contact, agent: Agent) -> bool:
        return self.direct(contact, agent) or super().meets(contact, agent)


class HoldsNothing(Oracle):
    """What came beyond the capacity takes no units while it is in hand."""

    def in_hand(self, agent: Agent) -> Iterator[tuple[int, int]]:
        direct = {
            number
            for number, one in agent.contacts.items()
            if one.demand.beyond_capacity and agent.id in one.demand.preferred
        }
        kept = agent.contacts
        agent.contacts = {number: one for number, one in kept.items() if number not in direct}
        taken = list(super().in_hand(agent))
        agent.contacts = kept
        yield from (*taken, *((kept[number].channel, 0) for number in direct))


class BeforeAllOthers(Oracle):
    """An agent takes what is for it alone before anything else."""

    def contact_key(self, contact: Contact, agent: Agent) -> Rank:
        return (not self.direct(contact, agent), *super().contact_key(contact, agent))


class ChangeCarriesItOn(Oracle):
    """A contact that a supervisor has changed is still for agents beyond their capacity."""

    def change(self, command: cmd.Change) -> int:
        contact = self.contacts.get(command.contact)
        beyond = contact is not None and contact.demand.beyond_capacity
        value = super().change(command)
        if contact is not None:
            contact.demand = contact.demand._replace(beyond_capacity=beyond)
        return value


class TransferCarriesItOn(Oracle):
    """What was for somebody beyond the capacity is so in the next queue, too."""

    def transfer(self, command: cmd.Transfer) -> int:
        contact = self.contacts.get(command.contact)
        beyond = contact is not None and contact.demand.beyond_capacity and bool(command.preferred)
        return super().transfer(command._replace(beyond_capacity=command.beyond_capacity or beyond))


class HumansGoBeyond(Oracle):
    """A human who could have it only beyond its capacity keeps stealth agents away."""

    def human_there(self, contact: Contact) -> bool:
        return any(
            agent.signed_in() and not agent.stealth and self.could_hold(contact, agent)
            for agent in self.agents.values()
        )


MUTANTS: tuple[type[Oracle], ...] = (
    BusyIsBusy,
    ForGood,
    NoRoomIsNeeded,
    OnlyWhereItWorks,
    ShutByWhatItHolds,
    ExclusiveNeedsEmptyHands,
    OneAtATime,
    SkillsAreNotAsked,
    HoldsNothing,
    ChangeCarriesItOn,
    TransferCarriesItOn,
)
RARE: tuple[type[Oracle], ...] = (BeforeAllOthers, HumansGoBeyond)
"""What a storm does not show for certain; the scenario does."""

"""Planted bugs in what a lost lease does."""

from __future__ import annotations

from tests.oracle import commands as cmd
from tests.oracle import events as ev
from tests.oracle.oracle import Oracle
from tests.oracle.state import Agent, Contact, State


class LeaseLostPutsLast(Oracle):
    """What comes back from an agent who is gone waits from now on."""

    def give_back(self, agent: Agent, contact: Contact) -> None:
        contact.enqueued_at = self.now
        super().give_back(agent, contact)


class LeaseLostEndsCalls(Oracle):
    """A call whose agent has no desk any more goes back to its queue, although they still talk."""

    def needs_a_desk(self, contact: Contact) -> bool:
        return True


class GoneWrapsUp(Oracle):
    """Whoever is gone has its after-contact work for what went back."""

    def give_back(self, agent: Agent, contact: Contact) -> None:
        super().give_back(agent, contact)
        self.wrap_up(agent, contact)


class LeavingKeepsItsContacts(Oracle):
    """An agent who was on the way out keeps what it has, whether somebody is there or not."""

    def lose_lease(self, command: cmd.LeaseLost) -> int:
        if self.known_agent(command.agent).signing_out:
            return 0
        return super().lose_lease(command)


class GoneIsNotAskedAgain(Oracle):
    """An agent who was gone while it was connected counts as having tried."""

    def fail_connecting(self, contact: Contact, by: ev.EndedBy) -> None:
        if by is ev.EndedBy.ENGINE:
            contact.attempted.add(contact.agent)
        super().fail_connecting(contact, by)


class CompanyStaysBehind(Oracle):
    """A contact goes back to its queue although a colleague is in it."""

    def goes_back(self, contact: Contact) -> bool:
        return contact.state is State.ENGAGED

    def give_back(self, agent: Agent, contact: Contact) -> None:
        for one in list(contact.participants):
            self.part(contact, one, ev.EndedBy.ENGINE)
        super().give_back(agent, contact)


class TalkBeforeTheLossIsForgotten(Oracle):
    """Whom an agent has talked to before its lease was lost is not counted."""

    def give_back(self, agent: Agent, contact: Contact) -> None:
        tally = agent.tally
        super().give_back(agent, contact)
        agent.tally = tally


MUTANTS_OF_LEASES: tuple[type[Oracle], ...] = (
    LeaseLostPutsLast,
    LeaseLostEndsCalls,
    GoneWrapsUp,
    LeavingKeepsItsContacts,
    GoneIsNotAskedAgain,
    CompanyStaysBehind,
    TalkBeforeTheLossIsForgotten,
)

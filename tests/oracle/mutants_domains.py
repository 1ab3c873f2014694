"""Oracles with one planted bug each in domains, contracts and the tenant turn."""

from __future__ import annotations

from tests.oracle import commands as cmd
from tests.oracle import events as ev
from tests.oracle.config import Goal, Overflow
from tests.oracle.oracle import Oracle
from tests.oracle.state import Agent, Contact, Offer


class NoContracts(Oracle):
    """A domain uses its own queues alone."""

    def may_use(self, domain: int, queue: int) -> bool:
        return domain == self.queues[queue].domain


class ContractsForAgentsAlone(Oracle):
    """Contacts come into their own domain's queues alone."""

    def check_target(self, queue: int, head_start_us: int, domain: int, *, into: bool = True) -> None:
        contracts, self.contracts = self.contracts, set()
        try:
            super().check_target(queue, head_start_us, domain, into=into)
        finally:
            self.contracts = contracts


class TheSiteIsEverybodys(Oracle):
    """The site's own agents serve every domain."""

    def may_use(self, domain: int, queue: int) -> bool:
        return domain == 0 or super().may_use(domain, queue)


class OverflowCrossesDomains(Oracle):
    """Contacts overflow into whatever queue the rule names."""

    def takes(self, contact: Contact, rule: Overflow) -> bool:
        if rule.to_kind is Goal.TARGET:
            return True
        kept = self.queues[rule.to]
        self.queues[rule.to] = kept._replace(domain=self.queues[contact.queue].domain)
        try:
            return super().takes(contact, rule)
        finally:
            self.queues[rule.to] = kept


class OthersAreThere(Oracle):
    """Agents of other domains are agents to a rule that asks for them, and humans to a bot."""

    def suits(self, contact: Contact, agent: Agent) -> bool:
        domain = agent.domain
        agent.domain = self.queues[contact.queue].domain
        try:
            return super().suits(contact, agent)
        finally:
            agent.domain = domain

    def qualified(self, contact: Contact, agent: Agent) -> bool:
        return self.may_use(agent.domain, contact.queue) and super().qualified(contact, agent)


class EstimatesCountOthers(Oracle):
    """Contacts of other domains stand before one, too, wherever the agent cannot serve them."""

    def able(self, contact: Contact, agent: Agent) -> bool:
        domain = agent.domain
        agent.domain = self.queues[contact.queue].domain
        try:
            return super().able(contact, agent)
        finally:
            agent.domain = domain


class ClosedBeforeDomain(Oracle):
    """A queue that is not open is told before one of another domain."""

    def check_target(self, queue: int, head_start_us: int, domain: int, *, into: bool = True) -> None:
        if queue in self.queues:
            super().check_target(queue, 0, self.queues[queue].domain, into=into)
        super().check_target(queue, head_start_us, domain, into=into)


class GuestsFromAnywhere(Oracle):
    """Whoever is asked may join."""

    def invite(self, command: cmd.Invite) -> int:
        contact, invitee = self.contacts.get(command.contact), self.agents.get(command.invitee)
        if contact is None or invitee is None:
            return super().invite(command)
        domain, invitee.domain = invitee.domain, self.queues[contact.queue].domain
        try:
            return super().invite(command)
        finally:
            invitee.domain = domain


class EverybodyIsShared(Oracle):
    """What every agent is offered counts as a turn of its domain."""

    def shared(self, agent: Agent) -> bool:
        return bool(self.rules.domains)


class SharedBySkill(Oracle):
    """Only who has the skills for queues of several domains is shared."""

    def shared(self, agent: Agent) -> bool:
        served = [queue for queue in self.queues.values() if self.may_use(agent.domain, queue.id)]
        return len({queue.domain for queue in served if self.holds(queue.requires, agent)}) > 1


class DomainsByNumber(Oracle):
    """The domain with the lowest number is served first."""

    def tenant_turn(self, contact: Contact) -> tuple[int, int]:
        domain = self.queues[contact.queue].domain
        return domain, domain


class SharesOfDomainsAreEqual(Oracle):
    """Domains take turns, whatever their shares."""

    def make_offer(self, contact: Contact, agent: Agent) -> Offer:
        shares = self.shares
        self.shares = dict.fromkeys(shares, 100)
        try:
            return super().make_offer(contact, agent)
        finally:
            self.shares = shares


class TurnAfterTheTier(Oracle):
    """The tier goes before the turn of the domains."""

    def tenant_turn(self, contact: Contact) -> tuple[int, int]:
        given, domain = super().tenant_turn(contact)
        return contact.tier * (1 << 64) + given, domain


class TurnsAreSaved(Oracle):
    """A domain that had nobody waiting has all its turns still to come."""

    def enter_domain(self, contact: Contact) -> None:
        pass


class TurnsAreLost(Oracle):
    """A domain that had nobody waiting begins behind all others."""

    def enter_domain(self, contact: Contact) -> None:
        super().enter_domain(contact)
        domain = self.queues[contact.queue].domain
        waiting = [peer for peer in self.waiting() if peer is not contact]
        if waiting and all(self.queues[peer.queue].domain != domain for peer in waiting):
            self.given[domain] = max(self.given.values(), default=0)


class EnteringBeforeLeaving(Oracle):
    """A contact that changes its queue still waits in the old one while it enters the other."""

    def change(self, command: cmd.Change) -> int:
        contact = self.contacts.get(command.contact)
        self._left = self.queues[contact.queue].domain if contact else None
        try:
            return super().change(command)
        finally:
            self._left = None

    _left: int | None = None

    def enter_domain(self, contact: Contact) -> None:
        domain = self.queues[contact.queue].domain
        if self._left is None:
            super().enter_domain(contact)
        elif self._left != domain:
            waiting = {self._left, *(self.queues[one.queue].domain for one in self.waiting())} - {domain}
            if all(self.queues[one.queue].domain != domain for one in self.waiting() if one is not contact):
                least = min(self.given.get(other, 0) for other in waiting)
                self.given[domain] = max(self.given.get(domain, 0), least)


class ReturningIsNoEntering(Oracle):
    """Only who arrives or is passed on enters a domain."""

    def queue_up(self, contact: Contact, cause: ev.QueuedCause) -> None:
        given = dict(self.given)
        super().queue_up(contact, cause)
        if cause in {ev.QueuedCause.OFFER_ENDED, ev.QueuedCause.CONNECT_FAILED}:
            self.given = given


class GivenOutlivesItsDomain(Oracle):
    """A domain that is gone and comes back has had what it has had."""

    def configure(self, command: cmd.Configure) -> int:
        given = dict(self.given)
        value = super().configure(command)
        self.given = given
        return value


class OneTurnAContact(Oracle):
    """A contact that rings at many is one turn."""

    def make_offer(self, contact: Contact, agent: Agent) -> Offer:
        rings = bool(self.open_offers(contact))
        given = dict(self.given)
        offer = super().make_offer(contact, agent)
        if rings:
            self.given = given
        return offer


DOMAIN_MUTANTS: tuple[type[Oracle], ...] = (
    NoContracts,
    ContractsForAgentsAlone,
    TheSiteIsEverybodys,
    OverflowCrossesDomains,
    OthersAreThere,
    EstimatesCountOthers,
    ClosedBeforeDomain,
    GuestsFromAnywhere,
    EverybodyIsShared,
    SharedBySkill,
    DomainsByNumber,
    SharesOfDomainsAreEqual,
    TurnAfterTheTier,
    TurnsAreSaved,
    TurnsAreLost,
    EnteringBeforeLeaving,
    ReturningIsNoEntering,
    GivenOutlivesItsDomain,
    OneTurnAContact,
)

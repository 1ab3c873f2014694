"""Oracles with one planted bug each: a comparison that does not catch them proves nothing."""

from __future__ import annotations

from collections.abc import Iterator

from tests.oracle import commands as cmd
from tests.oracle import events as ev
from tests.oracle.config import Strategy
from tests.oracle.matching import Rank
from tests.oracle.mutants_choices import MUTANTS_OF_CHOICES
from tests.oracle.mutants_domains import DOMAIN_MUTANTS
from tests.oracle.mutants_estimate import ESTIMATE_MUTANTS
from tests.oracle.mutants_in_hand import MUTANTS_IN_HAND
from tests.oracle.mutants_leases import MUTANTS_OF_LEASES
from tests.oracle.mutants_outbound import OUTBOUND_MUTANTS
from tests.oracle.mutants_overflow import OVERFLOW_MUTANTS
from tests.oracle.mutants_reserving import MUTANTS_OF_RESERVING
from tests.oracle.mutants_times import MUTANTS_OF_TIMES
from tests.oracle.oracle import Oracle
from tests.oracle.refusal import Refusal
from tests.oracle.state import WAITING_TIER, Agent, Contact, Offer, Outcome, Presence, State, mix
from tests.oracle.world import Timer


class TiesGoToTheLast(Oracle):
    """Among equals the last agent of the configuration is chosen."""

    def agent_key(self, contact: Contact, agent: Agent) -> Rank:
        *key, position = super().agent_key(contact, agent)
        return (*key, -position)


class IdleTimeBeforeLoad(Oracle):
    """The longest idle agent is chosen even if it is busier."""

    def agent_key(self, contact: Contact, agent: Agent) -> Rank:
        *rank, held, idle_since, position = super().agent_key(contact, agent)
        return (*rank, idle_since, held, position)


class WithdrawnRestartsIdleTime(Oracle):
    """A withdrawn offer restarts the agent's idle time."""

    def withdraw(self, offer: Offer, cause: ev.WithdrawnCause) -> None:
        super().withdraw(offer, cause)
        self.agents[offer.agent].idle_since = self.now


class DeclineIsAMiss(Oracle):
    """A declined offer counts as a miss."""

    def decline(self, command: cmd.Decline) -> int:
        before = len(self.offers)
        value = super().decline(command)
        self.agents[command.agent].misses += len(self.offers) < before
        return value


class TransferLosesItsTier(Oracle):
    """A transferred contact stands behind those who wait."""

    def queue_up(self, contact: Contact, cause: ev.QueuedCause) -> None:
        contact.tier = WAITING_TIER
        super().queue_up(contact, cause)


class ReturnLosesItsPlace(Oracle):
    """A contact that comes back gets a new sequence number."""

    def queue_up(self, contact: Contact, cause: ev.QueuedCause) -> None:
        if cause not in {ev.QueuedCause.ARRIVAL, ev.QueuedCause.TRANSFER}:
            self.take_place(contact)
        super().queue_up(contact, cause)


class RetryIsTakenBack(Oracle):
    """A retry that runs is taken back when somebody else is left again."""

    def retry_pass(self) -> None:
        for contact in self.contacts.values():
            others = (agent for agent in self.agents.values() if agent.id not in contact.attempted)
            if contact.retry_at is not None and any(self.qualified(contact, agent) for agent in others):
                contact.retry_at = None
                self.cancel_timer(Timer.RETRY, contact.id)
        super().retry_pass()


class OnlyTheFirstInLine(Oracle):
    """A freed agent looks at the first waiting contact it is qualified for, and at no other."""

    def best_contact(self, agent: Agent) -> Contact | None:
        able = [c for c in self.waiting() if agent.id not in c.attempted and self.qualified(c, agent)]
        first = min(able, key=lambda contact: self.contact_key(contact, agent), default=None)
        return first if first is not None and self.fits(first, agent) else None


class WrapUpIsNothing(Oracle):
    """A wrap-up holds no units."""

    def in_hand(self, agent: Agent) -> Iterator[tuple[int, int]]:
        for contact in agent.contacts.values():
            yield contact.channel, contact.units()
        for contact in agent.joined.values():
            yield contact.channel, contact.weight


class ExclusiveBesideOffers(Oracle):
    """An exclusive contact is offered to somebody who has another offer open."""

    def has_room(self, contact: Contact, agent: Agent) -> bool:
        ringing = any(other.state is State.OFFERED for other in agent.contacts.values())
        if not (ringing and self.exclusive(contact.channel)):
            return super().has_room(contact, agent)
        held = [channel for channel, units in self.in_hand(agent) if units > 0]
        free = not any(map(self.exclusive, held))
        return free and contact.weight <= agent.units[contact.channel]


class DeadlinesAreLate(Oracle):
    """What is due at this very time does not fire."""

    def take_due(self, at: int) -> tuple[Timer, int, int] | None:
        return super().take_due(at - 1)


class LastSetFiresFirst(Oracle):
    """Of equal deadlines the one that was set last fires first."""

    def set_timer(self, timer: Timer, number: int, deadline: int) -> None:
        super().set_timer(timer, number, deadline)
        self._timers[timer, number] = (deadline, -self._timer_seq)


class SignInUnlocks(Oracle):
    """Signing in lifts a lock."""

    def sign_in(self, command: cmd.SignIn) -> int:
        agent = self.known_agent(command.agent)
        if agent.presence is Presence.SIGNED_OUT:
            agent.locked = False
        return super().sign_in(command)


class ContactsBeforeAgents(Oracle):
    """The contacts that were touched choose before the agents do."""

    def match(self) -> None:
        agents, self.dirty_agents = self.dirty_agents, []
        contacts = set(self.dirty_contacts)
        super().match()
        self.dirty_agents, self.dirty_contacts = agents, contacts
        super().match()


class MatchesWhileDown(Oracle):
    """A restart makes offers at the times of the deadlines that it makes good."""

    def retry_pass(self) -> None:
        super().retry_pass()
        self.match()


class RemembersRefusals(Oracle):
    """A refused command's id is remembered."""

    def apply(self, at: int, command: cmd.Command) -> int:
        try:
            return super().apply(at, command)
        except Refusal:
            command_id: bytes | None = getattr(command, "command_id", None)
            if command_id is not None and at == self.now:
                self.remember_command(command_id)
            raise


class ForgetsNothing(Oracle):
    """Nothing is ever purged."""

    def purge(self) -> None:
        pass


class CountsOutliveSigningOut(Oracle):
    """What an agent has done goes on counting after a new sign-in."""

    def sign_in(self, command: cmd.SignIn) -> int:
        agent = self.known_agent(command.agent)
        tally = agent.tally
        value = super().sign_in(command)
        agent.tally = tally
        return value


class SigningInStartsTheRound(Oracle):
    """Round robin forgets at a sign-in whose turn it was."""

    def sign_in(self, command: cmd.SignIn) -> int:
        agent = self.known_agent(command.agent)
        if agent.presence is Presence.SIGNED_OUT:
            agent.last_offer = 0
        return super().sign_in(command)


class EveryAcceptEndsIdleTime(Oracle):
    """Idle time is counted although something else is in hand."""

    def accept(self, command: cmd.Accept) -> int:
        agent = self.known_agent(command.agent)
        before = agent.tally
        value = super().accept(command)
        if before.accepted < agent.tally.accepted and before.idles == agent.tally.idles:
            agent.count(idle_us=self.now - agent.idle_since, idles=1)
        return value


class ConnectingIsTalk(Oracle):
    """Conversation is counted from the accept on."""

    def engage(self, contact: Contact) -> None:
        accepted_at = contact.deadline - self.channels[contact.channel].connect_timeout_us
        super().engage(contact)
        contact.engaged_at = max(0, accepted_at)


class SharesAreEqual(Oracle):
    """Weighted looks at the offers alone."""

    def strategy_key(self, contact: Contact, agent: Agent) -> int:
        if self.queues[contact.queue].strategy is Strategy.WEIGHTED:
            return agent.tally.offers
        return super().strategy_key(contact, agent)


class OccupancyOfOneChannel(Oracle):
    """Occupancy is measured by the units of the contact's channel alone."""

    def strategy_key(self, contact: Contact, agent: Agent) -> int:
        if self.queues[contact.queue].strategy is Strategy.LEAST_OCCUPIED:
            held = sum(weight for _, weight in self.in_hand(agent))
            return held * 1000 // max(1, agent.units.get(contact.channel, 0))
        return super().strategy_key(contact, agent)


class LotsAreDrawnOnce(Oracle):
    """Random does not draw anew."""

    def strategy_key(self, contact: Contact, agent: Agent) -> int:
        if self.queues[contact.queue].strategy is Strategy.RANDOM:
            return mix(self.rules.seed ^ (agent.id << 32))
        return super().strategy_key(contact, agent)


class ChangeLosesItsPlace(Oracle):
    """A changed contact stands behind those of its time."""

    def change(self, command: cmd.Change) -> int:
        events = len(self.events)
        value = super().change(command)
        if len(self.events) > events:
            self.take_place(self.contacts[command.contact])
        return value


class ChangeForgetsAttempts(Oracle):
    """A changed contact may go to those again that it was offered to."""

    def change(self, command: cmd.Change) -> int:
        value = super().change(command)
        self.contacts[command.contact].attempted.clear()
        return value


class ReleasedIsAbandoned(Oracle):
    """A released contact is remembered as abandoned."""

    def end_contact(self, contact: Contact, outcome: Outcome, last_agent: int) -> None:
        abandoned = Outcome.ABANDONED if outcome is Outcome.WITHDRAWN else outcome
        super().end_contact(contact, abandoned, last_agent)


MUTANTS: tuple[type[Oracle], ...] = (
    TiesGoToTheLast,
    IdleTimeBeforeLoad,
    WithdrawnRestartsIdleTime,
    DeclineIsAMiss,
    TransferLosesItsTier,
    ReturnLosesItsPlace,
    RetryIsTakenBack,
    OnlyTheFirstInLine,
    WrapUpIsNothing,
    ExclusiveBesideOffers,
    DeadlinesAreLate,
    LastSetFiresFirst,
    SignInUnlocks,
    ContactsBeforeAgents,
    MatchesWhileDown,
    RemembersRefusals,
    ForgetsNothing,
    CountsOutliveSigningOut,
    SigningInStartsTheRound,
    EveryAcceptEndsIdleTime,
    ConnectingIsTalk,
    SharesAreEqual,
    OccupancyOfOneChannel,
    LotsAreDrawnOnce,
    ChangeLosesItsPlace,
    ChangeForgetsAttempts,
    ReleasedIsAbandoned,
    *MUTANTS_IN_HAND,
    *ESTIMATE_MUTANTS,
    *OVERFLOW_MUTANTS,
    *OUTBOUND_MUTANTS,
    *DOMAIN_MUTANTS,
    *MUTANTS_OF_TIMES,
    *MUTANTS_OF_CHOICES,
    *MUTANTS_OF_RESERVING,
    *MUTANTS_OF_LEASES,
)

"""An engaged contact in its agent's hands: hold, parking, passing it on, its end, the wrap-up."""

from __future__ import annotations

from tests.oracle import commands as cmd
from tests.oracle import events as ev
from tests.oracle.config import MAX_HEAD_START_US, QUEUE_WRAP_UP, Demand, QueueState
from tests.oracle.desk import Desk
from tests.oracle.refusal import Code, Refusal
from tests.oracle.state import (
    TRANSFER_TIER,
    Agent,
    Contact,
    How,
    Outcome,
    Participant,
    Purpose,
    State,
    WrapUp,
)
from tests.oracle.validate import check_demand
from tests.oracle.world import Timer


class Talk(Desk):
    """What the agent who serves a contact does with it."""

    # Who may

    def _engaged_by(self, agent: Agent, contact_id: int) -> Contact | None:
        contact = self.contacts.get(contact_id)
        if contact is None or contact.agent != agent.id:
            return None
        if contact.state is State.CONNECTING:
            raise Refusal(Code.WRONG_STATE, contact_id)
        return contact if contact.state is State.ENGAGED else None

    def _own(self, agent: Agent, contact_id: int) -> Contact:
        contact = self._engaged_by(agent, contact_id)
        if contact is None:
            raise Refusal(Code.UNKNOWN_CONTACT, contact_id)
        return contact

    def _last_served_by(self, agent: Agent, contact_id: int) -> bool:
        record = self.ended.get(contact_id)
        return record is not None and record.last_agent == agent.id

    # The end of an engagement

    def serve_out(self, contact: Contact, by: ev.EndedBy) -> None:
        """End an engaged contact: it was served."""
        agent = contact.agent
        self.emit(ev.Ended(self.now, contact.id, contact.channel, contact.queue, agent, by))
        self.end_engagement(contact, by)
        self.end_contact(contact, Outcome.SERVED, agent)

    def end_engagement(self, contact: Contact, by: ev.EndedBy) -> None:
        """Let everybody go: who was invited, who is in it, and at last who served it."""
        agent = self.agents[contact.agent]
        self.count_talk(agent, contact)
        self.detach(contact)
        for offer in self.open_offers(contact, Purpose.JOIN):
            self.end_invitation(offer, How.WITHDRAWN)
        for one in list(contact.participants):
            self.part(contact, one, by)
        self.wrap_up(agent, contact)
        contact.held = contact.parked = contact.unparked = False

    def part(self, contact: Contact, participant: Participant, by: ev.EndedBy) -> None:
        """Take somebody out of a contact that another serves."""
        agent = self.agents[participant.agent]
        contact.participants.remove(participant)
        del agent.joined[contact.id]
        self.emit(ev.Left(self.now, contact.id, contact.channel, agent.id, by))
        self.release(agent, sets_idle=True)

    def count_talk(self, agent: Agent, contact: Contact) -> None:
        """Count how long an agent has talked."""
        agent.count(talk_us=self.now - contact.engaged_at, talks=1)
        self.learn_handling(contact, self.wrap_up_time(agent, contact))

    def wrap_up_time(self, agent: Agent, contact: Contact) -> int:
        """Return how long after-contact work lasts: the agent's own time, or else the queue's."""
        own = agent.wrap_up_us
        return self.queues[contact.queue].wrap_up_us if own == QUEUE_WRAP_UP else own

    def wrap_up(self, agent: Agent, contact: Contact) -> None:
        """Start after-contact work by the agent or else the contact's queue, or set the agent free."""
        duration = self.wrap_up_time(agent, contact)
        if duration == 0:
            self.release(agent, sets_idle=True)
            return
        deadline = self.now + duration
        wrap_up = WrapUp(self.next_wrap_up_number(), contact.id, contact.channel, contact.units(), deadline)
        agent.wrap_ups.append(wrap_up)
        self.set_timer(Timer.WRAP_UP, wrap_up.number, deadline)
        self.emit(ev.WrapUpStarted(self.now, agent.id, contact.id, contact.channel, deadline))

    def finish_wrap_up(self, agent: Agent, wrap_up: WrapUp, by: ev.EndedBy) -> None:
        """End after-contact work."""
        agent.wrap_ups.remove(wrap_up)
        self.emit(ev.WrapUpEnded(self.now, agent.id, wrap_up.contact, wrap_up.channel, by))
        self.release(agent, sets_idle=True)

    # Commands

    def end(self, command: cmd.End) -> int:
        """End an engaged contact."""
        agent = self.known_agent(command.agent)
        contact = self._engaged_by(agent, command.contact)
        if contact is not None:
            self.serve_out(contact, ev.EndedBy.AGENT)
        elif not self._last_served_by(agent, command.contact):
            raise Refusal(Code.UNKNOWN_CONTACT, command.contact)
        return 0

    def end_wrap_up(self, command: cmd.EndWrapUp) -> int:
        """End the oldest wrap-up of a contact."""
        agent = self.known_agent(command.agent)
        wrap_up = next((w for w in agent.wrap_ups if w.contact == command.contact), None)
        if wrap_up is not None:
            self.cancel_timer(Timer.WRAP_UP, wrap_up.number)
            self.finish_wrap_up(agent, wrap_up, ev.EndedBy.AGENT)
        elif not self._last_served_by(agent, command.contact):
            raise Refusal(Code.UNKNOWN_CONTACT, command.contact)
        return 0

    def hold(self, command: cmd.Hold) -> int:
        """Let the customer wait on the line."""
        contact = self._own(self.known_agent(command.agent), command.contact)
        if not contact.held:
            contact.held = True
            self.emit(ev.Held(self.now, contact.id, contact.channel, contact.agent))
        return 0

    def resume(self, command: cmd.Resume) -> int:
        """Go on with a customer on hold."""
        contact = self._own(self.known_agent(command.agent), command.contact)
        if contact.held:
            contact.held = False
            self.emit(ev.Resumed(self.now, contact.id, contact.channel, contact.agent))
        return 0

    def park(self, command: cmd.Park) -> int:
        """Give a contact's units back and keep it."""
        agent = self.known_agent(command.agent)
        contact = self._own(agent, command.contact)
        if self.exclusive(contact.channel):
            raise Refusal(Code.WRONG_STATE, contact.id)
        if not contact.parked:
            contact.parked, contact.unparked = True, False
            self.emit(ev.Parked(self.now, contact.id, contact.channel, agent.id))
            self.touch_agent(agent)
        return 0

    def unpark(self, command: cmd.Unpark) -> int:
        """Take a parked contact's units again, whether they are free or not."""
        contact = self._own(self.known_agent(command.agent), command.contact)
        if contact.parked:
            contact.parked, contact.unparked = False, True
            self.emit(ev.Unparked(self.now, contact.id, contact.channel, contact.agent))
        return 0

    def transfer(self, command: cmd.Transfer) -> int:
        """Pass an engaged contact on to a queue."""
        agent = self.known_agent(command.agent)
        if self._has_passed_on(agent, command.contact):
            return 0
        contact = self._own(agent, command.contact)
        self.pass_on(contact, command, command.demand(), ev.EndedBy.AGENT)
        contact.passed_on_by = agent.id
        return 0

    def _has_passed_on(self, agent: Agent, number: int) -> bool:
        """Return whether an agent has transferred a live contact last, and does not serve it again."""
        contact = self.contacts.get(number)
        if contact is None or contact.passed_on_by != agent.id:
            return False
        return contact.state is not State.ENGAGED or contact.agent != agent.id

    def move(self, command: cmd.Move) -> int:
        """Pass somebody's engaged contact on to a queue."""
        contact = self.engaged_contact(command.contact)
        self.pass_on(contact, command, Demand(command.requires), ev.EndedBy.SUPERVISOR)
        contact.passed_on_by = 0
        return 0

    def engaged_contact(self, number: int) -> Contact:
        """Return an engaged contact, whoever serves it, or refuse."""
        contact = self.contacts.get(number)
        if contact is None and number not in self.ended:
            raise Refusal(Code.UNKNOWN_CONTACT, number)
        if contact is None or contact.state is not State.ENGAGED:
            raise Refusal(Code.WRONG_STATE, number)
        return contact

    def pass_on(
        self, contact: Contact, command: cmd.Transfer | cmd.Move, demand: Demand, by: ev.EndedBy
    ) -> None:
        """Let a contact wait in a queue, asking anew; whoever served it is not asked first."""
        self.check_target(command.queue, command.head_start_us, self.queues[contact.queue].domain)
        check_demand(demand, self.rules)
        agent = contact.agent
        queues = (contact.queue, command.queue)
        self.emit(ev.Transferred(self.now, contact.id, contact.channel, agent, *queues, by))
        self.end_engagement(contact, by)
        contact.queue, contact.head_start_us = command.queue, command.head_start_us
        contact.demand = demand
        contact.tier, contact.enqueued_at = TRANSFER_TIER, self.now
        self.get_in(contact)
        self.start_preference(contact, self.now)
        self.take_place(contact)
        contact.attempted = {agent}
        self.queue_up(contact, ev.QueuedCause.TRANSFER)
        self.newly_queued = contact

    def check_target(self, queue: int, head_start_us: int, domain: int, *, into: bool = True) -> None:
        """Refuse a queue or a head start that cannot be; `into` says that a contact is to get into it."""
        if queue not in self.queues:
            raise Refusal(Code.UNKNOWN_QUEUE, queue)
        if not self.may_use(domain, queue):
            raise Refusal(Code.OTHER_DOMAIN, queue)
        if into and self.hours_of(queue) is not QueueState.OPEN:
            raise Refusal(Code.QUEUE_CLOSED, queue)
        if head_start_us > MAX_HEAD_START_US:
            raise Refusal(Code.BAD_HEAD_START, head_start_us)

    def transfer_out(self, command: cmd.TransferOut) -> int:
        """Pass an engaged contact on to a place outside, which serves it."""
        agent = self.known_agent(command.agent)
        contact = self._engaged_by(agent, command.contact)
        if contact is None and self._last_served_by(agent, command.contact):
            return 0
        if contact is None:
            raise Refusal(Code.UNKNOWN_CONTACT, command.contact)
        if command.target not in self.rules.targets:
            raise Refusal(Code.UNKNOWN_TARGET, command.target)
        place = (contact.channel, contact.queue, agent.id)
        self.emit(ev.TransferredOut(self.now, contact.id, *place, command.target))
        self.serve_out(contact, ev.EndedBy.AGENT)
        return 0

"""What each command does: checks in the order of the rules, then effects."""

from __future__ import annotations

from collections.abc import Callable

from tests.oracle import commands as cmd
from tests.oracle import events as ev
from tests.oracle.config import MAX_WEIGHT, DomainConfig, Goal, QueueState, When
from tests.oracle.leases import Leases
from tests.oracle.refusal import Code, Refusal
from tests.oracle.state import Agent, Contact, Ended, Outcome, Presence, State
from tests.oracle.validate import check_config, check_demand, check_requirement


class Handlers(Leases):
    """One method a command."""

    def carry_out(self, command: cmd.Command) -> int:
        """Do what a command asks; HANDLERS names the method."""
        handler: Callable[[cmd.Command], int] = getattr(self, HANDLERS[type(command)])
        return handler(command)

    # Configuration

    def configure(self, command: cmd.Configure) -> int:
        """Replace the configuration; agents that stay keep their state."""
        config = command.config
        check_config(config, self.limits)
        self._check_in_use(command)
        self.config = config
        self.channels = {channel.id: channel for channel in config.channels}
        self.queues = {queue.id: queue for queue in config.queues}
        old, self.agents = self.agents, {}
        for position, entry in enumerate(config.agents):
            agent = old.get(entry.id) or Agent(entry.id, position, {}, {})
            agent.configure(position, entry)
            self.agents[entry.id] = agent
        for number in sorted(self.contacts):
            contact = self.contacts[number]
            contact.step = min(contact.step, len(self.queues[contact.queue].steps))
            begins = self.queues[contact.queue].announce_us == 0 or contact.announce_at == 0
            if begins and contact.state not in (State.ENGAGED, State.SCHEDULED):
                self.announce_from_now(contact)
            self.set_wake(contact)
        self.contracts = {*config.contracts}
        self.shares = {0: DomainConfig(0).share, **{domain.id: domain.share for domain in config.domains}}
        self.given = {domain: given for domain, given in self.given.items() if domain in self.shares}
        self.hours = {queue: state for queue, state in self.hours.items() if queue in self.queues}
        self.end_choices()
        self.calibrate(config.queues)
        self.configurations += 1
        self.emit(ev.Configured(self.now, config.hash, self.configurations))
        self.dirty_contacts.update(contact.id for contact in self.waiting())
        self.agents_left = True
        return 0

    def _check_in_use(self, command: cmd.Configure) -> None:
        if self.config is None:
            return
        old, new, live = self.config, command.config, self.contacts.values()
        kept_agents = {agent.id for agent in new.agents}
        for agent in self.agents.values():
            busy = agent.presence is not Presence.SIGNED_OUT or any(True for _ in self.in_hand(agent))
            if busy and agent.id not in kept_agents:
                raise Refusal(Code.AGENT_IN_USE, agent.id)
        kept_queues = {queue.id for queue in new.queues}
        for queue in old.queues:
            if queue.id not in kept_queues and any(contact.queue == queue.id for contact in live):
                raise Refusal(Code.QUEUE_IN_USE, queue.id)
        kept_channels = {channel.id for channel in new.channels}
        for channel in old.channels:
            if channel.id not in kept_channels and any(contact.channel == channel.id for contact in live):
                raise Refusal(Code.CHANNEL_IN_USE, channel.id)
        needed = {need.skill for contact in live for needs in contact.demand.requires for need in needs}
        for skill in sorted(needed - set(new.skills)):
            raise Refusal(Code.SKILL_IN_USE, skill)

    # The channel's side

    def arrive(self, command: cmd.Arrive) -> int:
        """Take a customer's request in, once."""
        if command.channel not in self.channels:
            raise Refusal(Code.UNKNOWN_CHANNEL, command.channel)
        if command.key in self.keys:
            return self.keys[command.key]
        domain = self.channels[command.channel].domain
        self.check_target(command.queue, command.head_start_us, domain, into=False)
        if not 1 <= command.weight <= MAX_WEIGHT:
            raise Refusal(Code.BAD_WEIGHT, command.weight)
        check_demand(command.demand(), self.rules)
        self.check_times(command)
        if len(self.contacts) >= self.limits.max_contacts:
            raise Refusal(Code.TOO_MANY_CONTACTS, self.limits.max_contacts)
        contact = Contact(
            *(self.next_contact, command.channel, command.key, command.queue, command.demand()),
            *(command.weight, command.head_start_us, self.now, self.waits_since(command)),
            *(self.queues[command.queue].tier,),
            reply_by=command.reply_by,
        )
        self.start_preference(contact, self.now)
        self.next_contact += 1
        self.keys[contact.key] = contact.id
        self.emit(
            ev.Arrived(self.now, contact.id, contact.channel, contact.key, contact.queue, contact.weight)
        )
        if command.not_before > self.now:
            self.schedule(contact, command.not_before)
        elif self.hours_of(contact.queue) is QueueState.OPEN:
            self._queue_or_block(contact, command.place)
        else:
            self._turn_away(contact, command.place)
        return contact.id

    def _turn_away(self, contact: Contact, place: int) -> None:
        """Let a contact that has come to a queue that is not open go where a rule says, or block it."""
        site_full = len(self.waiting()) >= self.rules.max_waiting
        rule = self.way_out(
            contact,
            lambda rule: rule.when is When.CLOSED and not (site_full and rule.to_kind is Goal.QUEUE),
        )
        if rule is None:
            cause = ev.BlockedCause.CLOSED
            self.emit(ev.Blocked(self.now, contact.id, contact.channel, contact.queue, cause))
            self.end_contact(contact, Outcome.BLOCKED, 0)
            return
        self.tell_overflow(contact, rule)
        if rule.to_kind is Goal.TARGET:
            self.use_place(place)
            self.end_contact(contact, Outcome.OVERFLOWED, 0)
            return
        contact.queue, contact.hops = rule.to, 1
        self._let_in(contact, ev.QueuedCause.OVERFLOW, place)

    def _let_in(self, contact: Contact, cause: ev.QueuedCause, place: int) -> None:
        self.contacts[contact.id] = contact
        self.take_place(contact)
        self.get_in(contact)
        self.queue_up(contact, cause)
        self.use_place(place)
        # Who comes back to a place has waited before: the queue is not measured by that.
        self.newly_queued = None if place else contact

    def _queue_or_block(self, contact: Contact, place: int) -> None:
        waiting = self.waiting()
        in_queue = sum(peer.queue == contact.queue for peer in waiting)
        queue_full = in_queue >= self.queues[contact.queue].max_waiting
        site_full = len(waiting) >= self.rules.max_waiting
        if (queue_full or site_full) and not self._taken_at_once(contact):
            cause = ev.BlockedCause.QUEUE_FULL if queue_full else ev.BlockedCause.SITE_FULL
            self.emit(ev.Blocked(self.now, contact.id, contact.channel, contact.queue, cause))
            self.end_contact(contact, Outcome.BLOCKED, 0)
            return
        self._let_in(contact, ev.QueuedCause.ARRIVAL, place)

    def _taken_at_once(self, contact: Contact) -> bool:
        """Return whether somebody could be asked now; a preference for nobody who is there is none."""
        until = contact.preferred_until
        if not self.anybody_left(contact):
            contact.preferred_until = None
        best = self.best_agent(contact)
        contact.preferred_until = until
        return best is not None

    def _of_channel(self, channel: int, contact_id: int) -> Contact | Ended:
        if channel not in self.channels:
            raise Refusal(Code.UNKNOWN_CHANNEL, channel)
        contact = self.contacts.get(contact_id) or self.ended.get(contact_id)
        if contact is None or contact.channel != channel:
            raise Refusal(Code.UNKNOWN_CONTACT, contact_id)
        return contact

    def abandon(self, command: cmd.Abandon) -> int:
        """Let the customer leave, in whatever state the contact is."""
        contact = self._of_channel(command.channel, command.contact)
        if isinstance(contact, Ended):
            return 0
        if contact.state is State.ENGAGED:
            self.serve_out(contact, ev.EndedBy.CUSTOMER)
            return 0
        connecting = contact.agent if contact.state is State.CONNECTING else 0
        over = ev.Abandoned(self.now, contact.id, contact.channel, contact.queue, connecting)
        self._end_unserved(contact, ev.WithdrawnCause.ABANDONED, over, Outcome.ABANDONED)
        return 0

    def _end_unserved(
        self,
        contact: Contact,
        cause: ev.WithdrawnCause,
        over: ev.Abandoned | ev.Withdrawn,
        outcome: Outcome,
    ) -> None:
        if contact.state is not State.SCHEDULED:
            self.leave_wait(contact, abandoned=outcome is Outcome.ABANDONED)
        offers = self.open_offers(contact)
        freed = [over.agent] if over.agent else [offer.agent for offer in offers]
        for offer in offers:
            self.withdraw(offer, cause)
        self.detach(contact)
        self.emit(over)
        self.end_contact(contact, outcome, over.agent)
        for agent in freed:
            self.release(self.agents[agent], sets_idle=False)

    def connected(self, command: cmd.Connected) -> int:
        """Note that customer and agent are connected."""
        contact = self._of_channel(command.channel, command.contact)
        if isinstance(contact, Ended) or contact.state is State.ENGAGED:
            return 0
        if contact.state is not State.CONNECTING:
            raise Refusal(Code.WRONG_STATE, command.contact)
        self.engage(contact)
        return 0

    def connect_failed(self, command: cmd.ConnectFailed) -> int:
        """Put a contact that could not be connected back."""
        contact = self._of_channel(command.channel, command.contact)
        if isinstance(contact, Ended):
            return 0
        if contact.state is not State.CONNECTING:
            if contact.unconnected:
                return 0
            raise Refusal(Code.WRONG_STATE, command.contact)
        self.fail_connecting(contact, ev.EndedBy.CUSTOMER)
        return 0

    # The supervisor's side

    def change(self, command: cmd.Change) -> int:
        """Give a waiting contact another queue, head start or requirement."""
        contact = self.contacts.get(command.contact)
        if contact is None and command.contact not in self.ended:
            raise Refusal(Code.UNKNOWN_CONTACT, command.contact)
        if contact is None or contact.state is not State.WAITING:
            raise Refusal(Code.WRONG_STATE, command.contact)
        queue, head_start_us, demand = command.queue, command.head_start_us, contact.demand
        queue = contact.queue if queue == 0 else queue
        head_start_us = contact.head_start_us if head_start_us == cmd.KEEP_HEAD_START_US else head_start_us
        domain = self.queues[contact.queue].domain
        self.check_target(queue, head_start_us, domain, into=queue != contact.queue)
        if command.requires is not None:
            check_requirement(command.requires, self.rules.skills)
            demand = demand._replace(requires=command.requires)
        new = (queue, head_start_us, demand)
        if new == (contact.queue, contact.head_start_us, contact.demand):
            return 0
        self.forget_sample(contact)
        self.end_choice(contact)
        moves = queue != contact.queue
        contact.queue, contact.head_start_us = queue, head_start_us
        contact.demand = demand._replace(beyond_capacity=False)
        if moves:
            self.enter_domain(contact)
            self.get_in(contact)
        self.set_wake(contact)
        self.emit(ev.Changed(self.now, contact.id, contact.channel, queue, head_start_us))
        self.dirty_contacts.add(contact.id)
        return 0

    def release_contact(self, command: cmd.Release) -> int:
        """End a contact, in whatever state it is."""
        engine = command.by is ev.ReleasedBy.ENGINE
        by = ev.EndedBy.ENGINE if engine else ev.EndedBy.SUPERVISOR
        contact = self.contacts.get(command.contact)
        if contact is None and command.contact not in self.ended:
            raise Refusal(Code.UNKNOWN_CONTACT, command.contact)
        if contact is None:
            return 0
        if contact.state is State.ENGAGED and engine:
            raise Refusal(Code.WRONG_STATE, contact.id)
        if contact.state is State.ENGAGED:
            self.serve_out(contact, by)
            return 0
        connecting = contact.agent if contact.state is State.CONNECTING else 0
        where = (self.now, contact.id, contact.channel, contact.queue)
        over = ev.Withdrawn(*where, connecting, by)
        self._end_unserved(contact, ev.WithdrawnCause.RELEASED, over, Outcome.WITHDRAWN)
        return 0


HANDLERS: dict[type[cmd.Command], str] = {
    cmd.Configure: "configure",
    cmd.Arrive: "arrive",
    cmd.Abandon: "abandon",
    cmd.Connected: "connected",
    cmd.ConnectFailed: "connect_failed",
    cmd.SignIn: "sign_in",
    cmd.SignOut: "sign_out",
    cmd.Ready: "ready",
    cmd.NotReady: "not_ready",
    cmd.Unlock: "unlock",
    cmd.Accept: "accept",
    cmd.Decline: "decline",
    cmd.End: "end",
    cmd.EndWrapUp: "end_wrap_up",
    cmd.Transfer: "transfer",
    cmd.Change: "change",
    cmd.Release: "release_contact",
    cmd.Hold: "hold",
    cmd.Resume: "resume",
    cmd.Park: "park",
    cmd.Unpark: "unpark",
    cmd.Invite: "invite",
    cmd.Leave: "leave_contact",
    cmd.TakeOver: "take_over",
    cmd.Move: "move",
    cmd.TransferOut: "transfer_out",
    cmd.Hours: "change_hours",
    cmd.Choose: "choose",
    cmd.LeaseLost: "lose_lease",
}

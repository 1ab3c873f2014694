"""What each command does: checks in the order of the rules, then effects."""

from __future__ import annotations

from collections.abc import Callable

from tests.oracle import commands as cmd
from tests.oracle import events as ev
from tests.oracle.config import MAX_HEAD_START_US, MAX_WEIGHT, SkillLevel
from tests.oracle.desk import Desk
from tests.oracle.refusal import Code, Refusal
from tests.oracle.state import TRANSFER_TIER, Agent, Contact, Ended, Outcome, Presence, State
from tests.oracle.validate import check_config, check_requirement
from tests.oracle.world import Timer


class Handlers(Desk):
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
        self.emit(ev.Configured(self.now, config.hash))
        self.dirty_contacts.update(contact.id for contact in self.waiting())
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
        needed = {entry.skill for contact in live for entry in contact.requires}
        for skill in sorted(needed - set(new.skills)):
            raise Refusal(Code.SKILL_IN_USE, skill)

    # The channel's side

    def arrive(self, command: cmd.Arrive) -> int:
        """Take a customer's request in, once."""
        if command.channel not in self.channels:
            raise Refusal(Code.UNKNOWN_CHANNEL, command.channel)
        if command.key in self.keys:
            return self.keys[command.key]
        self._check_target(command.queue, command.head_start_us)
        if not 1 <= command.weight <= MAX_WEIGHT:
            raise Refusal(Code.BAD_WEIGHT, command.weight)
        check_requirement(command.requires, self.rules.skills)
        if len(self.contacts) >= self.limits.max_contacts:
            raise Refusal(Code.TOO_MANY_CONTACTS, self.limits.max_contacts)
        contact = Contact(
            *(self.next_contact, command.channel, command.key, command.queue, command.requires),
            *(command.weight, command.head_start_us, self.now, self.now),
        )
        self.next_contact += 1
        self.keys[contact.key] = contact.id
        self.emit(
            ev.Arrived(self.now, contact.id, contact.channel, contact.key, contact.queue, contact.weight)
        )
        self._queue_or_block(contact)
        return contact.id

    def _check_target(self, queue: int, head_start_us: int) -> None:
        if queue not in self.queues:
            raise Refusal(Code.UNKNOWN_QUEUE, queue)
        if head_start_us > MAX_HEAD_START_US:
            raise Refusal(Code.BAD_HEAD_START, head_start_us)

    def _queue_or_block(self, contact: Contact) -> None:
        waiting = self.waiting()
        in_queue = sum(peer.queue == contact.queue for peer in waiting)
        queue_full = in_queue >= self.queues[contact.queue].max_waiting
        site_full = len(waiting) >= self.rules.max_waiting
        if (queue_full or site_full) and self.best_agent(contact) is None:
            cause = ev.BlockedCause.QUEUE_FULL if queue_full else ev.BlockedCause.SITE_FULL
            self.emit(ev.Blocked(self.now, contact.id, contact.channel, contact.queue, cause))
            self.end_contact(contact, Outcome.BLOCKED, 0)
            return
        self.contacts[contact.id] = contact
        self.take_place(contact)
        self.queue_up(contact, ev.QueuedCause.ARRIVAL)

    def take_place(self, contact: Contact) -> None:
        """Give a contact the next sequence number."""
        contact.sequence = self.next_sequence
        self.next_sequence += 1

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
        over = ev.Abandoned(self.now, contact.id, contact.channel, contact.queue)
        self._end_unserved(contact, ev.WithdrawnCause.ABANDONED, over, Outcome.ABANDONED)
        return 0

    def _end_unserved(
        self, contact: Contact, cause: ev.WithdrawnCause, over: ev.Event, outcome: Outcome
    ) -> None:
        agent = self.agents.get(contact.agent)
        last_agent = contact.agent if contact.state is State.CONNECTING else 0
        if contact.state is State.OFFERED:
            self.withdraw(self.offers[contact.offer], cause)
        self.detach(contact)
        self.emit(over)
        self.end_contact(contact, outcome, last_agent)
        if agent is not None:
            self.release(agent, sets_idle=False)

    def connected(self, command: cmd.Connected) -> int:
        """Note that customer and agent are connected."""
        contact = self._of_channel(command.channel, command.contact)
        if isinstance(contact, Contact) and contact.state is State.ENGAGED:
            return 0
        if isinstance(contact, Ended) or contact.state is not State.CONNECTING:
            raise Refusal(Code.WRONG_STATE, command.contact)
        self.engage(contact)
        return 0

    def connect_failed(self, command: cmd.ConnectFailed) -> int:
        """Put a contact that could not be connected back."""
        contact = self._of_channel(command.channel, command.contact)
        if isinstance(contact, Ended) or contact.state is not State.CONNECTING:
            raise Refusal(Code.WRONG_STATE, command.contact)
        self.fail_connecting(contact, ev.EndedBy.CUSTOMER)
        return 0

    # The agent's side: contacts

    def _engaged_by(self, agent: Agent, contact_id: int) -> Contact | None:
        contact = self.contacts.get(contact_id)
        if contact is None or contact.agent != agent.id:
            return None
        if contact.state is State.CONNECTING:
            raise Refusal(Code.WRONG_STATE, contact_id)
        return contact if contact.state is State.ENGAGED else None

    def _last_served_by(self, agent: Agent, contact_id: int) -> bool:
        record = self.ended.get(contact_id)
        return record is not None and record.last_agent == agent.id

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

    def transfer(self, command: cmd.Transfer) -> int:
        """Pass an engaged contact on to a queue."""
        agent = self.known_agent(command.agent)
        contact = self._engaged_by(agent, command.contact)
        if contact is None:
            raise Refusal(Code.UNKNOWN_CONTACT, command.contact)
        self._check_target(command.queue, command.head_start_us)
        check_requirement(command.requires, self.rules.skills)
        self.emit(
            ev.Transferred(self.now, contact.id, contact.channel, agent.id, contact.queue, command.queue)
        )
        self.finish_talk(agent, contact)
        self.wrap_up(agent, contact)
        self._move(contact, command.queue, command.head_start_us, command.requires)
        contact.attempted = {agent.id}
        self.queue_up(contact, ev.QueuedCause.TRANSFER)
        return 0

    def _move(
        self, contact: Contact, queue: int, head_start_us: int, requires: tuple[SkillLevel, ...]
    ) -> None:
        contact.queue, contact.head_start_us, contact.requires = queue, head_start_us, requires
        contact.tier, contact.enqueued_at = TRANSFER_TIER, self.now
        self.take_place(contact)

    # The supervisor's side

    def change(self, command: cmd.Change) -> int:
        """Give a waiting contact another queue, head start or requirement."""
        contact = self.contacts.get(command.contact)
        if contact is None and command.contact not in self.ended:
            raise Refusal(Code.UNKNOWN_CONTACT, command.contact)
        if contact is None or contact.state is not State.WAITING:
            raise Refusal(Code.WRONG_STATE, command.contact)
        queue, head_start_us, requires = command.queue, command.head_start_us, command.requires
        queue = contact.queue if queue == 0 else queue
        head_start_us = contact.head_start_us if head_start_us == cmd.KEEP_HEAD_START_US else head_start_us
        self._check_target(queue, head_start_us)
        if requires is not None:
            check_requirement(requires, self.rules.skills)
        new = (queue, head_start_us, contact.requires if requires is None else requires)
        if new == (contact.queue, contact.head_start_us, contact.requires):
            return 0
        contact.queue, contact.head_start_us, contact.requires = new
        self.emit(ev.Changed(self.now, contact.id, contact.channel, queue, head_start_us))
        self.dirty_contacts.add(contact.id)
        return 0

    def release_contact(self, command: cmd.Release) -> int:
        """End a contact, in whatever state it is."""
        contact = self.contacts.get(command.contact)
        if contact is None and command.contact not in self.ended:
            raise Refusal(Code.UNKNOWN_CONTACT, command.contact)
        if contact is None:
            return 0
        if contact.state is State.ENGAGED:
            self.serve_out(contact, ev.EndedBy.SUPERVISOR)
            return 0
        over = ev.Withdrawn(self.now, contact.id, contact.channel, contact.queue)
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
}

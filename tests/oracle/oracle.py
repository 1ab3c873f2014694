"""The oracle: the rules of the router written a second time, naively, to be compared with."""

from __future__ import annotations

from tests.oracle import commands as cmd
from tests.oracle import events as ev
from tests.oracle.handlers import Handlers
from tests.oracle.refusal import Code, Refusal
from tests.oracle.state import State
from tests.oracle.world import Timer


class Oracle(Handlers):
    """The router's rules as one obviously right object; `events` holds the last call's events."""

    def apply(self, at: int, command: cmd.Command) -> int:
        """Carry a command out and return its value.

        Args:
            at: Unix time in microseconds, never before `now`.
            command: What is asked.

        Raises:
            Refusal: Nothing changed but the clock; `events` has what the clock did.
        """
        self.events = []
        if at < self.now:
            raise Refusal(Code.TIME_BACKWARDS, self.now)
        if isinstance(command, cmd.Restarted):
            self._restart(at)
            return 0
        self._pass_time(at)
        command_id: bytes | None = getattr(command, "command_id", None)
        if command_id is not None and command_id in self.seen:
            return 0
        if self.config is None and not isinstance(command, cmd.Configure):
            raise Refusal(Code.NOT_CONFIGURED)
        value = self.carry_out(command)
        self.settle()
        if command_id is not None:
            self.remember_command(command_id)
        return value

    def advance(self, at: int) -> None:
        """Let time pass; an earlier time than `now` is nothing."""
        self.events = []
        if at >= self.now:
            self._pass_time(at)

    def _pass_time(self, at: int) -> None:
        while due := self.take_due(at):
            self._fire(*due)
            self.settle()
        self.now = at
        self.purge()

    def _fire(self, timer: Timer, number: int, deadline: int) -> None:
        self.now = deadline
        if timer is Timer.OFFER:
            self.expire_offer(self.offers[number])
        elif timer is Timer.CONNECTING:
            self.fail_connecting(self.contacts[number], ev.EndedBy.DEADLINE)
        elif timer is Timer.RETRY:
            contact = self.contacts[number]
            contact.attempted.clear()
            contact.retry_at = None
            self.dirty_contacts.add(number)
        else:
            agent, wrap_up = next(
                (agent, w) for agent in self.agents.values() for w in agent.wrap_ups if w.number == number
            )
            self.finish_wrap_up(agent, wrap_up, ev.EndedBy.DEADLINE)

    def _restart(self, at: int) -> None:
        """Withdraw offers, give connecting contacts their time again, then let time pass unmatched."""
        if self.config is not None:
            for offer in sorted(self.offers.values()):
                self.withdraw(offer, ev.WithdrawnCause.RESTART)
                self.queue_up(self.contacts[offer.contact], ev.QueuedCause.RESTART)
            for contact in self.contacts.values():
                if contact.state is State.CONNECTING:
                    self.start_connecting(contact, at)
            while due := self.take_due(at):
                self._fire(*due)
                self.retry_pass()
        self.now = at
        self.purge()
        self.emit(ev.Restarted(at))
        if self.config is not None:
            self.forget_dirty()
            self.dirty_contacts.update(contact.id for contact in self.waiting())
            self.settle()

    def check(self) -> None:
        """Assert that nobody waits for an agent that could be asked, and that no agent holds too much."""
        for contact in self.contacts.values():
            for agent in self.agents.values():
                assert not self.eligible(contact, agent), f"contact {contact.id}, agent {agent.id}"
        for agent in self.agents.values():
            held = {contact.id for contact in self.contacts.values() if contact.agent == agent.id}
            assert agent.contacts.keys() == held, f"agent {agent.id}: {held}"
        for offer in self.offers.values():
            contact = self.contacts[offer.contact]
            assert (contact.state, contact.offer) == (State.OFFERED, offer.id)

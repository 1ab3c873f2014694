"""A crowd that finds its place again when it reconnects.

After every connect the site tells a channel its live contacts, and after every attach what the
agents have in hand. Whatever happened while nobody listened, everybody goes on from there; taking
the same state twice does no harm.
"""

from typing import cast

from loadtest import protocol as p
from loadtest.crowd import Crowd
from loadtest.handling import Answer
from loadtest.people import Agent, Contact, Sent

Rows = list[list[object]]
SECOND_US = 1_000_000
STATE_CONNECTING, STATE_ENGAGED = 2, 3


class Returning(Crowd):
    """A crowd that survives a restart of the site."""

    def hear_contacts(self, now_us: int, channel: int, rows: Rows) -> None:
        """Takes a channel's live contacts: `(contact, state, agent, key)`."""
        for number, state, _, _ in cast(list[tuple[int, int, int, bytes]], rows):
            contact = self.live.get(number) or self._adopt(now_us, channel, number)
            if contact is None:
                continue
            if state == STATE_CONNECTING:
                self._connect(contact, now_us)
            elif state == STATE_ENGAGED:
                self._talk_as_customer(contact, now_us)

    def _adopt(self, now_us: int, channel: int, number: int) -> Contact | None:
        """Takes over a customer of an earlier run, if this crowd does such things."""
        return None

    def hear_desks(self, now_us: int, rows: Rows) -> None:
        """Takes what agents have in hand.

        Args:
            now_us: the run's time.
            rows: `(agent, presence, signing_out, locked, offers, contacts, wrap_ups)`; an offer is
                `(offer, ...)`, a contact `(contact, channel, queue, state)`, a wrap-up `(contact, ...)`.
        """
        for row in rows:
            agent = self._by_number[cast(int, row[0])]
            self._resume_presence(now_us, agent, row)
            for offer in cast(list[list[int]], row[4]):
                self.after(now_us + SECOND_US, self._answer, agent, offer[0], Answer.ACCEPT)
            for held in cast(list[list[int]], row[5]):
                if held[3] == STATE_ENGAGED:
                    self._once_known(held[0], self._talk_as_agent, now_us, agent)
            for wrap_up in cast(list[list[int]], row[6]):
                if wrap_up[0] not in agent.wrap_ups:
                    agent.wrap_ups[wrap_up[0]] = None
                    self.after(now_us + SECOND_US, self._end_wrap_up, agent, wrap_up[0])

    def _resume_presence(self, now_us: int, agent: Agent, row: list[object]) -> None:
        """Makes an agent ready again who should be."""
        presence, signing_out, locked = row[1:4]
        if self.closed:
            return
        if presence == p.SIGNED_OUT or signing_out:
            self._outbox.to_agent(agent.index, (p.SIGN_IN, 1, agent.id, True), Sent(p.SIGN_IN, now_us))
        elif presence == p.PRESENT_NOT_READY and agent.id not in self.on_break:
            self._outbox.to_agent(agent.index, (p.READY, 1, agent.id), Sent(p.READY, now_us))
        if locked:
            self._unlock(now_us, agent)

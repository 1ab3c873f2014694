"""The customers and agents of a run, without sockets and without a clock.

A driver tells the crowd what time it is and what the server said; the crowd answers with commands
and with the time of its next own step. The same crowd therefore plays over real sockets and in
virtual time. One heap holds all of its timers; there is no task and no thread per agent.

Every event reaches the crowd twice: on the connection of the channel (`hear_channel`, the customer's
side) and on that of the agent (`hear_agent`). Each side acts on its own copy only.
"""

import heapq
from collections.abc import Callable, Iterator
from typing import cast

from loadtest import protocol as p
from loadtest.handling import Answer
from loadtest.ledger import Ledger
from loadtest.people import Agent, Contact, Freed, Numbers, Outbox, Sent
from loadtest.plan import PlannedContact
from loadtest.protocol import Body
from loadtest.scenario import Scenario
from loadtest.streams import stream

MAX_EARLY = 10_000
UNLOCK_AFTER_US = 1_000_000
KEY_SALT_BYTES = 8


class Crowd:
    """Everybody who takes part in one run."""

    def __init__(
        self,
        scenario: Scenario,
        numbers: Numbers,
        outbox: Outbox,
        ledger: Ledger,
        *,
        salt: bytes,
        contacts: Iterator[PlannedContact],
    ) -> None:
        """Sets the stage; nothing is sent before `sign_in` and `step`.

        Args:
            scenario: who and what.
            numbers: the server's numbers.
            outbox: where commands go.
            ledger: where results go.
            salt: 8 bytes that make this run's arrival keys its own.
            contacts: who comes, in the order of arrival.
        """
        self.ledger = ledger
        self.live: dict[int, Contact] = {}
        self.on_break: set[int] = set()
        self.closed = False
        singles = [scenario.holds_one(group) for _, group in scenario.agent_names()]
        self.agents = [
            Agent(index, number, single=singles[index]) for index, number in enumerate(numbers.agents)
        ]
        self._by_number = {agent.id: agent for agent in self.agents}
        self._numbers = numbers
        self._outbox = outbox
        self._salt = salt
        self._manner = scenario.manner
        self._answers = scenario.manner.answers(stream(scenario.seed, "answers"))
        self._wrap_ups = scenario.manner.wrap_ups(stream(scenario.seed, "wrap_ups"))
        self._arrivals = contacts
        self._coming: PlannedContact | None = next(self._arrivals, None)
        self._unknown: dict[int, Contact] = {}
        self._arrived_count = 0
        self._timers: list[tuple[int, int, Callable[..., None], tuple[object, ...]]] = []
        self._timer_count = 0
        self._early: dict[int, list[tuple[Callable[..., None], tuple[object, ...]]]] = {}
        self._channel_ear: dict[int, Callable[[int, Body], None]] = {
            p.ARRIVED: self._arrived,
            p.QUEUED: self._queued,
            p.BLOCKED: self._blocked,
            p.CONNECTING: self._connecting,
            p.ENGAGED: self._customer_engaged,
            p.CONNECT_FAILED: self._connect_failed,
            p.ABANDONED: self._abandoned,
            p.ENDED: self._customer_ended,
        }
        self._agent_ear: dict[int, Callable[[int, Body], None]] = {
            p.OFFER_MADE: self._offered,
            p.ENGAGED: self._agent_engaged,
            p.ENDED: self._agent_ended,
            p.WRAP_UP_STARTED: self._wrap_up_started,
            p.WRAP_UP_ENDED: self._wrap_up_ended,
            p.OFFER_EXPIRED: self._offer_expired,
            p.AGENT_LOCKED: self._agent_locked,
        }

    # Time

    @property
    def arriving(self) -> bool:
        """Says whether contacts are still to come."""
        return self._coming is not None

    def next_step_us(self) -> int | None:
        """Returns when the crowd wants to be stepped next; `None` if only the server can move it."""
        timer = self._timers[0][0] if self._timers else None
        if self._coming is None:
            return timer
        return self._coming.at_us if timer is None else min(timer, self._coming.at_us)

    def step(self, now_us: int) -> None:
        """Does everything that is due; a call that comes early does nothing."""
        while self._timers and self._timers[0][0] <= now_us:
            due_us, _, action, arguments = heapq.heappop(self._timers)
            action(due_us, *arguments)
        while self._coming is not None and self._coming.at_us <= now_us:
            self.ledger.late.add(now_us - self._coming.at_us)
            self._arrive(self._coming)
            self._coming = next(self._arrivals, None)

    def after(self, due_us: int, action: Callable[..., None], *arguments: object) -> None:
        """Calls `action(due_us, *arguments)` when its time has come."""
        self._timer_count += 1
        heapq.heappush(self._timers, (due_us, self._timer_count, action, arguments))

    # What the crowd does

    def sign_in(self, at_us: int) -> None:
        """Signs every agent in, ready."""
        for agent in self.agents:
            self._outbox.to_agent(agent.index, (p.SIGN_IN, 1, agent.id, True), Sent(p.SIGN_IN, at_us))

    def sign_out(self, at_us: int) -> None:
        """Signs every agent out, for good."""
        self.closed = True
        for agent in self.agents:
            self._outbox.to_agent(agent.index, (p.SIGN_OUT, 1, agent.id), Sent(p.SIGN_OUT, at_us))

    def send_everybody_home(self, now_us: int) -> None:
        """Lets every customer leave who is still there."""
        for contact in list(self.live.values()):
            self.ledger.count("sent_home", now_us)
            self._leave(now_us, contact)

    def _arrive(self, plan: PlannedContact) -> None:
        contact = Contact(plan)
        key = self._salt + self._arrived_count.to_bytes(8, "big")
        self._unknown[self._arrived_count] = contact
        self._arrived_count += 1
        self.ledger.count("arrivals", plan.at_us)
        numbers = self._numbers
        channel, queue = numbers.channels[plan.channel], numbers.queues[plan.queue]
        message = (p.ARRIVE, 1, channel, key, queue, plan.head_start_us, 1, ())
        self._outbox.to_channel(plan.channel, message, Sent(p.ARRIVE, plan.at_us, contact))
        if plan.patience_us is not None:
            self.after(plan.at_us + plan.patience_us, self._lose_patience, contact)

    def _lose_patience(self, due_us: int, contact: Contact) -> None:
        if not contact.engaged and not contact.over and contact.id:
            self._leave(due_us, contact)

    def _leave(self, due_us: int, contact: Contact) -> None:
        if contact.over or not contact.id:
            return
        channel = contact.plan.channel
        message = (p.ABANDON, 1, self._numbers.channels[channel], contact.id)
        self._outbox.to_channel(channel, message, Sent(p.ABANDON, due_us))

    def _answer(self, due_us: int, agent: Agent, offer: int, answer: Answer) -> None:
        if answer is Answer.ACCEPT:
            self._outbox.to_agent(agent.index, (p.ACCEPT, 1, agent.id, offer), Sent(p.ACCEPT, due_us))
        else:
            self._outbox.to_agent(agent.index, (p.DECLINE, 1, agent.id, offer, 0), Sent(p.DECLINE, due_us))

    def _end(self, due_us: int, agent: Agent, contact: Contact) -> None:
        if not contact.over:
            agent.ending[contact.id] = due_us
            self._outbox.to_agent(agent.index, (p.END, 1, agent.id, contact.id), Sent(p.END, due_us))

    def _end_wrap_up(self, due_us: int, agent: Agent, contact: int) -> None:
        if contact not in agent.wrap_ups:
            return
        freed = agent.wrap_ups[contact] = Freed(due_us)
        agent.freed.append(freed)
        self._outbox.to_agent(agent.index, (p.END_WRAP_UP, 1, agent.id, contact), Sent(p.END_WRAP_UP, due_us))

    # What the server says

    def hear_ack(self, now_us: int, sent: Sent, code: int, value: int, code_name: str) -> None:
        """Takes the acknowledgement of a command; code 0 is accepted."""
        if self.ledger.in_window(sent.meant_us):
            self.ledger.ack.add(now_us - sent.meant_us)
        if code:
            self.ledger.refused[f"{p.COMMAND_NAMES[sent.kind]}: {code_name}"] += 1
            if sent.contact is not None:
                sent.contact.over = True
        elif sent.contact is not None:
            self.ledger.acknowledge(value)
            self._know(now_us, sent.contact, value)

    def hear_refusal(self, sent: Sent, code_name: str) -> None:
        """Takes a refusal before the journal: the command never happened."""
        self.ledger.refused[f"{p.COMMAND_NAMES[sent.kind]}: {code_name}"] += 1
        if sent.contact is not None:
            sent.contact.over = True

    def hear_channel(self, now_us: int, body: Body) -> None:
        """Takes an event from a channel's connection."""
        ear = self._channel_ear.get(cast(int, body[0]))
        if ear is not None:
            ear(now_us, body)

    def hear_agent(self, now_us: int, body: Body) -> None:
        """Takes an event from an agents' connection."""
        ear = self._agent_ear.get(cast(int, body[0]))
        if ear is not None:
            ear(now_us, body)

    def _know(self, now_us: int, contact: Contact, number: int) -> None:
        """Learns a contact's number, and catches up on what was heard about it before."""
        if contact.id:
            return
        contact.id = number
        if number in self.ledger.ended:
            return
        self.live[number] = contact
        patience_us = contact.plan.patience_us
        if patience_us is not None and contact.plan.at_us + patience_us <= now_us:
            self.after(now_us, self._lose_patience, contact)
        for action, arguments in self._early.pop(number, ()):
            action(*arguments)

    def _once_known(self, number: int, action: Callable[..., None], *arguments: object) -> None:
        """Does `action(contact, *arguments)` now, or as soon as the contact's number is known.

        The connections of channels and agents are not in step: an offer may overtake the
        acknowledgement of the arrival. What is not ours is forgotten in the end.
        """
        contact = self.live.get(number)
        if contact is not None:
            action(contact, *arguments)
        elif number not in self.ledger.ended:
            if len(self._early) >= MAX_EARLY:
                del self._early[next(iter(self._early))]
            self._early.setdefault(number, []).append((self._later, (number, action, *arguments)))

    def _later(self, number: int, action: Callable[..., None], *arguments: object) -> None:
        action(self.live[number], *arguments)

    def _over(self, number: int, fate: str, now_us: int) -> None:
        contact = self.live.pop(number, None)
        if contact is not None:
            contact.over = True
        self.ledger.end(number, fate, now_us)

    # The customer's side

    def _arrived(self, now_us: int, body: Body) -> None:
        key = cast(bytes, body[p.ARRIVED_KEY])
        if key[:KEY_SALT_BYTES] != self._salt:
            return
        contact = self._unknown.pop(int.from_bytes(key[KEY_SALT_BYTES:], "big"), None)
        if contact is not None:
            self._know(now_us, contact, cast(int, body[p.CONTACT]))

    def _queued(self, now_us: int, body: Body) -> None:
        contact = self.live.get(cast(int, body[p.CONTACT]))
        if contact is not None and body[p.QUEUED_CAUSE] == p.CAUSE_ARRIVAL:
            contact.queued_at = cast(int, body[p.QUEUED_AT])
            self._classify(contact)

    def _classify(self, contact: Contact) -> None:
        """Notes the latency of a contact that found a free agent, once both of its stamps are known."""
        if contact.first_offer is not None and contact.first_offer[0] == contact.queued_at:
            self.ledger.arrival_offer_idle.add(contact.first_offer[1])

    def _blocked(self, now_us: int, body: Body) -> None:
        self._over(cast(int, body[p.CONTACT]), "blocked", now_us)

    def _connecting(self, now_us: int, body: Body) -> None:
        self._once_known(cast(int, body[p.CONTACT]), self._connect, now_us)

    def _connect(self, contact: Contact, now_us: int) -> None:
        channel = contact.plan.channel
        message = (p.CONNECTED, 1, self._numbers.channels[channel], contact.id)
        self._outbox.to_channel(channel, message, Sent(p.CONNECTED, now_us))

    def _connect_failed(self, now_us: int, body: Body) -> None:
        self.ledger.count("connect_failed", now_us)

    def _customer_engaged(self, now_us: int, body: Body) -> None:
        self._once_known(cast(int, body[p.CONTACT]), self._talk_as_customer, now_us)

    def _talk_as_customer(self, contact: Contact, now_us: int) -> None:
        contact.engaged = True
        if contact.answered:
            return
        contact.answered = True
        self.ledger.answer(contact.plan.at_us, now_us)
        if contact.plan.customer_ends:
            self.after(now_us + contact.plan.talk_us, self._leave, contact)

    def _abandoned(self, now_us: int, body: Body) -> None:
        self._over(cast(int, body[p.CONTACT]), "abandoned", now_us)

    def _customer_ended(self, now_us: int, body: Body) -> None:
        self._over(cast(int, body[p.CONTACT]), "served", now_us)

    # The agents' side

    def _offered(self, now_us: int, body: Body) -> None:
        agent = self._by_number[cast(int, body[p.OFFER_AGENT])]
        self.ledger.count("offers", now_us)
        freed = agent.freed.popleft() if agent.freed else None
        self._once_known(
            cast(int, body[p.OFFER_CONTACT]), self._measure_offer, now_us, cast(int, body[p.AT]), agent, freed
        )
        answer, think_us = next(self._answers)
        if answer is Answer.MISS:
            return
        if think_us:
            self.after(now_us + think_us, self._answer, agent, body[p.OFFER], answer)
        else:
            self._answer(now_us, agent, cast(int, body[p.OFFER]), answer)

    def _measure_offer(
        self, contact: Contact, now_us: int, offered_at: int, agent: Agent, freed: Freed | None
    ) -> None:
        contact.offers += 1
        if contact.offers > 1:
            return
        ledger, arrived_us = self.ledger, contact.plan.at_us
        if ledger.in_window(arrived_us):
            ledger.arrival_offer.add(now_us - arrived_us)
            contact.first_offer = (offered_at, now_us - arrived_us)
            self._classify(contact)
        if freed is None or arrived_us > freed.meant_us or not ledger.in_window(freed.meant_us):
            return
        # Who still has something in hand may have been unable to take what waited; then the
        # router's own stamps say whether this offer is the answer to that release.
        if agent.single or freed.at == offered_at:
            ledger.freed_offer.add(now_us - freed.meant_us)

    def _agent_engaged(self, now_us: int, body: Body) -> None:
        agent = self._by_number[cast(int, body[p.HELD_AGENT])]
        self._once_known(cast(int, body[p.CONTACT]), self._talk_as_agent, now_us, agent)

    def _talk_as_agent(self, contact: Contact, now_us: int, agent: Agent) -> None:
        contact.engaged = True
        if not contact.plan.customer_ends and not contact.spoken_to:
            contact.spoken_to = True
            self.after(now_us + contact.plan.talk_us, self._end, agent, contact)

    def _agent_ended(self, now_us: int, body: Body) -> None:
        """An end frees the agent unless a wrap-up follows it, which is said next."""
        agent = self._by_number[cast(int, body[p.ENDED_AGENT])]
        number = cast(int, body[p.CONTACT])
        meant_us = agent.ending.pop(number, None)
        self.ledger.count("lifecycles", now_us)
        agent.just_ended = 0
        if meant_us is not None and body[p.ENDED_BY] == p.BY_AGENT:
            agent.freed.append(Freed(meant_us, cast(int, body[p.AT])))
            agent.just_ended = number

    def _wrap_up_started(self, now_us: int, body: Body) -> None:
        agent = self._by_number[cast(int, body[p.WRAP_UP_AGENT])]
        number = cast(int, body[p.WRAP_UP_CONTACT])
        self.ledger.count("lifecycles", now_us, -1)
        if agent.just_ended == number:
            agent.freed.pop()
            agent.just_ended = 0
        agent.wrap_ups[number] = None
        wrap_up_us = next(self._wrap_ups)
        if wrap_up_us is not None:
            self.after(now_us + wrap_up_us, self._end_wrap_up, agent, number)

    def _wrap_up_ended(self, now_us: int, body: Body) -> None:
        agent = self._by_number[cast(int, body[p.WRAP_UP_AGENT])]
        freed = agent.wrap_ups.pop(cast(int, body[p.WRAP_UP_CONTACT]), None)
        if freed is not None:
            freed.at = cast(int, body[p.AT])
        self.ledger.count("lifecycles", now_us)

    def _offer_expired(self, now_us: int, body: Body) -> None:
        self.ledger.count("expired", now_us)

    def _agent_locked(self, now_us: int, body: Body) -> None:
        self.ledger.count("locked", now_us)
        self.after(now_us + UNLOCK_AFTER_US, self._unlock, self._by_number[cast(int, body[p.LOCKED_AGENT])])

    def _unlock(self, due_us: int, agent: Agent) -> None:
        self._outbox.to_agent(agent.index, (p.UNLOCK, 1, agent.id), Sent(p.UNLOCK, due_us))

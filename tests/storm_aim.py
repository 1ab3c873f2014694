"""What the storm's commands name: mostly what is alive and fitting, now and then anything."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from random import Random

from tests.oracle import events as ev
from tests.oracle.config import MAX_HEAD_START_US, Demand, Requirement
from tests.oracle.oracle import Oracle
from tests.oracle.state import Contact, Participant, Purpose, State
from tests.storm_config import Configs, Scale
from tests.storm_demand import SECOND, a_broken_requirement, a_demand, a_requirement


class Aim:
    """Remembers what has been named, and chooses."""

    def __init__(self, random: Random, scale: Scale) -> None:
        self.random = random
        self.scale = scale
        self.configs = Configs(self.random, scale)
        self.offers: deque[tuple[int, int]] = deque([(1, 1)], maxlen=40)
        self.contacts: deque[tuple[int, int, bytes]] = deque([(1, 1, bytes(16))], maxlen=60)
        self.served: deque[tuple[int, int]] = deque([(1, 1)], maxlen=40)
        self.passed_on: deque[tuple[int, int]] = deque([(1, 1)], maxlen=10)
        self.choices: deque[tuple[int, tuple[int, ...]]] = deque([(1, (1,))], maxlen=20)
        self.command_ids: deque[bytes] = deque([bytes(16)], maxlen=20)

    def seen(self, events: Iterable[ev.Event]) -> None:
        """Remember what may be named again."""
        for event in events:
            if isinstance(event, ev.OfferMade | ev.OfferAccepted | ev.OfferDeclined | ev.OfferWithdrawn):
                self.offers.append((event.agent, event.offer))
            elif isinstance(event, ev.Invited):
                self.offers.append((event.invitee, event.offer))
            elif isinstance(event, ev.Transferred):
                self.passed_on.append((event.agent, event.contact))
            elif isinstance(event, ev.Arrived):
                self.contacts.append((event.channel, event.contact, event.key))
            elif isinstance(event, ev.ChoiceWanted):
                self.choices.append((event.choice, event.agents))
            elif isinstance(event, ev.Ended):
                self.served.append((event.agent, event.contact))

    def often(self, share: float = 0.9) -> bool:
        """Return true for this share of the calls."""
        return self.random.random() < share

    def contact(self, oracle: Oracle, *states: State) -> Contact | None:
        """Return a live contact in one of these states."""
        fitting = [contact for contact in oracle.contacts.values() if contact.state in states]
        return self.random.choice(fitting) if fitting else None

    def channel_contact(self, oracle: Oracle, *states: State) -> tuple[int, int]:
        """Return a contact with its channel, as the channel's commands name it."""
        contact = self.contact(oracle, *states)
        if contact is not None and self.often():
            return contact.channel, contact.id
        channel, number, _ = self.random.choice(self.contacts)
        return (channel if self.often() else self.random.choice(self.scale.channels)), number

    def agent_contact(self, oracle: Oracle, *states: State) -> tuple[int, int]:
        """Return a contact with its agent, as the agent's commands name it."""
        contact = self.contact(oracle, *states)
        if contact is not None and self.often():
            return contact.agent, contact.id
        if self.often(0.7):
            return self.random.choice(self.served)
        return self.random.choice(self.scale.agents), self.random.choice(self.contacts)[1]

    def number(self, oracle: Oracle, *states: State) -> int:
        """Return a contact, as a supervisor names it."""
        contact = self.contact(oracle, *states)
        if contact is not None and self.often(0.95):
            return contact.id
        return self.random.choice(self.contacts)[1]

    def agent(self, oracle: Oracle) -> int:
        """Return an agent."""
        return self.one(oracle.agents, self.scale.agents)

    def offer(self, oracle: Oracle) -> tuple[int, int]:
        """Return an offer with its agent; often it is an invitation."""
        if oracle.offers and self.often():
            offers = list(oracle.offers.values())
            joining = [offer for offer in offers if offer.purpose is Purpose.JOIN]
            offer = self.random.choice(joining if joining and self.often(0.5) else offers)
            return offer.agent, offer.id
        agent, offer_id = self.random.choice(self.offers)
        return (agent if self.often() else self.random.choice(self.scale.agents)), offer_id

    def choice(self, oracle: Oracle) -> tuple[int, int]:
        """Return a choice, mostly one that runs, with an agent that was named, nobody, or anybody."""
        running = [one for one in self.choices if one[0] in oracle.choices]
        number, agents = self.random.choice(running if running and self.often(0.93) else list(self.choices))
        if self.often(0.7):
            return number, self.random.choice(agents)
        return number, 0 if self.often(0.5) else self.random.choice(self.scale.agents)

    def reason(self) -> int:
        """Return a reason, or none."""
        return max(0, self.random.randrange(-2, len(self.scale.reasons) + 2))

    def command_id(self) -> bytes | None:
        """Return no command id, a new one, or one that was used."""
        if self.often(0.6):
            return None
        if self.often(0.8):
            self.command_ids.append(self.random.randbytes(16))
            return self.command_ids[-1]
        return self.random.choice(self.command_ids)

    def queue(self, oracle: Oracle) -> int:
        """Return a queue."""
        return self.one(oracle.queues, self.scale.queues)

    def queue_to_come_to(self, oracle: Oracle, channel: int) -> int:
        """Return a queue for an arrival: mostly one that the channel may use, often one that is full."""
        if channel in oracle.channels and self.often(0.7):
            domain = oracle.channels[channel].domain
            usable = [queue for queue in oracle.queues if oracle.may_use(domain, queue)]
            return self.random.choice(usable) if usable else self.queue(oracle)
        waiting = [contact.queue for contact in oracle.waiting()]
        full = [one.id for one in oracle.queues.values() if waiting.count(one.id) >= one.max_waiting]
        return self.random.choice(full) if full and self.often(0.2) else self.queue(oracle)

    def one(self, known: Iterable[int], possible: range) -> int:
        """Return a number that is configured, or now and then any."""
        numbers = list(known) if self.often(0.97) else []
        return int(self.random.choice(numbers or list(possible)))

    def head_start(self) -> int:
        """Return a head start."""
        if self.often(0.6):
            return 0
        if self.often(0.95):
            return self.random.randrange(1, 60) * SECOND
        return MAX_HEAD_START_US + self.random.choice((0, 1))

    def requires(self, oracle: Oracle) -> Requirement:
        """Return a contact's own requirement."""
        if self.often(0.6):
            return ()
        if self.often(0.9):
            return a_requirement(self.random, oracle.rules.skills, self.scale.levels)
        return a_broken_requirement(self.random)

    def demand(self, oracle: Oracle) -> Demand:
        """Return all that a contact asks for."""
        return a_demand(self.random, oracle, self.requires(oracle))

    def own(self, oracle: Oracle, flag: str = "", value: bool = False) -> tuple[int, int]:
        """Return an agent and a contact that it mostly serves, and that mostly has this flag so."""
        fitting = [
            (contact.agent, contact.id)
            for contact in oracle.contacts.values()
            if contact.state is State.ENGAGED and (not flag or getattr(contact, flag) is value)
        ]
        if fitting and self.often():
            return self.random.choice(fitting)
        return self.agent_contact(oracle, *(State.CONNECTING, State.ENGAGED, State.OFFERED))

    def participants(self, oracle: Oracle, number: int) -> list[Participant]:
        """Return who is in a contact beside who serves it."""
        contact = oracle.contacts.get(number)
        return contact.participants if contact else []

    def in_company(self, oracle: Oracle) -> tuple[int, int]:
        """Return an agent and a contact that it is in, often one where others are as well."""
        crowd = [
            (agent, contact.id)
            for contact in oracle.contacts.values()
            for agent in (contact.agent, *(one.agent for one in contact.participants))
            if contact.participants
        ]
        return self.random.choice(crowd) if crowd and self.often(0.7) else self.own(oracle)

"""The storm: random commands from a seed, aimed at what is alive in the oracle."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from random import Random
from typing import NamedTuple

from tests.oracle import commands as cmd
from tests.oracle import events as ev
from tests.oracle.config import MAX_HEAD_START_US, SkillLevel
from tests.oracle.oracle import Oracle
from tests.oracle.state import Contact, Presence, State
from tests.scenario_text import Executor, Outcome
from tests.storm_config import SECOND, SMALL, Configs, Scale

STEP_US = SECOND // 2

WEIGHTS: dict[type[cmd.Command] | None, int] = {
    cmd.Arrive: 20,
    cmd.Abandon: 4,
    cmd.Connected: 9,
    cmd.ConnectFailed: 3,
    cmd.SignIn: 8,
    cmd.SignOut: 3,
    cmd.Ready: 8,
    cmd.NotReady: 4,
    cmd.Unlock: 4,
    cmd.Accept: 18,
    cmd.Decline: 4,
    cmd.End: 9,
    cmd.EndWrapUp: 4,
    cmd.Transfer: 5,
    cmd.Change: 5,
    cmd.Release: 3,
    cmd.Configure: 2,
    cmd.Restarted: 1,
    None: 6,
}


class Step(NamedTuple):
    """One thing to do: a command, or None for the passing of time."""

    at: int
    command: cmd.Command | None


class Storm:
    """Makes one step after the other; `seen` tells it what the last one caused."""

    def __init__(self, seed: int, scale: Scale = SMALL) -> None:
        self.random = Random(seed)
        self.scale = scale
        self.configs = Configs(self.random, scale)
        self.offers: deque[tuple[int, int]] = deque([(1, 1)], maxlen=40)
        self.contacts: deque[tuple[int, int, bytes]] = deque([(1, 1, bytes(16))], maxlen=60)
        self.served: deque[tuple[int, int]] = deque([(1, 1)], maxlen=40)
        self.command_ids: deque[bytes] = deque([bytes(16)], maxlen=20)
        self.crowd = self.random.choice(scale.crowds)
        self.opening = self.random.randrange(4)

    def next(self, oracle: Oracle) -> Step:
        """Return the next step, given the state that it will meet."""
        if oracle.config is None:
            return self._open(oracle)
        weights = self._weights(oracle)
        kind = self.random.choices(list(weights), list(weights.values()))[0]
        at = self._time(oracle)
        return Step(at, MAKERS[kind](self, oracle) if kind is not None else None)

    def _weights(self, oracle: Oracle) -> dict[type[cmd.Command] | None, int]:
        """Return how likely each kind is: what has nothing to name is rare."""
        weights = dict(WEIGHTS)
        states = {contact.state for contact in oracle.contacts.values()}
        wrap_ups = any(agent.wrap_ups for agent in oracle.agents.values())
        for kind, possible in (
            (cmd.Accept, State.OFFERED in states),
            (cmd.Decline, State.OFFERED in states),
            (cmd.Connected, State.CONNECTING in states),
            (cmd.ConnectFailed, State.CONNECTING in states),
            (cmd.End, State.ENGAGED in states),
            (cmd.Transfer, State.ENGAGED in states),
            (cmd.EndWrapUp, wrap_ups),
            (cmd.Change, State.WAITING in states),
            (cmd.Arrive, len(oracle.contacts) < self.crowd),
        ):
            weights[kind] = weights[kind] if possible else 1
        absent = sum(agent.presence is Presence.SIGNED_OUT for agent in oracle.agents.values())
        weights[cmd.SignIn] += 2 * absent
        weights[cmd.Arrive] += max(0, self.crowd - len(oracle.contacts)) // 2
        return weights

    def seen(self, events: Iterable[ev.Event]) -> None:
        """Remember what may be named again."""
        for event in events:
            if isinstance(event, ev.OfferMade):
                self.offers.append((event.agent, event.offer))
            elif isinstance(event, ev.Arrived):
                self.contacts.append((event.channel, event.contact, event.key))
            elif isinstance(event, ev.Ended):
                self.served.append((event.agent, event.contact))

    def _open(self, oracle: Oracle) -> Step:
        """Do what can be done before the first configuration, and at last configure."""
        if self.opening > 0:
            self.opening -= 1
            config = self.configs.changed(self.configs.fresh())
            early = (cmd.Restarted(), cmd.SignIn(1), cmd.Configure(config), None)
            return Step(oracle.now + STEP_US, self.random.choice(early))
        return Step(oracle.now + STEP_US, cmd.Configure(self.configs.fresh()))

    def _time(self, oracle: Oracle) -> int:
        """Return when: mostly soon, often exactly at a deadline or just before, rarely much later."""
        random, now = self.random, oracle.now
        deadline = oracle.next_deadline() or now
        chance = random.random()
        if chance < 0.50:
            return now
        if chance < 0.80:
            return self._tick(now, random.randrange(1, 5))
        if chance < 0.90:
            return max(now, deadline - random.choice((0, 0, 0, 1)))
        if chance < 0.975:
            return self._tick(now, random.randrange(4, 24))
        if chance < 0.991:
            return now + random.randrange(3 * SECOND)
        if chance < 0.994:
            return self._tick(now, random.randrange(20, 400))
        if chance < 0.995:
            return self._tick(now, random.randrange(400, 2000))
        return max(0, now - random.randrange(SECOND))

    def _tick(self, now: int, steps: int) -> int:
        """Return a later time on a coarse clock, so that equal times are common."""
        return (now // STEP_US + steps) * STEP_US

    # What commands name

    def _often(self, share: float = 0.9) -> bool:
        return self.random.random() < share

    def _contact(self, oracle: Oracle, *states: State) -> Contact | None:
        fitting = [contact for contact in oracle.contacts.values() if contact.state in states]
        return self.random.choice(fitting) if fitting else None

    def _channel_contact(self, oracle: Oracle, *states: State) -> tuple[int, int]:
        contact = self._contact(oracle, *states)
        if contact is not None and self._often():
            return contact.channel, contact.id
        channel, number, _ = self.random.choice(self.contacts)
        return (channel if self._often() else self.random.choice(self.scale.channels)), number

    def _agent_contact(self, oracle: Oracle, *states: State) -> tuple[int, int]:
        contact = self._contact(oracle, *states)
        if contact is not None and self._often():
            return contact.agent, contact.id
        if self._often(0.7):
            return self.random.choice(self.served)
        return self.random.choice(self.scale.agents), self.random.choice(self.contacts)[1]

    def _number(self, oracle: Oracle, *states: State) -> int:
        contact = self._contact(oracle, *states)
        if contact is not None and self._often(0.95):
            return contact.id
        return self.random.choice(self.contacts)[1]

    def _agent(self, oracle: Oracle) -> int:
        return self._one(oracle.agents, self.scale.agents)

    def _offer(self, oracle: Oracle) -> tuple[int, int]:
        if oracle.offers and self._often():
            offer = self.random.choice(list(oracle.offers.values()))
            return offer.agent, offer.id
        agent, offer_id = self.random.choice(self.offers)
        return (agent if self._often() else self.random.choice(self.scale.agents)), offer_id

    def _reason(self) -> int:
        return max(0, self.random.randrange(-2, len(self.scale.reasons) + 2))

    def _command_id(self) -> bytes | None:
        if self._often(0.6):
            return None
        if self._often(0.8):
            self.command_ids.append(self.random.randbytes(16))
            return self.command_ids[-1]
        return self.random.choice(self.command_ids)

    def _queue(self, oracle: Oracle) -> int:
        return self._one(oracle.queues, self.scale.queues)

    def _one(self, known: Iterable[int], possible: range) -> int:
        """Return a number that is configured, or now and then any."""
        numbers = list(known) if self._often(0.97) else []
        return int(self.random.choice(numbers or list(possible)))

    def _head_start(self) -> int:
        if self._often(0.6):
            return 0
        if self._often(0.95):
            return self.random.randrange(1, 60) * SECOND
        return MAX_HEAD_START_US + self.random.choice((0, 1))

    def _requires(self, oracle: Oracle) -> tuple[SkillLevel, ...]:
        if self._often(0.6):
            return ()
        if self._often(0.9):
            return self.configs.levels(oracle.rules.skills, 0.3)
        entry = SkillLevel(self.random.randrange(6), self.random.choice((0, 1, 101)))
        return (entry,) * self.random.choice((1, 2, 17))

    # Commands

    def arrive(self, oracle: Oracle) -> cmd.Command:
        """Return an arrival, or now and then a redelivery."""
        channel = self._one(oracle.channels, self.scale.channels)
        key = self.random.randbytes(16)
        if not self._often(0.92):
            channel, _, key = self.random.choice(self.contacts)
        weight = self.random.choice((1, 1, 1, 2, 3) if self._often(0.97) else (0, 100, 101))
        requires = self._requires(oracle)
        return cmd.Arrive(channel, key, self._queue(oracle), self._head_start(), weight, requires)

    def abandon(self, oracle: Oracle) -> cmd.Command:
        """Return a customer's leaving, in any state."""
        return cmd.Abandon(*self._channel_contact(oracle, self.random.choice(tuple(State))))

    def connected(self, oracle: Oracle) -> cmd.Command:
        """Return a connection."""
        return cmd.Connected(*self._channel_contact(oracle, State.CONNECTING))

    def connect_failed(self, oracle: Oracle) -> cmd.Command:
        """Return a failed connection."""
        return cmd.ConnectFailed(*self._channel_contact(oracle, State.CONNECTING))

    def sign_in(self, oracle: Oracle) -> cmd.Command:
        """Return a sign-in."""
        return cmd.SignIn(self._agent(oracle), self._often(0.85), self._command_id())

    def sign_out(self, oracle: Oracle) -> cmd.Command:
        """Return a sign-out."""
        return cmd.SignOut(self._agent(oracle), self._command_id())

    def ready(self, oracle: Oracle) -> cmd.Command:
        """Return a ready."""
        return cmd.Ready(self._agent(oracle), self._command_id())

    def not_ready(self, oracle: Oracle) -> cmd.Command:
        """Return a not ready."""
        return cmd.NotReady(self._agent(oracle), self._reason(), self._command_id())

    def unlock(self, oracle: Oracle) -> cmd.Command:
        """Return an unlock, mostly of somebody who is locked."""
        locked = [agent.id for agent in oracle.agents.values() if agent.locked]
        agent = self._agent(oracle)
        chosen = self.random.choice(locked) if locked and self._often() else agent
        return cmd.Unlock(chosen, self._command_id())

    def accept(self, oracle: Oracle) -> cmd.Command:
        """Return an accept."""
        return cmd.Accept(*self._offer(oracle))

    def decline(self, oracle: Oracle) -> cmd.Command:
        """Return a decline."""
        return cmd.Decline(*self._offer(oracle), self._reason())

    def end(self, oracle: Oracle) -> cmd.Command:
        """Return an end."""
        states = (State.ENGAGED,) if self._often() else (State.OFFERED, State.CONNECTING)
        return cmd.End(*self._agent_contact(oracle, *states))

    def end_wrap_up(self, oracle: Oracle) -> cmd.Command:
        """Return an early end of a wrap-up."""
        running = [(agent.id, w.contact) for agent in oracle.agents.values() for w in agent.wrap_ups]
        if running and self._often():
            return cmd.EndWrapUp(*self.random.choice(running))
        return cmd.EndWrapUp(*self._agent_contact(oracle, State.ENGAGED))

    def transfer(self, oracle: Oracle) -> cmd.Command:
        """Return a transfer."""
        states = (State.ENGAGED,) if self._often() else (State.OFFERED, State.CONNECTING)
        agent, contact = self._agent_contact(oracle, *states)
        requires = self._requires(oracle)
        return cmd.Transfer(agent, contact, self._queue(oracle), self._head_start(), requires)

    def change(self, oracle: Oracle) -> cmd.Command:
        """Return a change of a waiting contact, which may say what is so already."""
        contact = self._number(oracle, State.WAITING) if self._often() else self._number(oracle, *State)
        queue = 0 if self._often(0.5) else self._queue(oracle)
        head_start_us = cmd.KEEP_HEAD_START_US if self._often(0.5) else self._head_start()
        requires = None if self._often(0.5) else self._requires(oracle)
        return cmd.Change(contact, queue, head_start_us, requires, self._command_id())

    def release(self, oracle: Oracle) -> cmd.Command:
        """Return a forced release, in any state."""
        return cmd.Release(self._number(oracle, self.random.choice(tuple(State))), self._command_id())

    def configure(self, oracle: Oracle) -> cmd.Command:
        """Return a changed configuration."""
        return cmd.Configure(self.configs.changed(oracle.rules))

    def restarted(self, oracle: Oracle) -> cmd.Command:
        """Return a restart."""
        return cmd.Restarted()


MAKERS: dict[type[cmd.Command], Callable[[Storm, Oracle], cmd.Command]] = {
    cmd.Configure: Storm.configure,
    cmd.Restarted: Storm.restarted,
    cmd.Arrive: Storm.arrive,
    cmd.Abandon: Storm.abandon,
    cmd.Connected: Storm.connected,
    cmd.ConnectFailed: Storm.connect_failed,
    cmd.SignIn: Storm.sign_in,
    cmd.SignOut: Storm.sign_out,
    cmd.Ready: Storm.ready,
    cmd.NotReady: Storm.not_ready,
    cmd.Unlock: Storm.unlock,
    cmd.Accept: Storm.accept,
    cmd.Decline: Storm.decline,
    cmd.End: Storm.end,
    cmd.EndWrapUp: Storm.end_wrap_up,
    cmd.Transfer: Storm.transfer,
    cmd.Change: Storm.change,
    cmd.Release: Storm.release,
}


def perform(executor: Executor, step: Step) -> Outcome:
    """Take a step: a command, or only time."""
    if step.command is None:
        return Outcome(None, 0, executor.advance(step.at))
    return executor.apply(step.at, step.command)

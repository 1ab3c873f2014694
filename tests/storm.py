"""The storm: random commands from a seed, aimed at what is alive in the oracle."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from tests.oracle import commands as cmd
from tests.oracle.causes import ReleasedBy
from tests.oracle.config import MAX_PREFERRED, QueueState
from tests.oracle.oracle import Oracle
from tests.oracle.state import Presence, State
from tests.scenario_text import Executor, Outcome
from tests.storm_aim import Aim
from tests.storm_config import SMALL, Scale
from tests.storm_demand import SECOND
from tests.storm_times import a_time

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
    cmd.Hold: 3,
    cmd.Resume: 4,
    cmd.Park: 4,
    cmd.Unpark: 5,
    cmd.Invite: 12,
    cmd.Leave: 10,
    cmd.TakeOver: 3,
    cmd.Move: 3,
    cmd.TransferOut: 2,
    cmd.Hours: 4,
    cmd.Choose: 20,
    cmd.LeaseLost: 3,
    cmd.Configure: 4,
    cmd.Restarted: 1,
    None: 6,
}


IN_HAND: tuple[type[cmd.Command], ...] = (
    *(cmd.Transfer, cmd.Hold, cmd.Resume, cmd.Park, cmd.Unpark),
    *(cmd.Invite, cmd.TakeOver, cmd.Move, cmd.TransferOut),
)
"""What is done with an engaged contact."""


class Step(NamedTuple):
    """One thing to do: a command, or None for the passing of time."""

    at: int
    command: cmd.Command | None


class Storm(Aim):
    """Makes one step after the other; `seen` tells it what the last one caused."""

    def __init__(self, seed: int, scale: Scale = SMALL) -> None:
        super().__init__(Random(seed), scale)
        self.crowd = self.random.choice(scale.crowds)
        self.opening = self.random.randrange(4)

    def next(self, oracle: Oracle) -> Step:
        """Return the next step, given the state that it will meet."""
        if oracle.config is None:
            return self._open(oracle)
        weights = self._weights(oracle)
        kind = self.random.choices(list(weights), list(weights.values()))[0]
        at = self._time(oracle)
        if kind is cmd.Restarted and self.often(0.5):
            at = self._tick(oracle.now, self.random.randrange(1, 60))
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
            *((kind, State.ENGAGED in states) for kind in IN_HAND),
            (cmd.Leave, any(contact.participants for contact in oracle.contacts.values())),
            (cmd.EndWrapUp, wrap_ups),
            (cmd.Choose, bool(oracle.choices)),
            (cmd.Change, State.WAITING in states),
            (cmd.Arrive, len(oracle.contacts) < self.crowd),
        ):
            weights[kind] = weights[kind] if possible else 1
        absent = sum(agent.presence is Presence.SIGNED_OUT for agent in oracle.agents.values())
        weights[cmd.SignIn] += 2 * absent
        weights[cmd.Arrive] += max(0, self.crowd - len(oracle.contacts)) // 2
        return weights

    def _open(self, oracle: Oracle) -> Step:
        """Do what can be done before the first configuration, and at last configure."""
        if self.opening > 0:
            self.opening -= 1
            config = self.configs.changed(self.configs.fresh())
            nothing = None if self.opening % 2 else cmd.Ready(1)
            early = (cmd.Restarted(), cmd.SignIn(1), cmd.Configure(config), nothing)
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

    # Commands

    def arrive(self, oracle: Oracle) -> cmd.Command:
        """Return an arrival, or now and then a redelivery."""
        channel = self.one(oracle.channels, self.scale.channels)
        key = self.random.randbytes(16)
        if not self.often(0.92):
            channel, _, key = self.random.choice(self.contacts)
        weight = self.random.choice(self.scale.weights if self.often(0.97) else (0, 100, 101))
        target = (channel, key, self.queue_to_come_to(oracle, channel), self.head_start(), weight)
        return cmd.Arrive(*target, **self.demand(oracle)._asdict(), **a_time(self.random, oracle))

    def abandon(self, oracle: Oracle) -> cmd.Command:
        """Return a customer's leaving, in any state."""
        return cmd.Abandon(*self.channel_contact(oracle, self.random.choice(tuple(State))))

    def connected(self, oracle: Oracle) -> cmd.Command:
        """Return a connection."""
        return cmd.Connected(*self.channel_contact(oracle, State.CONNECTING))

    def connect_failed(self, oracle: Oracle) -> cmd.Command:
        """Return a failed connection."""
        return cmd.ConnectFailed(*self.channel_contact(oracle, State.CONNECTING))

    def sign_in(self, oracle: Oracle) -> cmd.Command:
        """Return a sign-in."""
        return cmd.SignIn(self.agent(oracle), self.often(0.85), self.command_id())

    def sign_out(self, oracle: Oracle) -> cmd.Command:
        """Return a sign-out."""
        return cmd.SignOut(self.agent(oracle), self.command_id())

    def ready(self, oracle: Oracle) -> cmd.Command:
        """Return a ready."""
        return cmd.Ready(self.agent(oracle), self.command_id())

    def not_ready(self, oracle: Oracle) -> cmd.Command:
        """Return a not ready."""
        return cmd.NotReady(self.agent(oracle), self.reason(), self.command_id())

    def unlock(self, oracle: Oracle) -> cmd.Command:
        """Return an unlock, mostly of somebody who is locked."""
        locked = [agent.id for agent in oracle.agents.values() if agent.locked]
        agent = self.agent(oracle)
        chosen = self.random.choice(locked) if locked and self.often() else agent
        return cmd.Unlock(chosen, self.command_id())

    def accept(self, oracle: Oracle) -> cmd.Command:
        """Return an accept."""
        return cmd.Accept(*self.offer(oracle))

    def decline(self, oracle: Oracle) -> cmd.Command:
        """Return a decline."""
        return cmd.Decline(*self.offer(oracle), self.reason())

    def end(self, oracle: Oracle) -> cmd.Command:
        """Return an end."""
        states = (State.ENGAGED,) if self.often() else (State.OFFERED, State.CONNECTING)
        return cmd.End(*self.agent_contact(oracle, *states))

    def end_wrap_up(self, oracle: Oracle) -> cmd.Command:
        """Return an early end of a wrap-up."""
        running = [(agent.id, w.contact) for agent in oracle.agents.values() for w in agent.wrap_ups]
        if running and self.often():
            return cmd.EndWrapUp(*self.random.choice(running))
        return cmd.EndWrapUp(*self.agent_contact(oracle, State.ENGAGED))

    def transfer(self, oracle: Oracle) -> cmd.Command:
        """Return a transfer."""
        states = (State.ENGAGED,) if self.often() else (State.OFFERED, State.CONNECTING)
        agent, contact = self.agent_contact(oracle, *states)
        if not self.often():
            agent, contact = self.random.choice(self.passed_on)
        target = (agent, contact, self.queue(oracle), self.head_start())
        demand = self.demand(oracle)
        guests = sorted(one.agent for one in self.participants(oracle, contact))[:MAX_PREFERRED]
        if guests and self.often(0.5):
            # They are free again in the very decision that is about what is for them.
            demand = demand._replace(preferred=tuple(guests), beyond_capacity=self.often(0.7))
        return cmd.Transfer(*target, **demand._asdict())

    def change(self, oracle: Oracle) -> cmd.Command:
        """Return a change of a waiting contact, which may say what is so already."""
        contact = self.number(oracle, State.WAITING) if self.often() else self.number(oracle, *State)
        queue = 0 if self.often(0.5) else self.queue(oracle)
        head_start_us = cmd.KEEP_HEAD_START_US if self.often(0.5) else self.head_start()
        requires = None if self.often(0.5) else self.requires(oracle)
        return cmd.Change(contact, queue, head_start_us, requires, self.command_id())

    def release(self, oracle: Oracle) -> cmd.Command:
        """Return a forced release, in any state."""
        contact, by = (
            self.number(oracle, self.random.choice(tuple(State))),
            self.random.choice(tuple(ReleasedBy)),
        )
        return cmd.Release(contact, self.command_id(), by)

    def hold(self, oracle: Oracle) -> cmd.Command:
        """Return a hold."""
        return cmd.Hold(*self.own(oracle, "held"))

    def resume(self, oracle: Oracle) -> cmd.Command:
        """Return the end of a hold."""
        return cmd.Resume(*self.own(oracle, "held", True))

    def park(self, oracle: Oracle) -> cmd.Command:
        """Return a parking."""
        return cmd.Park(*self.own(oracle, "parked"))

    def unpark(self, oracle: Oracle) -> cmd.Command:
        """Return the end of a parking."""
        return cmd.Unpark(*self.own(oracle, "parked", True))

    def invite(self, oracle: Oracle) -> cmd.Command:
        """Return an invitation, mostly of somebody who is there, often of the same few."""
        present = [one.id for one in oracle.agents.values() if one.presence is not Presence.SIGNED_OUT]
        agent = self.agent(oracle)
        invitee = self.random.choice(present) if present and self.often() else agent
        return cmd.Invite(*self.in_company(oracle), invitee, self.command_id())

    def leave(self, oracle: Oracle) -> cmd.Command:
        """Return a leaving: of who has joined, or of who serves."""
        return cmd.Leave(*self.in_company(oracle))

    def take_over(self, oracle: Oracle) -> cmd.Command:
        """Return a take-over."""
        agent, (_, contact) = self.agent(oracle), self.own(oracle)
        return cmd.TakeOver(agent, contact, self.command_id())

    def move(self, oracle: Oracle) -> cmd.Command:
        """Return a forced transfer."""
        contact = self.number(oracle, State.ENGAGED) if self.often() else self.number(oracle, *State)
        place = (self.queue(oracle), self.head_start(), self.requires(oracle))
        return cmd.Move(contact, *place, self.command_id())

    def transfer_out(self, oracle: Oracle) -> cmd.Command:
        """Return a transfer outside."""
        known = oracle.rules.targets if self.often() else ()
        return cmd.TransferOut(*self.own(oracle), self.one(known, self.scale.reasons))

    def hours(self, oracle: Oracle) -> cmd.Command:
        """Return hours: of a queue that is not open, to open it, or of one with contacts, to close it."""
        shut, queue = list(oracle.hours), self.queue(oracle)
        if shut and self.often(0.8):
            queue = self.random.choice(shut)
        elif (inside := sorted({contact.queue for contact in oracle.waiting()})) and self.often(0.8):
            queue = self.random.choice(inside)
        to_open = queue in shut and self.often()
        state = QueueState.OPEN if to_open else self.random.choice(tuple(QueueState))
        return cmd.Hours(queue, state, self.command_id())

    def choose(self, oracle: Oracle) -> cmd.Command:
        """Return an answer from outside: mostly an agent who could have it when it was asked."""
        return cmd.Choose(*self.choice(oracle))

    def lease_lost(self, oracle: Oracle) -> cmd.Command:
        """Return the loss of a lease, mostly of somebody with something in hand, or on the way out."""
        agents = oracle.agents.values()
        busy = [one.id for one in agents if one.contacts or one.joined or one.signing_out]
        agent = self.agent(oracle)
        return cmd.LeaseLost(self.random.choice(busy) if busy and self.often(0.8) else agent)

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
    cmd.Hold: Storm.hold,
    cmd.Resume: Storm.resume,
    cmd.Park: Storm.park,
    cmd.Unpark: Storm.unpark,
    cmd.Invite: Storm.invite,
    cmd.Leave: Storm.leave,
    cmd.TakeOver: Storm.take_over,
    cmd.Move: Storm.move,
    cmd.TransferOut: Storm.transfer_out,
    cmd.Hours: Storm.hours,
    cmd.Choose: Storm.choose,
    cmd.LeaseLost: Storm.lease_lost,
}


def perform(executor: Executor, step: Step) -> Outcome:
    """Take a step: a command, or only time."""
    if step.command is None:
        return Outcome(None, 0, executor.advance(step.at))
    return executor.apply(step.at, step.command)

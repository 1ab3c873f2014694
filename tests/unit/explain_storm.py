"""Storms to explain, and the harness that applies a stated fix in a replay.

A moment is a place in a storm: the router before one step (as a snapshot), and the step. A replay starts
from the snapshot, so that what is changed in it is the only difference from what happened.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple, cast

import msgspec

from engine.errors import Refused, SignedOut
from engine.explain import Explained, Fix, explained
from engine.model import (
    NO_LIMIT,
    Abandon,
    Accept,
    AgentConfig,
    ChannelUnits,
    Command,
    Config,
    Configure,
    Connected,
    Decline,
    EndWrapUp,
    Event,
    Leave,
    NotReady,
    OfferMade,
    Ready,
    SignIn,
    SignOut,
    SkillLevel,
    Unlock,
    decode_body,
    encode_frame,
)
from engine.router import Router
from tests.oracle import commands as cmd
from tests.oracle import wire
from tests.oracle.config import Config as OracleConfig
from tests.oracle.config import Strategy
from tests.oracle.oracle import Oracle
from tests.oracle.oracle_executor import OracleExecutor
from tests.oracle.state import Contact
from tests.storm import SMALL, Storm, perform

WAITING, OFFERED, CONNECTING, ENGAGED = range(4)
RAISES = {"raise_skill", "raise_capacity"}
LEVELS = {"raise_skill", "lower_skill"}
NO_TIME_NEEDED = {"raise_capacity", "empty_hands", "finish_exclusive", "close_offers"}
"""Fixes of what an agent holds: where time has to pass for another one, some of it ends by itself."""


class Numbers:
    """Names that are their numbers: a storm has no others."""

    def name(self, kind: str, number: int) -> str:
        return str(number)


NUMBERS = Numbers()


class Moment(NamedTuple):
    """A step of a storm, the router before it, and what it brought about."""

    snapshot: bytes
    at: int
    command: Command | None
    events: list[Event]

    def router(self) -> Router:
        return Router.restore(self.snapshot)

    def frames(self) -> bytes:
        return b"" if self.command is None else encode_frame(self.command)

    def offers(self) -> list[OfferMade]:
        return [event for event in self.events if isinstance(event, OfferMade)]


def storm(seed: int, steps: int, *, calm: bool = False) -> Iterator[tuple[Moment, Oracle]]:
    """Yield every step of a storm, with the oracle behind it.

    Args:
        seed: another one, another storm.
        steps: how many.
        calm: without rules by which a change of one pair changes where others are or may go: overflow,
            contacts in hand, reservations, choices from outside. Then a replay shows what a fix does.
    """
    weather, executor, router = Storm(seed, SMALL), OracleExecutor(), Router()
    for _ in range(steps):
        step = weather.next(executor.oracle)
        if calm and isinstance(step.command, cmd.Configure):
            step = step._replace(command=cmd.Configure(calmed(step.command.config)))
        snapshot = router.snapshot()
        weather.seen(perform(executor, step).events)
        command = None
        if step.command is None:
            router.advance(step.at)
        else:
            body = wire.command_body(step.command)
            router.apply_raw(step.at, body)
            command = cast(Command, decode_body(body))
        yield Moment(snapshot, step.at, command, router.events), executor.oracle


def calmed(config: OracleConfig) -> OracleConfig:
    """Return a configuration without the rules that a calm storm has not."""
    queues = (
        queue._replace(
            overflow=(),
            max_in_hand=NO_LIMIT,
            strategy=queue.fallback if queue.strategy is Strategy.OUTSIDE else queue.strategy,
        )
        for queue in config.queues
    )
    return config._replace(queues=tuple(queues), reserve_after_us=0)


def tell(router: Router, contact: int, agent: int) -> Explained:
    told = explained(router, NUMBERS, contact, agent)
    assert told is not None, (contact, agent)
    return told


def configured(router: Router) -> Config:
    config = router.config()
    assert config is not None
    return config


# ----- what a replay changes


def change_agents(config: Config, agents: Iterable[AgentConfig]) -> Config:
    changed = {agent.id: agent for agent in agents}
    listed = tuple(changed.get(agent.id, agent) for agent in config.agents)
    return msgspec.structs.replace(config, agents=listed)


def without(config: Config, agents: Iterable[int]) -> Config:
    """The configuration in which these agents can take nothing more; what they have they keep.

    Nobody is blocked in it: with fewer agents more contacts wait. Nobody accepts by itself either: what is
    looked at is who is asked.
    """
    barred = set(agents)
    queues = tuple(msgspec.structs.replace(queue, max_waiting=NO_LIMIT) for queue in config.queues)
    agents = tuple(
        msgspec.structs.replace(one, capacity=() if one.id in barred else one.capacity, auto_accept=False)
        for one in config.agents
    )
    return msgspec.structs.replace(config, agents=agents, queues=queues, max_waiting=NO_LIMIT)


def others(config: Config, agent: int) -> list[int]:
    return [one.id for one in config.agents if one.id != agent]


def leave_alone(router: Router, contact: int, agent: int, *, humans_stay: bool = False) -> None:
    """Leave of the site one waiting contact and one agent with what it has in hand: no rank decides.

    Args:
        router: changed.
        contact: the contact.
        agent: the agent.
        humans_stay: the others take a break instead, so that they are still signed in.
    """
    config = configured(router)
    # Before the others go: a stealth agent may be offered something as soon as they have.
    desk = router.desk(agent)
    assert desk is not None
    mine = {contact, *(one.contact for one in desk.offers), *(one.contact for one in desk.contacts)}
    if humans_stay:
        for other in others(config, agent):
            with suppress(SignedOut):
                router.apply(router.now, NotReady(agent=other))
    else:
        router.apply(router.now, Configure(config=without(config, others(config, agent))))
    for channel in config.channels:
        for other, state, _, _ in router.channel_contacts(channel.id):
            if other not in mine and state != ENGAGED:
                router.apply(router.now, Abandon(channel=channel.id, contact=other))


def mend(router: Router, contact: int, fixes: list[Fix]) -> None:
    """Apply the fixes, each as the command that a person would give."""
    if not fixes:
        return
    actions = {fix.action for fix in fixes}
    agent = int(fixes[0].agent)
    _configure(router, agent, fixes)
    # Before the hands are emptied: whoever is leaving is gone then.
    _declare(router, agent, actions)
    channels = configured(router).channels
    if "empty_hands" in actions:
        _finish(router, agent, {one.id for one in channels if not one.interruptible}, offers=False)
    if "finish_exclusive" in actions:
        _finish(router, agent, {one.id for one in channels if one.exclusive}, offers=True)
    if "close_offers" in actions:
        _decline(router, agent, contact)
    if "humans_leave" in actions:
        config = configured(router)
        for other in (one.id for one in config.agents if one.id != agent and not one.stealth):
            router.apply(router.now, SignOut(agent=other))
    if "unlock" in actions:
        router.apply(router.now, Unlock(agent=agent))
    if "ask_again" in actions:
        _freeze(router, agent)
        again = {fix.action: fix for fix in tell(router, contact, agent).fixes}.get("ask_again")
        assert again is not None, "it is not among the attempted"
        assert again.to > router.now, "no retry is set though nobody else is left"
        router.advance(again.to)


def _configure(router: Router, agent: int, fixes: list[Fix]) -> None:
    config = configured(router)
    old = next(one for one in config.agents if one.id == agent)
    skills = {one.skill: one.level for one in old.skills}
    units = {one.channel: one.units for one in old.capacity}
    skills |= {int(fix.subject): fix.to for fix in fixes if fix.action in LEVELS}
    units |= {int(fix.subject): fix.to for fix in fixes if fix.action == "raise_capacity"}
    new = msgspec.structs.replace(
        old,
        skills=tuple(SkillLevel(*one) for one in sorted(skills.items()) if one[1] > 0),
        capacity=tuple(ChannelUnits(*one) for one in sorted(units.items())),
    )
    if new != old:
        router.apply(router.now, Configure(config=change_agents(config, [new])))


def _finish(router: Router, agent: int, ends: set[int], *, offers: bool) -> None:
    """End what the agent has in hand on these channels, leave what others serve, end after-contact work."""
    desk = router.desk(agent)
    assert desk is not None
    for one in (*(desk.offers if offers else ()), *desk.contacts):
        if one.channel in ends:
            router.apply(router.now, Abandon(channel=one.channel, contact=one.contact))
    for joined in desk.joined:
        if joined.channel in ends:
            router.apply(router.now, Leave(agent=agent, contact=joined.contact))
    desk = router.desk(agent)
    assert desk is not None
    for work in desk.wrap_ups:
        if work.channel in ends:
            router.apply(router.now, EndWrapUp(agent=agent, contact=work.contact))


def _decline(router: Router, agent: int, contact: int) -> None:
    """Let the agent refuse what rings, but for the contact itself."""
    desk = router.desk(agent)
    assert desk is not None
    for offer in [one for one in desk.offers if one.contact != contact]:
        router.apply(router.now, Decline(agent=agent, offer=offer.offer))


def _declare(router: Router, agent: int, actions: set[str]) -> None:
    desk = router.desk(agent)
    assert desk is not None
    if "stay" in actions or "sign_in" in actions:
        ready = desk.presence == 2 or bool({"make_ready", "sign_in"} & actions)
        router.apply(router.now, SignIn(agent=agent, ready=ready))
    elif "make_ready" in actions:
        # Refused where it is leaving and that was not mended.
        with suppress(SignedOut):
            router.apply(router.now, Ready(agent=agent))


def _freeze(router: Router, agent: int) -> None:
    """Let the agent answer what rings and connects, so that nothing but wrap-ups ends with time."""
    desk = router.desk(agent)
    assert desk is not None
    for offer in desk.offers:
        router.apply(router.now, Accept(agent=agent, offer=offer.offer))
    desk = router.desk(agent)
    assert desk is not None
    for held in desk.contacts:
        if held.state == CONNECTING:
            router.apply(router.now, Connected(channel=held.channel, contact=held.contact))


def is_offered(router: Router, contact: int, agent: int) -> bool:
    line = router.contact(contact)
    if line is None or line.state == WAITING:
        return False
    desk = router.desk(agent)
    assert desk is not None
    # Whoever accepts by itself has it in hand already; of several whom it rings at one is named.
    return contact in [one.contact for one in (*desk.offers, *desk.contacts)]


def is_direct(contact: Contact) -> bool:
    """Whether agents go beyond their capacity for it: no lack of units keeps those out whom it prefers."""
    return contact.demand.beyond_capacity and contact.preferred_until is not None


# ----- what a statement about a waiting contact has to stand


def faults(
    router: Router,
    contact: int,
    agent: int,
    fixes: list[Fix],
    *,
    several: bool = False,
    humans_stay: bool = False,
) -> list[str]:
    """Say what is wrong with the statement that exactly these fixes give a waiting contact to an agent.

    All of them flip the decision; with one of them left out, or changing a level by one less, it stays as it
    was.

    Args:
        router: at the instant; changed.
        contact: the contact.
        agent: the agent.
        fixes: what is stated.
        humans_stay: whoever keeps a stealth agent out is to be left on the site.
        several: there are alternatives, one of which a level that is meant for another requirement may meet.
    """
    actions = {fix.action for fix in fixes}
    leave_alone(router, contact, agent, humans_stay=humans_stay)
    alone = router.snapshot()
    desk = router.desk(agent)
    if is_offered(router, contact, agent):
        return ["flips without any fix"]
    found = [] if flips(alone, contact, agent, fixes) else ["does not flip with all fixes"]
    for left_out in fixes:
        waits = "ask_again" in actions and left_out.action in NO_TIME_NEEDED
        if waits and desk is not None and (desk.wrap_ups or desk.offers):
            continue
        if several and left_out.action in LEVELS:
            continue
        rest = [fix for fix in fixes if fix is not left_out]
        if flips(alone, contact, agent, rest):
            found.append(f"flips without {left_out.action}")
        less = by_one(left_out, -1)
        if less.to != left_out.to and flips(alone, contact, agent, [*rest, less]):
            found.append(f"flips with less of {left_out.action}")
    return found


def by_one(fix: Fix, more: int) -> Fix:
    """The fix that does one more, or one less; the same where there is no such thing."""
    if fix.action in RAISES and 0 < fix.to + more <= 100:
        return msgspec.structs.replace(fix, to=fix.to + more)
    if fix.action == "lower_skill" and fix.to - more >= 0:
        return msgspec.structs.replace(fix, to=fix.to - more)
    return fix


def flips(snapshot: bytes, contact: int, agent: int, fixes: list[Fix]) -> bool:
    router = Router.restore(snapshot)
    try:
        mend(router, contact, fixes)
    except (AssertionError, Refused):
        # A fix that cannot be applied mends nothing.
        return False
    router.check()
    return is_offered(router, contact, agent)

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
    EndWrapUp,
    Event,
    OfferMade,
    Ready,
    SignIn,
    SkillLevel,
    Unlock,
    decode_body,
    encode_frame,
)
from engine.router import Router
from tests.oracle import wire
from tests.oracle.oracle import Oracle
from tests.oracle.oracle_executor import OracleExecutor
from tests.storm import SMALL, Storm, perform

WAITING, OFFERED, CONNECTING, ENGAGED = range(4)
RAISES = {"raise_skill", "raise_capacity"}
NO_TIME_NEEDED = {"raise_capacity", "empty_hands", "finish_exclusive"}
"""Fixes of what an agent holds: where time has to pass for another one, wrap-ups end by themselves."""


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


def storm(seed: int, steps: int) -> Iterator[tuple[Moment, Oracle]]:
    """Yield every step of a storm, with the oracle behind it."""
    weather, executor, router = Storm(seed, SMALL), OracleExecutor(), Router()
    for _ in range(steps):
        step = weather.next(executor.oracle)
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

    Nobody is blocked in it: with fewer agents more contacts wait.
    """
    barred = set(agents)
    queues = tuple(msgspec.structs.replace(queue, max_waiting=NO_LIMIT) for queue in config.queues)
    idle = [msgspec.structs.replace(one, capacity=()) for one in config.agents if one.id in barred]
    return msgspec.structs.replace(change_agents(config, idle), queues=queues, max_waiting=NO_LIMIT)


def others(config: Config, agent: int) -> list[int]:
    return [one.id for one in config.agents if one.id != agent]


def leave_alone(router: Router, contact: int, agent: int) -> None:
    """Leave of the site one waiting contact and one agent with what it has in hand: no rank decides."""
    config = configured(router)
    router.apply(router.now, Configure(config=without(config, others(config, agent))))
    for channel in config.channels:
        for other, state, holder, _ in router.channel_contacts(channel.id):
            if other != contact and state != ENGAGED and holder != agent:
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
    if "empty_hands" in actions:
        _finish(router, agent, exclusive_only=False)
    if "finish_exclusive" in actions:
        _finish(router, agent, exclusive_only=True)
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
    skills |= {int(fix.subject): fix.to for fix in fixes if fix.action == "raise_skill"}
    units |= {int(fix.subject): fix.to for fix in fixes if fix.action == "raise_capacity"}
    new = AgentConfig(
        id=agent,
        skills=tuple(SkillLevel(*one) for one in sorted(skills.items())),
        capacity=tuple(ChannelUnits(*one) for one in sorted(units.items())),
    )
    if new != old:
        router.apply(router.now, Configure(config=change_agents(config, [new])))


def _finish(router: Router, agent: int, *, exclusive_only: bool) -> None:
    """End what the agent has in hand, and its after-contact work."""
    ends = {one.id for one in configured(router).channels if one.exclusive or not exclusive_only}
    desk = router.desk(agent)
    assert desk is not None
    for one in (*desk.offers, *desk.contacts):
        if one.channel in ends:
            router.apply(router.now, Abandon(channel=one.channel, contact=one.contact))
    desk = router.desk(agent)
    assert desk is not None
    for work in desk.wrap_ups:
        if work.channel in ends:
            router.apply(router.now, EndWrapUp(agent=agent, contact=work.contact))


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
    return line is not None and (line.state, line.agent) == (OFFERED, agent)


# ----- what a statement about a waiting contact has to stand


def faults(router: Router, contact: int, agent: int, fixes: list[Fix]) -> list[str]:
    """Say what is wrong with the statement that exactly these fixes give a waiting contact to an agent.

    All of them flip the decision; with one of them left out, or raising by one less, it stays as it was.
    """
    leave_alone(router, contact, agent)
    alone = router.snapshot()
    desk = router.desk(agent)
    actions = {fix.action for fix in fixes}
    if is_offered(router, contact, agent):
        return ["flips without any fix"]
    found = [] if flips(alone, contact, agent, fixes) else ["does not flip with all fixes"]
    for left_out in fixes:
        waits = "ask_again" in actions and left_out.action in NO_TIME_NEEDED
        if waits and desk is not None and desk.wrap_ups:
            continue
        rest = [fix for fix in fixes if fix is not left_out]
        if flips(alone, contact, agent, rest):
            found.append(f"flips without {left_out.action}")
        less = msgspec.structs.replace(left_out, to=left_out.to - 1)
        if left_out.action in RAISES and less.to > 0 and flips(alone, contact, agent, [*rest, less]):
            found.append(f"flips with less of {left_out.action}")
    return found


def flips(snapshot: bytes, contact: int, agent: int, fixes: list[Fix]) -> bool:
    router = Router.restore(snapshot)
    try:
        mend(router, contact, fixes)
    except (AssertionError, Refused):
        # A fix that cannot be applied mends nothing.
        return False
    router.check()
    return is_offered(router, contact, agent)

"""Why an agent has a contact, or has it not: the core's answer in the configuration's names.

The core compares numbers; here they get their names, and each condition that fails gets its `Fix`:
the one change that would make it hold. When all fixes are applied the pair is eligible, and what is
left is the rank: the agents and the contacts that go before.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from engine import router
from engine.model import Strategy
from engine.router import Check, Router
from engine.views import Naming

SKILLS = ("queue_skill", "contact_skill")
OFFERED, ENGAGED, SERVED = 1, 3, 4
"""What the condition `waiting` has: 0 waiting, 1 offered, 2 connecting, 3 engaged, then the outcomes."""


class Reason(msgspec.Struct, frozen=True):
    """One condition of being eligible; what the numbers are depends on it.

    Attributes:
        predicate: its stable name.
        holds: whether it is met.
        subject: the skill, channel, reason or agent that it is about; "" = none.
        has: what is there: a level, units, a state.
        needs: what has to be there.
        held: what of it is taken.
    """

    predicate: str
    holds: bool
    subject: str
    has: int
    needs: int
    held: int


class Fix(msgspec.Struct, frozen=True):
    """The change that makes a condition hold.

    Attributes:
        predicate: the condition.
        action: "raise_skill", "raise_capacity", "sign_in", "make_ready", "stay", "unlock", "ask_again",
            "empty_hands", "finish_exclusive", "give_back", "transfer_back"; "none" = too late.
        agent: who is changed.
        subject: the skill or the channel.
        was: the level or the units that are there.
        to: what they have to be; of "ask_again" the time when that happens by itself, 0 = not set yet.
    """

    predicate: str
    action: str
    agent: str
    subject: str
    was: int
    to: int


class AgentRank(msgspec.Struct, frozen=True):
    """What agents are compared by: the higher level, then the smaller of the others, one by one.

    Attributes:
        level: the agent's for the queue; 0 where levels do not count.
        strategy: the queue's, as in the configuration.
        number: what the strategy goes by: units held, talk time in microseconds, offers, and so on.
        idle_since_us: what idle time counts from.
        position: the agent's place in the configuration.
    """

    agent: str
    level: int
    strategy: str
    number: int
    idle_since_us: int
    position: int


class Explained(msgspec.Struct, frozen=True):
    """Everything that stands between a contact and an agent at one instant.

    Attributes:
        eligible: the contact could be offered to the agent: every reason holds.
        reasons: the conditions in the core's order; of a contact that is over only the first.
        fixes: what would make the failing ones hold, each change once.
        rank: what the agent is compared by.
        candidates: how many agents are eligible.
        best: the first of them.
        agents_ahead: how many of them go before the agent.
        rivals: how many other waiting contacts the agent could take.
        contacts_ahead: how many of them go before the contact.
        ahead: the first of those.
    """

    contact: int
    agent: str
    at_us: int
    eligible: bool
    reasons: list[Reason]
    fixes: list[Fix]
    rank: AgentRank
    candidates: int
    best: list[AgentRank]
    agents_ahead: int
    rivals: int
    contacts_ahead: int
    ahead: list[int]

    @property
    def failing(self) -> list[Reason]:
        """The conditions that do not hold."""
        return [reason for reason in self.reasons if not reason.holds]


def explained(router: Router, names: Naming, contact: int, agent: int) -> Explained | None:
    """Explain a contact and an agent as they are in this state.

    Returns:
        None when the contact is not remembered, or the agent is not configured.
    """
    told = router.explain(contact, agent)
    if told is None:
        return None
    name = names.name("agent", agent)
    reasons = [_reason(names, check) for check in told.checks]
    return Explained(
        contact=contact,
        agent=name,
        at_us=router.now,
        eligible=told.eligible,
        reasons=reasons,
        fixes=fixes_of(name, reasons),
        rank=_rank(names, told.key),
        candidates=told.candidates,
        best=[_rank(names, key) for key in told.best],
        agents_ahead=told.agents_ahead,
        rivals=told.rivals,
        contacts_ahead=told.contacts_ahead,
        ahead=told.ahead,
    )


def fixes_of(agent: str, reasons: list[Reason]) -> list[Fix]:
    """The changes that would make every failing condition hold.

    A skill that queue and contact both ask for is raised once, to the higher level.
    """
    fixes: dict[tuple[str, str], Fix] = {}
    for reason in reasons:
        if not reason.holds:
            fix = FIXES[reason.predicate](agent, reason)
            known = fixes.get((fix.action, fix.subject))
            if known is None or known.to < fix.to:
                fixes[fix.action, fix.subject] = fix
    return list(fixes.values())


def _raise(action: str) -> Callable[[str, Reason], Fix]:
    def fix(agent: str, reason: Reason) -> Fix:
        return Fix(reason.predicate, action, agent, reason.subject, reason.has, reason.needs)

    return fix


def _act(action: str) -> Callable[[str, Reason], Fix]:
    def fix(agent: str, reason: Reason) -> Fix:
        return Fix(reason.predicate, action, agent, reason.subject, reason.has, 0)

    return fix


def _return(agent: str, reason: Reason) -> Fix:
    """Whoever has the contact has to let it go; of one that is over nothing can be changed."""
    action = "give_back" if reason.has < ENGAGED else "transfer_back" if reason.has == ENGAGED else "none"
    return Fix(reason.predicate, action, reason.subject, "", reason.has, 0)


def _ready(agent: str, reason: Reason) -> Fix:
    action = "make_ready" if reason.has else "sign_in"
    return Fix(reason.predicate, action, agent, "", reason.has, reason.needs)


def _ask_again(agent: str, reason: Reason) -> Fix:
    return Fix(reason.predicate, "ask_again", agent, "", 0, reason.has)


FIXES: dict[str, Callable[[str, Reason], Fix]] = {
    "waiting": _return,
    "queue_skill": _raise("raise_skill"),
    "contact_skill": _raise("raise_skill"),
    "ready": _ready,
    "staying": _act("stay"),
    "unlocked": _act("unlock"),
    "not_attempted": _ask_again,
    "capacity": _raise("raise_capacity"),
    "empty_hands": _act("empty_hands"),
    "nothing_exclusive": _act("finish_exclusive"),
}
SUBJECTS = {
    "waiting": "agent",
    "queue_skill": "skill",
    "contact_skill": "skill",
    "ready": "reason",
    "capacity": "channel",
    "nothing_exclusive": "channel",
}


def _reason(names: Naming, check: Check) -> Reason:
    kind = SUBJECTS.get(check.predicate)
    subject = names.name(kind, check.subject) if kind and check.subject else ""
    return Reason(check.predicate, check.holds, subject, check.has, check.needs, check.held)


def _rank(names: Naming, key: router.AgentKey) -> AgentRank:
    return AgentRank(
        agent=names.name("agent", key.agent),
        level=key.level,
        strategy=Strategy(key.strategy).name.lower(),
        number=key.number,
        idle_since_us=key.idle_since,
        position=key.position,
    )

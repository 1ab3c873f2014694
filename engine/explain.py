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

OFFERED, ENGAGED, SERVED, SCHEDULED = 1, 3, 4, 9
"""What the condition `waiting` has: 0 waiting, 1 offered, 2 connecting, 3 engaged, then the outcomes; last
scheduled, which needs the time before which it does not wait."""


class Reason(msgspec.Struct, frozen=True):
    """One condition of being eligible; what the numbers are depends on it.

    Attributes:
        predicate: its stable name.
        holds: whether it is met; what an agent has in hand is not asked of whom a contact prefers beyond
            the capacity, and then it holds whatever the numbers are.
        subject: the skill, channel, reason, queue or agent that it is about; "" = none.
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
        action: "raise_skill", "lower_skill", "raise_capacity", "sign_in", "make_ready", "stay", "unlock",
            "ask_again", "pass_on", "open_up", "humans_leave", "empty_hands", "close_offers",
            "finish_exclusive", "give_back", "transfer_back", "await", "await_choice", "serve_first",
            "open_queue", "finish_one", "sign_contract"; "none" = too late.
        agent: who is changed.
        subject: the skill, the channel or the queue.
        was: the level or the units that are there.
        to: what they have to be; of "ask_again", "open_up" and "await" the time when that happens by itself,
            0 = not set yet; of "serve_first" the contact.
    """

    predicate: str
    action: str
    agent: str
    subject: str
    was: int
    to: int


class AgentRank(msgspec.Struct, frozen=True):
    """What agents are compared by: the higher level and score, then the smaller of the others, one by one.

    Attributes:
        level: the agent's for the queue; 0 where levels do not count.
        score: weight times level, summed over the skills that the contact prefers; 0 where it prefers none.
        strategy: the queue's, as in the configuration.
        number: what the strategy goes by: units held, talk time in microseconds, offers, and so on.
        idle_since_us: what idle time counts from.
        position: the agent's place in the configuration.
    """

    agent: str
    level: int
    score: int
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

    @property
    def not_asked(self) -> list[Reason]:
        """The conditions that hold against their numbers: it is for the agent beyond the capacity."""
        return [reason for reason in self.reasons if reason.holds and _in_the_way(reason)]


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


def _in_the_way(reason: Reason) -> bool:
    """Whether the numbers of what an agent has in hand speak against a contact."""
    if reason.predicate == "capacity":
        return reason.has < reason.needs
    return reason.predicate in {"empty_hands", "no_offer", "nothing_exclusive"} and reason.has > 0


def fixes_of(agent: str, reasons: list[Reason]) -> list[Fix]:
    """The changes that would make every failing condition hold.

    A skill that queue and contact both ask for is raised once, to the higher level; one that both limit
    is lowered once, to the lower one.
    """
    fixes: dict[tuple[str, str], Fix] = {}
    for reason in reasons:
        if not reason.holds:
            fix = FIXES[reason.predicate](agent, reason)
            known = fixes.get((fix.action, fix.subject))
            if known is None or (fix.to < known.to if fix.action == "lower_skill" else known.to < fix.to):
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
    if reason.has == SCHEDULED:
        return Fix(reason.predicate, "await", agent, "", 0, reason.needs)
    action = "give_back" if reason.has < ENGAGED else "transfer_back" if reason.has == ENGAGED else "none"
    return Fix(reason.predicate, action, reason.subject, "", reason.has, 0)


def _ready(agent: str, reason: Reason) -> Fix:
    action = "make_ready" if reason.has else "sign_in"
    return Fix(reason.predicate, action, agent, "", reason.has, reason.needs)


def _lower(agent: str, reason: Reason) -> Fix:
    return Fix(reason.predicate, "lower_skill", agent, reason.subject, reason.has, reason.needs - 1)


def _open_up(agent: str, reason: Reason) -> Fix:
    return Fix(reason.predicate, "open_up", agent, "", 0, reason.has)


def _serve_first(agent: str, reason: Reason) -> Fix:
    return Fix(reason.predicate, "serve_first", agent, "", 0, reason.has)


def _await_choice(agent: str, reason: Reason) -> Fix:
    return Fix(reason.predicate, "await_choice", agent, "", 0, reason.has)


def _ask_again(agent: str, reason: Reason) -> Fix:
    return Fix(reason.predicate, "ask_again", agent, "", 0, reason.has)


FIXES: dict[str, Callable[[str, Reason], Fix]] = {
    "waiting": _return,
    "queue_open": _act("open_queue"),
    "pace": _act("finish_one"),
    "domain": _act("sign_contract"),
    "choosing": _await_choice,
    "queue_skill": _raise("raise_skill"),
    "queue_not_skill": _lower,
    "contact_skill": _raise("raise_skill"),
    "contact_not_skill": _lower,
    "ready": _ready,
    "staying": _act("stay"),
    "unlocked": _act("unlock"),
    "not_attempted": _ask_again,
    "not_excluded": _act("pass_on"),
    "preferred": _open_up,
    "no_human": _act("humans_leave"),
    "capacity": _raise("raise_capacity"),
    "empty_hands": _act("empty_hands"),
    "no_offer": _act("close_offers"),
    "nothing_exclusive": _act("finish_exclusive"),
    "not_reserved": _serve_first,
}
SUBJECTS = {
    "waiting": "agent",
    "queue_open": "queue",
    "pace": "queue",
    "domain": "queue",
    "queue_skill": "skill",
    "queue_not_skill": "skill",
    "contact_skill": "skill",
    "contact_not_skill": "skill",
    "ready": "reason",
    "no_human": "agent",
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
        score=key.score,
        strategy=Strategy(key.strategy).name.lower(),
        number=key.number,
        idle_since_us=key.idle_since,
        position=key.position,
    )

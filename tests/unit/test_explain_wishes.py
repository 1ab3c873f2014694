"""What no replay of a storm can show: preferred agents who are there, and exclusions."""

from __future__ import annotations

from engine.explain import Fix
from engine.model import (
    Accept,
    AgentConfig,
    Arrive,
    ChannelConfig,
    ChannelUnits,
    Config,
    Configure,
    Decline,
    OfferMade,
    QueueConfig,
    SignIn,
    SkillLevel,
    SkillWeight,
    Transfer,
    encode_frame,
)
from engine.router import Router
from tests.unit.explain_storm import is_offered, tell

SECOND = 1_000_000
UNITS = (ChannelUnits(1, 1),)


def site() -> Router:
    """Agent 1 is engaged, agents 2 and 3 are free."""
    router = Router()
    config = Config(
        channels=(ChannelConfig(1),),
        queues=(QueueConfig(1),),
        skills=(1,),
        agents=(
            AgentConfig(1, capacity=UNITS),
            AgentConfig(2, skills=(SkillLevel(1, 40),), capacity=UNITS),
            AgentConfig(3, capacity=UNITS),
        ),
    )
    router.apply(1, Configure(config=config))
    router.apply(1, SignIn(agent=1))
    router.apply(1, Arrive(channel=1, key=bytes(16), queue=1))
    router.apply(1, Accept(agent=1, offer=1))
    return router


def test_who_is_not_preferred_gets_it_when_the_wait_is_over() -> None:
    router = site()
    wanted = Arrive(channel=1, key=bytes([1] * 16), queue=1, preferred=(1,), preferred_wait_us=30 * SECOND)
    contact = router.apply(2, wanted)
    router.apply(3, SignIn(agent=2))
    told = tell(router, contact, 2)
    (reason,) = told.failing
    (fix,) = told.fixes
    assert (reason.predicate, reason.has) == ("preferred", 2 + 30 * SECOND)
    assert fix == Fix("preferred", "open_up", "2", "", 0, 2 + 30 * SECOND)
    router.advance(fix.to - 1)
    assert not is_offered(router, contact, 2)
    router.advance(fix.to)
    assert is_offered(router, contact, 2)


def test_who_is_excluded_gets_it_only_when_it_is_passed_on() -> None:
    router = site()
    contact = router.apply(2, Arrive(channel=1, key=bytes([1] * 16), queue=1, excludes=(2,)))
    router.apply(3, SignIn(agent=2))
    (fix,) = tell(router, contact, 2).fixes
    assert (fix.predicate, fix.action) == ("not_excluded", "pass_on")
    router.apply(4, SignIn(agent=3))
    (made,) = [event for event in router.events if isinstance(event, OfferMade)]
    router.apply(5, Accept(agent=3, offer=made.offer))
    router.apply(6, Transfer(agent=3, contact=contact, queue=1))
    assert is_offered(router, contact, 2)


def test_what_is_for_an_agent_beyond_its_capacity_says_what_is_not_asked() -> None:
    """In the state of the choice: agent 1 has one of one in hand, and gets another."""
    router = site()
    wanted = Arrive(channel=1, key=bytes([1] * 16), queue=1, preferred=(1,), beyond_capacity=True)
    before, frames = Router.restore(router.snapshot()), encode_frame(wanted)
    contact = router.apply(2, wanted)
    (made,) = [event for event in router.events if isinstance(event, OfferMade)]
    assert made.agent == 1
    choice = before.before_offer(2, frames, made.offer)
    assert choice is not None
    told = tell(choice, contact, 1)
    assert told.eligible
    (reason,) = told.not_asked
    assert (reason.predicate, reason.has, reason.needs, reason.held) == ("capacity", 1, 2, 1)
    assert told.fixes == []
    assert [one.predicate for one in tell(choice, contact, 2).failing] == ["ready", "preferred"]
    # Where nobody whom it prefers is there it is like any other, and what is in hand is asked again.
    router.apply(3, Decline(agent=1, offer=made.offer))
    told = tell(router, contact, 1)
    assert told.not_asked == []
    assert [one.predicate for one in told.failing] == ["not_attempted", "capacity"]


def test_the_score_is_told() -> None:
    router = site()
    wanted = Arrive(channel=1, key=bytes([1] * 16), queue=1, prefers=(SkillWeight(1, 7),))
    contact = router.apply(2, wanted)
    assert [tell(router, contact, agent).rank.score for agent in (1, 2, 3)] == [0, 7 * 40, 0]

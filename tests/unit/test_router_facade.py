"""The router from Python: typed commands in, typed events and views out, refusals as exceptions."""

from __future__ import annotations

import pytest

from engine import errors
from engine.model import (
    Accept,
    AgentConfig,
    Arrive,
    Arrived,
    Change,
    Changed,
    ChannelConfig,
    ChannelUnits,
    Command,
    Config,
    Configure,
    Configured,
    End,
    Ended,
    EndedBy,
    Engaged,
    Need,
    OfferMade,
    OfferWithdrawn,
    QueueConfig,
    Queued,
    Release,
    Restarted,
    RestartedEvent,
    SignIn,
    Strategy,
    Withdrawn,
    WithdrawnCause,
    encode_body,
    encode_frame,
)
from engine.router import Router, decode_events

T = 1_700_000_000_000_000
SECOND = 1_000_000
CONFIG = Config(
    channels=(ChannelConfig(1), ChannelConfig(2, instant=False)),
    skills=(1,),
    queues=(QueueConfig(1, wrap_up_us=5 * SECOND),),
    agents=(AgentConfig(1, capacity=(ChannelUnits(1, 3), ChannelUnits(2, 1))), AgentConfig(2)),
    names=b"names",
    hash=b"h" * 32,
)


def arrive(key: int, channel: int = 1) -> Arrive:
    return Arrive(channel=channel, key=key.to_bytes(16, "big"), queue=1)


@pytest.fixture
def router() -> Router:
    router = Router()
    router.apply(T, Configure(config=CONFIG))
    return router


def test_before_the_first_configuration() -> None:
    router = Router()
    assert (router.now, router.next_deadline(), router.config()) == (0, None, None)
    assert (router.names(), router.config_hash()) == (b"", b"")
    with pytest.raises(errors.NotConfigured) as caught:
        router.apply(T, arrive(1))
    assert (caught.value.code, caught.value.name, caught.value.field) == (1, "not_configured", None)
    assert router.now == T, "a refusal changes nothing but the clock"


def test_a_contact_from_arrival_to_wrap_up(router: Router) -> None:
    assert router.events == [Configured(at=T, hash=CONFIG.hash, number=1)]
    assert router.apply(T, SignIn(agent=1)) == 0
    contact = router.apply(T + 1, arrive(7))
    assert contact == 1
    arrived, queued, made = router.events
    assert isinstance(arrived, Arrived)
    assert arrived.key == arrive(7).key
    assert isinstance(queued, Queued)
    assert made == OfferMade(
        at=T + 1, offer=1, contact=1, channel=1, queue=1, agent=1, deadline=T + 1 + 20 * SECOND, config=1
    )
    assert router.next_deadline() == made.deadline
    assert router.contact(1) == (1, 1, 1, 1, T + 1, T + 1, False, False, [])
    desk = router.desk(1)
    assert desk is not None
    assert desk.offers == [(1, 1, 1, 1, made.deadline, T + 1)]
    router.apply(T + 2, Accept(agent=1, offer=1))
    assert isinstance(router.events[-1], Engaged)
    router.apply(T + 3, End(agent=1, contact=1))
    desk = router.desk(1)
    assert desk is not None
    assert (desk.offers, desk.contacts, desk.wrap_ups) == ([], [], [(1, 1, T + 3 + 5 * SECOND)])
    assert router.contact(1) is None
    assert router.ended(1) == (1, 0, 1, T + 3, T + 1, False)
    assert [event.at for event in decode_events(router.advance(T + 60 * SECOND))] == [T + 3 + 5 * SECOND]


def test_views_count_what_is_there(router: Router) -> None:
    for key in range(3):
        router.apply(T, arrive(key, channel=2))
    router.apply(T + 1, SignIn(agent=1))
    router.apply(T + 2, Accept(agent=1, offer=1))
    view = router.overview()
    assert view.contacts == (2, 0, 1, 0, 0)
    assert view.queues == [(1, 2, T, 0)]
    assert view.agents[0] == (1, 2, 0, False, False, 0, 1, 0, 0, T + 1, 0)
    assert view.agents[1] == (2, 0, 0, False, False, 0, 0, 0, 0, 0, 0)
    assert [router.position(contact) for contact in (1, 2, 3, 4)] == [None, 0, 1, None]
    desk = router.desk(1)
    assert desk is not None
    assert desk.contacts == [(1, 2, 1, 2, T + 2 + 10 * SECOND, T, False, False, [])]
    assert router.desk(3) is None


def test_a_refusal_is_its_own_exception(router: Router) -> None:
    with pytest.raises(errors.UnknownAgent) as caught:
        router.apply(T, SignIn(agent=9))
    assert (caught.value.detail, caught.value.field) == (9, "agent")
    with pytest.raises(errors.Refused, match=r"^unknown_offer \(5\): No such offer"):
        router.apply(T, Accept(agent=1, offer=5))
    with pytest.raises(errors.TimeBackwards):
        router.apply(T - 1, SignIn(agent=1))


def test_what_does_not_fit_the_wire_is_malformed(router: Router) -> None:
    with pytest.raises(
        errors.Malformed, match=r"^sign_in\.agent: expected an integer 0\.\.4294967295, got a neg"
    ):
        router.apply(T, SignIn(agent=-1))
    with pytest.raises(errors.Malformed, match=r"^arrive\.key: expected 16 bytes, got 1$"):
        router.apply(T, Arrive(channel=1, key=b"x", queue=1))
    with pytest.raises(errors.Malformed, match="kind 65 is no command"):
        router.apply_raw(T, encode_body(RestartedEvent(at=1)))


def test_the_configuration_comes_back(router: Router) -> None:
    assert router.config() == CONFIG
    assert (router.names(), router.config_hash()) == (b"names", b"h" * 32)


def test_a_batch_is_its_commands(router: Router) -> None:
    commands: list[Command] = [SignIn(agent=1), arrive(1), Accept(agent=1, offer=9), Restarted()]
    batch = router.apply_batch(3, T + 5, [(4, 10, b"".join(map(encode_frame, commands)))])
    twin = Router()
    twin.apply(T, Configure(config=CONFIG))
    events, results = b"", []
    for command in commands:
        code, value, happened = twin.apply_raw(T + 5, encode_body(command))
        events += happened
        results.append((code, value))
    assert (batch.seq, batch.at, batch.count, batch.events_count) == (3, T + 5, 4, len(decode_events(events)))
    assert batch.events == events
    assert batch.results() == results == [(0, 0), (0, 1), (15, 9), (0, 0)]
    assert any(isinstance(event, OfferWithdrawn) for event in decode_events(events))
    assert router.state_hash() == twin.state_hash()


def test_a_big_batch_goes_without_the_gil(router: Router) -> None:
    frames = b"".join(encode_frame(arrive(key)) for key in range(1000))
    batch = router.apply_batch(1, T, [(0, 0, frames)])
    assert batch.count == 1000
    assert router.overview().contacts.waiting == 1000


def test_a_snapshot_is_the_same_router(router: Router) -> None:
    router.apply(T, SignIn(agent=1))
    for key in range(5):
        router.apply(T, arrive(key))
    twin = Router.restore(router.snapshot())
    twin.check()
    assert twin.state_hash() == router.state_hash()
    assert twin.advance(T + 60 * SECOND) == router.advance(T + 60 * SECOND)
    with pytest.raises(errors.Malformed):
        Router.restore(b"no snapshot")


def test_a_panic_is_no_exception(router: Router) -> None:
    """What was journaled cannot be decoded: nothing may catch that and go on."""
    with pytest.raises(BaseException, match="batch 2 cannot be decoded") as caught:
        router.apply_batch(2, T, [(0, 0, b"\x00\x00\x00\x01\x90")])
    assert not isinstance(caught.value, Exception)


def test_a_supervisor_changes_and_releases(router: Router) -> None:
    waiting = router.apply(T, arrive(1))
    router.apply(T, Change(contact=waiting, head_start_us=SECOND, requires=((Need(1, 50),),)))
    assert router.events == [Changed(at=T, contact=waiting, channel=1, queue=1, head_start_us=SECOND)]
    router.apply(T, Change(contact=waiting))
    assert router.events == [], "everything was kept"
    router.apply(T, SignIn(agent=1))
    assert not any(isinstance(one, OfferMade) for one in router.events), "the agent lacks the skill"
    router.apply(T, Change(contact=waiting, requires=()))
    changed, made = router.events
    assert isinstance(changed, Changed)
    assert isinstance(made, OfferMade)
    with pytest.raises(errors.WrongState):
        router.apply(T, Change(contact=waiting, queue=1))
    router.apply(T, Release(contact=waiting))
    withdrawn, gone = router.events
    assert isinstance(withdrawn, OfferWithdrawn)
    assert withdrawn.cause is WithdrawnCause.RELEASED
    assert gone == Withdrawn(at=T, contact=waiting, channel=1, queue=1, agent=0, by=EndedBy.SUPERVISOR)
    ended = router.ended(waiting)
    assert ended is not None
    assert (ended.outcome, ended.last_agent) == (3, 0)


def test_a_released_conversation_counts_as_served(router: Router) -> None:
    router.apply(T, SignIn(agent=1))
    contact = router.apply(T, arrive(1))
    router.apply(T, Accept(agent=1, offer=1))
    router.apply(T + 1, Release(contact=contact))
    assert router.events[0] == Ended(
        at=T + 1, contact=contact, channel=1, queue=1, agent=1, by=EndedBy.SUPERVISOR
    )
    ended = router.ended(contact)
    assert ended is not None
    assert (ended.outcome, ended.last_agent) == (0, 1)


def test_a_strategy_and_a_share_are_part_of_the_configuration(router: Router) -> None:
    queue = QueueConfig(1, strategy=Strategy.ROUND_ROBIN)
    agents = tuple(AgentConfig(number, capacity=(ChannelUnits(1, 9),), share=7) for number in (1, 2, 3))
    config = Config(channels=CONFIG.channels, queues=(queue,), agents=agents, seed=2**64 - 1)
    router.apply(T, Configure(config=config))
    assert router.config() == config
    for agent in (3, 2, 1):
        router.apply(T, SignIn(agent=agent))
    offered = []
    for key in range(6):
        router.apply(T, arrive(key))
        offered += [one.agent for one in router.events if isinstance(one, OfferMade)]
    assert offered == [1, 2, 3, 1, 2, 3]
    none = Config(channels=CONFIG.channels, queues=(queue,), agents=(AgentConfig(1, share=0), *agents[1:]))
    with pytest.raises(errors.BadShare) as caught:
        router.apply(T, Configure(config=none))
    assert (caught.value.detail, caught.value.field) == (0, "config")

"""What happens in the agents' hands, as rows: ringing all, hold, parking, company, who serves."""

from __future__ import annotations

import msgspec

from engine.model import (
    AgentSignedOut,
    AgentSigningOut,
    Ended,
    EndedBy,
    Engaged,
    Event,
    HandedOver,
    Held,
    InvitationEnd,
    InvitationOver,
    Invited,
    Joined,
    LeaseLostEvent,
    Left,
    OfferAccepted,
    OfferDeclined,
    OfferWithdrawn,
    Parked,
    QueuedCause,
    Resumed,
    TakenOver,
    TransferredOut,
    Unparked,
    WithdrawnCause,
    WrapUpEnded,
    WrapUpStarted,
)
from tests.unit.stats_events import arrived, at, offer_made, queued, signed_in
from tests.unit.stats_rows import History


def talking(*others: int) -> list[Event]:
    """Agent 7 talks with contact 1 since 1,000; the others are there."""
    return [
        *signed_in(0, 7),
        *(event for agent in others for event in signed_in(0, agent)),
        arrived(0, 1),
        queued(0, 1),
        offer_made(0, 1, 1, 7),
        OfferAccepted(at=at(1_000), offer=1, contact=1, channel=1, agent=7),
        Engaged(at=at(1_000), contact=1, channel=1, agent=7),
    ]


def joined(ms: float, agent: int) -> Joined:
    return Joined(at=at(ms), contact=1, channel=1, agent=agent)


def left(ms: float, agent: int) -> Left:
    return Left(at=at(ms), contact=1, channel=1, agent=agent, by=EndedBy.AGENT)


def ended(ms: float, agent: int) -> Ended:
    return Ended(at=at(ms), contact=1, channel=1, queue=1, agent=agent, by=EndedBy.AGENT)


def wrap_up(ms: float, agent: int) -> WrapUpStarted:
    return WrapUpStarted(at=at(ms), agent=agent, contact=1, channel=1, deadline=at(ms + 3_000))


def number(row: tuple[object, ...]) -> int:
    assert isinstance(row[0], int)
    return row[0]


def segments(history: History) -> list[tuple[object, ...]]:
    """Agent, role, outcome, talk_ms, hold_ms, parked_ms of those that are over, by their numbers."""
    return [(row[4], *row[5:7], *row[10:13]) for row in sorted(history.closed("segments"), key=number)]


def activities(history: History, agent: int) -> list[object]:
    rows = [*history.closed("agent_states"), *history.live("agent_states")]
    return [row[6] for row in rows if row[0] == agent]


def test_a_contact_that_rings_at_several_is_the_first_ones_until_somebody_answers() -> None:
    history = History()
    agents = [event for agent in (7, 8, 9) for event in signed_in(0, agent)]
    rung = [offer_made(0, offer, 1, agent) for offer, agent in ((1, 7), (2, 8), (3, 9))]
    history.apply(1, [*agents, arrived(0, 1), queued(0, 1), *rung])
    row = history.open("contacts")[1]
    assert (row.state, row.agent_id, row.offers) == ("offered", 7, 3)
    history.apply(2, [OfferDeclined(at=at(500), offer=1, contact=1, channel=1, agent=7, reason=0)])
    row = history.open("contacts")[1]
    assert (row.state, row.agent_id) == ("offered", 8)
    taken = OfferWithdrawn(at=at(900), offer=2, contact=1, channel=1, agent=8, cause=WithdrawnCause.TAKEN)
    accepted = OfferAccepted(at=at(900), offer=3, contact=1, channel=1, agent=9)
    history.apply(3, [accepted, taken, Engaged(at=at(900), contact=1, channel=1, agent=9)])
    row = history.open("contacts")[1]
    assert (row.state, row.agent_id, history.open("offers")) == ("engaged", 9, {})
    assert [row[8:10] for row in history.closed("offers")] == [
        ("declined", None),
        ("accepted", None),
        ("withdrawn", "taken"),
    ]


def test_hold_and_parking_are_part_of_the_talk() -> None:
    history = History()
    history.apply(
        1,
        [
            *talking(),
            Held(at=at(2_000), contact=1, channel=1, agent=7),
            Parked(at=at(2_500), contact=1, channel=1, agent=7),
            Resumed(at=at(3_250), contact=1, channel=1, agent=7),
            Unparked(at=at(4_000), contact=1, channel=1, agent=7),
            Held(at=at(5_000), contact=1, channel=1, agent=7),
        ],
    )
    history.apply(2, [ended(6_000, 7)])
    assert segments(history) == [(7, "serves", "served", 5_000, 2_250, 1_500)]
    (contact,) = history.closed("contacts")
    assert (contact[20], *contact[23:26]) == (5_000, 2_250, 1_500, None)
    assert activities(history, 7) == ["offered", "engaged", "parked", "engaged", "idle"]


def test_who_joins_has_a_segment_without_a_wrap_up() -> None:
    history = History()
    invited = Invited(
        at=at(2_000), offer=2, contact=1, channel=1, queue=1, agent=7, invitee=8, deadline=at(9_000)
    )
    over = InvitationOver(at=at(6_000), offer=3, contact=1, channel=1, agent=9, how=InvitationEnd.WITHDRAWN)
    history.apply(1, [*talking(8, 9), invited, joined(2_500, 8)])
    assert activities(history, 8) == ["idle", "joined"]
    signing_out = AgentSigningOut(at=at(3_000), agent=8)
    gone = AgentSignedOut(at=at(6_000), agent=8)
    history.apply(2, [signing_out, ended(6_000, 7), over, left(6_000, 8), gone, wrap_up(6_000, 7)])
    history.apply(3, [WrapUpEnded(at=at(8_000), agent=7, contact=1, channel=1, by=EndedBy.AGENT)])
    assert segments(history) == [
        (7, "serves", "served", 5_000, 0, 0),
        (8, "joined", "left", 3_500, 0, 0),
    ]
    assert [row[16] for row in sorted(history.closed("segments"), key=number)] == [2_000, None]
    assert history.closed("contacts")[0][20] == 5_000, "the talk of who served it"
    assert history.open("segments") == {}


def test_a_lost_lease_ends_the_segment_and_the_contact_waits_again() -> None:
    history = History()
    back = msgspec.structs.replace(queued(4_000, 1, since=0), cause=QueuedCause.LEASE_LOST)
    lost = LeaseLostEvent(at=at(4_000), agent=7, contacts=(1,))
    held = Held(at=at(3_000), contact=1, channel=1, agent=7)
    parked = Parked(at=at(3_500), contact=1, channel=1, agent=7)
    history.apply(1, [*talking(8), held, parked, lost, back, AgentSignedOut(at=at(4_000), agent=7)])
    row = history.open("contacts")[1]
    assert (row.state, row.agent_id, row.engaged_at) == ("waiting", None, at(1_000))
    assert segments(history) == [(7, "serves", "lease_lost", 3_000, 1_000, 500)]
    assert history.open("segments") == {}, "nobody wraps up"
    accepted = OfferAccepted(at=at(6_000), offer=2, contact=1, channel=1, agent=8)
    engaged = Engaged(at=at(6_000), contact=1, channel=1, agent=8)
    history.apply(2, [offer_made(5_000, 2, 1, 8), accepted, engaged, ended(7_500, 8)])
    assert segments(history)[1] == (8, "serves", "served", 1_500, 0, 0)
    (contact,) = history.closed("contacts")
    assert (contact[19], contact[20]) == (1_000, 4_500), "waited for its first answer, talked with both"
    assert activities(history, 7)[-1] == "idle"


def test_handed_over_and_taken_over() -> None:
    history = History()
    handed = HandedOver(at=at(4_000), contact=1, channel=1, queue=1, from_agent=7, to_agent=8)
    taken = TakenOver(at=at(6_000), contact=1, channel=1, queue=1, from_agent=8, to_agent=9)
    history.apply(1, [*talking(8, 9), joined(2_000, 8), handed, wrap_up(4_000, 7)])
    assert history.open("contacts")[1].agent_id == 8
    history.apply(2, [taken, ended(9_000, 9)])
    history.apply(3, [WrapUpEnded(at=at(7_000), agent=7, contact=1, channel=1, by=EndedBy.AGENT)])
    assert segments(history) == [
        (7, "serves", "handed_over", 3_000, 0, 0),
        (8, "joined", "serves", 2_000, 0, 0),
        (8, "serves", "taken_over", 2_000, 0, 0),
        (9, "serves", "served", 3_000, 0, 0),
    ]
    assert history.closed("contacts")[0][6] == 9
    assert history.closed("contacts")[0][20] == 8_000
    assert activities(history, 8) == ["idle", "joined", "engaged", "idle"]


def test_a_transfer_outside_names_the_place() -> None:
    history = History()
    out = TransferredOut(at=at(3_000), contact=1, channel=1, queue=1, agent=7, target=4)
    history.apply(1, [*talking(), out, ended(3_000, 7)])
    assert segments(history) == [(7, "serves", "transferred_out", 2_000, 0, 0)]
    (contact,) = history.closed("contacts")
    assert (contact[5], contact[25]) == ("served", 4)

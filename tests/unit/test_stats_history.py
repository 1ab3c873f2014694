"""Events to rows, computed by hand to the millisecond."""

from __future__ import annotations

import pytest

from engine.model import (
    Abandoned,
    AgentLocked,
    AgentNotReady,
    AgentReady,
    AgentSignedIn,
    AgentSignedOut,
    AgentSigningOut,
    AgentUnlocked,
    Blocked,
    BlockedCause,
    Changed,
    ConnectFailedEvent,
    Connecting,
    Ended,
    EndedBy,
    Engaged,
    Event,
    OfferAccepted,
    OfferDeclined,
    OfferExpired,
    OfferWithdrawn,
    Transferred,
    Withdrawn,
    WithdrawnCause,
    WrapUpEnded,
    WrapUpStarted,
)
from engine.router import DecodeError
from tests.unit.stats_events import KEY, T, arrived, at, offer_made, queued, signed_in
from tests.unit.stats_rows import History


def columns(row: object, *names: str) -> tuple[object, ...]:
    return tuple(getattr(row, name) for name in names)


def transferred(ms: float, to_queue: int) -> Transferred:
    return Transferred(
        at=at(ms), contact=1, channel=1, agent=7, from_queue=1, to_queue=to_queue, by=EndedBy.AGENT
    )


def states(history: History) -> list[tuple[object, ...]]:
    """Agent, from and to in ms, state, reason, locked, activity; closed intervals, then open ones."""
    rows = [*history.closed("agent_states"), *history.live("agent_states")]
    result = []
    for row in rows:
        agent, since, until, *rest = row
        assert isinstance(since, int)
        until_ms = (until - T) / 1_000 if isinstance(until, int) else None
        result.append((agent, (since - T) / 1_000, until_ms, *rest[:4]))
    return result


def test_served_contact_with_wrap_up() -> None:
    history = History()
    history.apply(
        1,
        [
            *signed_in(0, 7),
            arrived(100, 1),
            queued(100, 1),
            offer_made(100, 1, 1, 7),
        ],
    )
    assert history.open("contacts")[1].state == "offered"
    assert history.open("contacts")[1].wait_ms is None
    history.apply(
        2,
        [
            OfferAccepted(at=at(2_600.7), offer=1, contact=1, channel=1, agent=7),
            Engaged(at=at(2_600.7), contact=1, channel=1, agent=7),
        ],
    )
    history.apply(
        3,
        [
            Ended(at=at(62_600), contact=1, channel=1, queue=1, agent=7, by=EndedBy.CUSTOMER),
            WrapUpStarted(at=at(62_600), agent=7, contact=1, channel=1, deadline=at(67_600)),
        ],
    )
    (contact,) = history.closed("contacts")
    assert contact == (
        1, 1, 1, 1, KEY.hex(), "served", 7, at(100), at(100), at(100), at(2_600.7), at(62_600), "customer",
        90_000, 2, 1, 1, 0, 0, 2_500, 59_999, 0, None, 0, 0, None, 0, 0, None, False, None, None, 0, 3,
    )  # fmt: skip
    assert history.closed("segments") == [], "its wrap-up runs"
    history.apply(4, [WrapUpEnded(at=at(65_000), agent=7, contact=1, channel=1, by=EndedBy.AGENT)])
    assert history.closed("segments") == [
        (1, 1, 1, 1, 7, "serves", "served", None, at(2_600.7), at(62_600), 59_999, 0, 0,
         at(62_600), at(65_000), "agent", 2_400, 4)
    ]  # fmt: skip
    assert history.closed("offers") == [
        (1, 1, 1, 1, 7, at(100), at(20_100), at(2_600.7), "accepted", None, None, 2_500, 1, 2)
    ]
    assert states(history) == [
        (7, 0, 100, "ready", None, False, "idle"),
        (7, 100, 2_600.7, "ready", None, False, "offered"),
        (7, 2_600.7, 62_600, "ready", None, False, "engaged"),
        (7, 62_600, 65_000, "ready", None, False, "wrap_up"),
        (7, 65_000, None, "ready", None, False, "idle"),
    ]
    assert (history.open("contacts"), history.open("segments"), history.open("offers")) == ({}, {}, {})


def test_segment_without_wrap_up_is_final_in_its_batch() -> None:
    history = History()
    history.apply(
        1,
        [
            *signed_in(0, 7),
            arrived(0, 1),
            queued(0, 1),
            offer_made(0, 1, 1, 7),
            OfferAccepted(at=at(0), offer=1, contact=1, channel=1, agent=7),
            Engaged(at=at(0), contact=1, channel=1, agent=7),
            Ended(at=at(9), contact=1, channel=1, queue=1, agent=7, by=EndedBy.AGENT),
        ],
    )
    assert [row[6] for row in history.closed("segments")] == ["served"]
    assert states(history) == [
        (7, 0, 9, "ready", None, False, "engaged"),
        (7, 9, None, "ready", None, False, "idle"),
    ], "what lasted no time left nothing behind"


def test_expired_declined_and_withdrawn_offers_keep_the_place() -> None:
    history = History()
    history.apply(
        5,
        [
            *signed_in(0, 7),
            *signed_in(0, 8),
            arrived(0, 1),
            queued(0, 1),
            offer_made(0, 1, 1, 7),
            OfferExpired(at=at(20_000), offer=1, contact=1, channel=1, agent=7),
            AgentLocked(at=at(20_000), agent=7, misses=1),
            queued(20_000, 1, since=0),
            offer_made(20_000, 2, 1, 8),
            OfferDeclined(at=at(21_500), offer=2, contact=1, channel=1, agent=8, reason=3),
            queued(21_500, 1, since=0),
            offer_made(26_500, 3, 1, 8),
            OfferWithdrawn(
                at=at(27_000), offer=3, contact=1, channel=1, agent=8, cause=WithdrawnCause.ABANDONED
            ),
            Abandoned(at=at(27_000), contact=1, channel=1, queue=1, agent=0),
            AgentUnlocked(at=at(30_000), agent=7),
        ],
    )
    assert [row[8:12] for row in history.closed("offers")] == [
        ("expired", None, None, 20_000),
        ("declined", None, 3, 1_500),
        ("withdrawn", "abandoned", None, 500),
    ]
    (contact,) = history.closed("contacts")
    assert contact[5:7] == ("abandoned", None), "nobody had it in hand"
    assert contact[7:13] == (at(0), at(0), at(0), None, at(27_000), "customer")
    assert contact[16:21] == (3, 1, 0, 27_000, 0)
    assert [state for state in states(history) if state[0] == 7] == [
        (7, 0, 20_000, "ready", None, False, "offered"),
        (7, 20_000, 30_000, "ready", None, True, "idle"),
        (7, 30_000, None, "ready", None, False, "idle"),
    ]


def test_transfer_makes_two_segments_and_one_contact() -> None:
    history = History()
    history.apply(
        1,
        [
            *signed_in(0, 7),
            *signed_in(0, 8),
            arrived(0, 1),
            queued(0, 1),
            offer_made(0, 1, 1, 7),
            OfferAccepted(at=at(1_000), offer=1, contact=1, channel=1, agent=7),
            Engaged(at=at(1_000), contact=1, channel=1, agent=7),
            Transferred(
                at=at(5_000), contact=1, channel=1, agent=7, from_queue=1, to_queue=2, by=EndedBy.AGENT
            ),
            WrapUpStarted(at=at(5_000), agent=7, contact=1, channel=1, deadline=at(8_000)),
            queued(5_000, 1, queue=2, tier=1),
        ],
    )
    row = history.open("contacts")[1]
    assert columns(row, "state", "agent_id", "queue_id", "first_queue_id", "tier", "transfers") == (
        "waiting", None, 2, 1, 1, 1
    )  # fmt: skip
    assert columns(row, "wait_ms", "talk_ms", "enqueued_at") == (1_000, 4_000, at(5_000))
    history.apply(
        2,
        [
            offer_made(6_000, 2, 1, 8),
            OfferAccepted(at=at(6_500), offer=2, contact=1, channel=1, agent=8),
            Engaged(at=at(6_500), contact=1, channel=1, agent=8),
            WrapUpEnded(at=at(8_000), agent=7, contact=1, channel=1, by=EndedBy.DEADLINE),
            Ended(at=at(9_500), contact=1, channel=1, queue=2, agent=8, by=EndedBy.AGENT),
        ],
    )
    (contact,) = history.closed("contacts")
    assert contact[5:7] == ("served", 8)
    assert contact[10] == at(1_000), "answered first by the first agent"
    assert contact[18:21] == (1, 1_000, 7_000)
    assert [(row[4], row[6], row[10], row[16]) for row in history.closed("segments")] == [
        (7, "transferred", 4_000, 3_000),
        (8, "served", 3_000, None),
    ]


def test_connecting_that_fails_and_then_works() -> None:
    history = History()
    history.apply(
        1,
        [
            *signed_in(0, 7),
            arrived(0, 1),
            queued(0, 1),
            offer_made(0, 1, 1, 7),
            OfferAccepted(at=at(1_000), offer=1, contact=1, channel=1, agent=7),
            Connecting(at=at(1_000), contact=1, channel=1, agent=7, deadline=at(11_000)),
            ConnectFailedEvent(at=at(3_000), contact=1, channel=1, agent=7, by=EndedBy.CUSTOMER),
            queued(3_000, 1, since=0),
            offer_made(8_000, 2, 1, 7),
            OfferAccepted(at=at(9_000), offer=2, contact=1, channel=1, agent=7),
            Connecting(at=at(9_000), contact=1, channel=1, agent=7, deadline=at(19_000)),
        ],
    )
    assert history.open("contacts")[1].state == "connecting"
    history.apply(2, [Engaged(at=at(9_250), contact=1, channel=1, agent=7)])
    assert history.open("contacts")[1].wait_ms == 9_250
    assert [(row[6], row[7], row[10]) for row in history.closed("segments")] == [
        ("connect_failed", at(1_000), None)
    ]
    assert history.open("segments")[2].connecting_at == at(9_000)
    assert history.open("segments")[2].engaged_at == at(9_250)
    assert [row[4:] for row in states(history) if row[2] is not None and row[1] >= 1_000] == [
        (None, False, "connecting"),
        (None, False, "idle"),
        (None, False, "offered"),
        (None, False, "connecting"),
    ]


def test_abandoned_while_connecting_names_the_agent() -> None:
    history = History()
    history.apply(
        1,
        [
            *signed_in(0, 7),
            arrived(0, 1),
            queued(0, 1),
            offer_made(0, 1, 1, 7),
            OfferAccepted(at=at(1_000), offer=1, contact=1, channel=1, agent=7),
            Connecting(at=at(1_000), contact=1, channel=1, agent=7, deadline=at(11_000)),
            Abandoned(at=at(2_000), contact=1, channel=1, queue=1, agent=7),
        ],
    )
    (contact,) = history.closed("contacts")
    assert (contact[5], contact[6], contact[19], contact[20]) == ("abandoned", 7, 2_000, 0)
    assert [(row[6], row[9]) for row in history.closed("segments")] == [("abandoned", at(2_000))]


def test_changed_contact_keeps_its_time_and_its_first_queue() -> None:
    history = History()
    history.apply(1, [arrived(0, 1), queued(0, 1), arrived(0, 2), queued(0, 2)])
    assert [len(live) for table, _, live, _ in history.changed() if table == "contacts"] == [2]
    history.apply(2, [Changed(at=at(5), contact=1, channel=1, queue=2, head_start_us=7_000)])
    assert set(history.open("contacts")) == {1}, "the other has not changed"
    row = history.open("contacts")[1]
    assert columns(row, "state", "queue_id", "first_queue_id", "head_start_ms") == ("waiting", 2, 1, 7)
    assert columns(row, "enqueued_at", "tier", "seq") == (at(0), 2, 2)


def test_released_contact_is_withdrawn_by_the_supervisor() -> None:
    history = History()
    waiting = [arrived(0, 1), queued(0, 1)]
    offered = [arrived(0, 2), queued(0, 2), *signed_in(0, 7), offer_made(0, 1, 2, 7)]
    history.apply(1, [*waiting, *offered])
    history.apply(2, [Withdrawn(at=at(40), contact=1, channel=1, queue=1, agent=0, by=EndedBy.SUPERVISOR)])
    history.apply(
        3,
        [
            OfferWithdrawn(at=at(50), offer=1, contact=2, channel=1, agent=7, cause=WithdrawnCause.RELEASED),
            Withdrawn(at=at(50), contact=2, channel=1, queue=1, agent=0, by=EndedBy.SUPERVISOR),
        ],
    )
    # state, agent, ended_at, ended_by, wait_ms
    ends = [(row[5], row[6], row[11], row[12], row[19]) for row in history.closed("contacts")]
    assert ends == [
        ("withdrawn", None, at(40), "supervisor", 40),
        ("withdrawn", None, at(50), "supervisor", 50),
    ]
    assert [row[8:10] for row in history.closed("offers")] == [("withdrawn", "released")]


def test_contact_released_while_connecting_names_the_agent() -> None:
    history = History()
    history.apply(
        1,
        [
            *signed_in(0, 7),
            arrived(0, 1),
            queued(0, 1),
            offer_made(0, 1, 1, 7),
            OfferAccepted(at=at(1), offer=1, contact=1, channel=1, agent=7),
            Connecting(at=at(1), contact=1, channel=1, agent=7, deadline=at(9)),
            Withdrawn(at=at(4), contact=1, channel=1, queue=1, agent=7, by=EndedBy.SUPERVISOR),
        ],
    )
    assert [row[5:7] for row in history.closed("contacts")] == [("withdrawn", 7)]
    assert [row[6] for row in history.closed("segments")] == ["withdrawn"]


def test_blocked_contact_names_the_limit() -> None:
    history = History()
    history.apply(
        1,
        [
            arrived(4, 1),
            Blocked(at=at(4), contact=1, channel=1, queue=1, cause=BlockedCause.SITE_FULL),
        ],
    )
    (contact,) = history.closed("contacts")
    assert (contact[5], contact[11], contact[12], contact[19]) == ("blocked", at(4), "site_full", 0)


def test_agent_s_day_has_no_gaps() -> None:
    history = History()
    history.apply(
        1,
        [
            AgentSignedIn(at=at(0), agent=7),
            AgentNotReady(at=at(0), agent=7, reason=0),
            AgentReady(at=at(1_000), agent=7),
            arrived(2_000, 1),
            queued(2_000, 1),
            offer_made(2_000, 1, 1, 7),
            OfferAccepted(at=at(3_000), offer=1, contact=1, channel=1, agent=7),
            Engaged(at=at(3_000), contact=1, channel=1, agent=7),
            AgentNotReady(at=at(4_000), agent=7, reason=2),
            AgentSigningOut(at=at(5_000), agent=7),
            Ended(at=at(6_000), contact=1, channel=1, queue=1, agent=7, by=EndedBy.AGENT),
            AgentSignedOut(at=at(6_000), agent=7),
            *signed_in(9_000, 7),
        ],
    )
    assert states(history) == [
        (7, 0, 1_000, "not_ready", None, False, "idle"),
        (7, 1_000, 2_000, "ready", None, False, "idle"),
        (7, 2_000, 3_000, "ready", None, False, "offered"),
        (7, 3_000, 4_000, "ready", None, False, "engaged"),
        (7, 4_000, 5_000, "not_ready", 2, False, "engaged"),
        (7, 5_000, 6_000, "signing_out", None, False, "engaged"),
        (7, 6_000, 9_000, "signed_out", None, False, "idle"),
        (7, 9_000, None, "ready", None, False, "idle"),
    ]


def test_two_wrap_ups_of_one_pair_end_in_their_order() -> None:
    history = History()
    events: list[Event] = [*signed_in(0, 7), arrived(0, 1), queued(0, 1)]
    for number, start in ((1, 0), (2, 1_000)):
        events += [
            offer_made(start, number, 1, 7),
            OfferAccepted(at=at(start), offer=number, contact=1, channel=1, agent=7),
            Engaged(at=at(start), contact=1, channel=1, agent=7),
            Transferred(
                at=at(start + 500), contact=1, channel=1, agent=7, from_queue=1, to_queue=1, by=EndedBy.AGENT
            ),
            WrapUpStarted(at=at(start + 500), agent=7, contact=1, channel=1, deadline=at(start + 9_000)),
            queued(start + 500, 1, tier=1),
        ]
    events += [
        WrapUpEnded(at=at(ms), agent=7, contact=1, channel=1, by=EndedBy.AGENT) for ms in (2_000, 3_000)
    ]
    history.apply(1, events)
    assert [(row[0], row[16]) for row in history.closed("segments")] == [(1, 1_500), (2, 1_500)]


def test_bytes_that_are_no_events_are_refused() -> None:
    history = History()
    with pytest.raises(DecodeError, match="the last frame is cut off"):
        history.core.apply(1, b"\0\0\0\2x")
    with pytest.raises(ValueError, match='"contact" is none'):
        history.core.changes("contact")

"""Rows told change by change are those that are told at once."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from engine.model import (
    Abandoned,
    AgentLocked,
    AgentNotReady,
    AgentReady,
    AgentSignedOut,
    AgentSigningOut,
    AgentUnlocked,
    Connecting,
    Ended,
    EndedBy,
    Engaged,
    Event,
    Held,
    Joined,
    Left,
    OfferAccepted,
    OfferExpired,
    Parked,
    PreferenceOver,
    PreferenceOverCause,
    Relaxed,
    Resumed,
    Transferred,
    Unparked,
    WrapUpEnded,
    WrapUpStarted,
)
from tests.unit.stats_events import arrived, at, offer_made, queued, signed_in
from tests.unit.stats_rows import History, Values, key_place


def long_story() -> list[Event]:
    """One event of every kind that changes a row, with pauses between them."""
    return [
        *signed_in(0, 7),
        arrived(0, 1),
        queued(0, 1),
        offer_made(0, 1, 1, 7),
        OfferExpired(at=at(20_000), offer=1, contact=1, channel=1, agent=7),
        AgentLocked(at=at(20_000), agent=7, misses=1),
        queued(20_000, 1, since=0),
        AgentUnlocked(at=at(21_000), agent=7),
        offer_made(21_000, 2, 1, 7),
        OfferAccepted(at=at(22_000), offer=2, contact=1, channel=1, agent=7),
        Connecting(at=at(22_000), contact=1, channel=1, agent=7, deadline=at(32_000)),
        Engaged(at=at(23_000), contact=1, channel=1, agent=7),
        Held(at=at(23_100), contact=1, channel=1, agent=7),
        Resumed(at=at(23_300), contact=1, channel=1, agent=7),
        *signed_in(23_300, 8),
        Joined(at=at(23_400), contact=1, channel=1, agent=8),
        Parked(at=at(23_500), contact=1, channel=1, agent=7),
        Unparked(at=at(23_600), contact=1, channel=1, agent=7),
        Left(at=at(23_900), contact=1, channel=1, agent=8, by=EndedBy.AGENT),
        arrived(24_000, 2),
        queued(24_000, 2),
        PreferenceOver(at=at(24_100), contact=2, channel=1, queue=1, cause=PreferenceOverCause.ABSENT),
        Relaxed(at=at(24_200), contact=2, channel=1, queue=1, step=1, head_start_us=5_000),
        Transferred(at=at(25_000), contact=1, channel=1, agent=7, from_queue=1, to_queue=2, by=EndedBy.AGENT),
        WrapUpStarted(at=at(25_000), agent=7, contact=1, channel=1, deadline=at(28_000)),
        queued(25_000, 1, queue=2, tier=1),
        AgentNotReady(at=at(26_000), agent=7, reason=1),
        WrapUpEnded(at=at(28_000), agent=7, contact=1, channel=1, by=EndedBy.DEADLINE),
        AgentReady(at=at(29_000), agent=7),
        offer_made(29_000, 3, 1, 7),
        OfferAccepted(at=at(29_500), offer=3, contact=1, channel=1, agent=7),
        Engaged(at=at(29_500), contact=1, channel=1, agent=7),
        Ended(at=at(30_000), contact=1, channel=1, queue=2, agent=7, by=EndedBy.AGENT),
        WrapUpStarted(at=at(30_000), agent=7, contact=1, channel=1, deadline=at(33_000)),
        Abandoned(at=at(31_000), contact=2, channel=1, queue=1, agent=0),
        AgentSigningOut(at=at(32_000), agent=7),
        WrapUpEnded(at=at(33_000), agent=7, contact=1, channel=1, by=EndedBy.DEADLINE),
        AgentSignedOut(at=at(33_000), agent=7),
    ]


@dataclass
class Stored:
    """What a database has that was only ever told of changes."""

    live: dict[str, dict[int, Values]] = field(default_factory=lambda: defaultdict(dict))
    ended: dict[str, list[Values]] = field(default_factory=lambda: defaultdict(list))

    def take(self, history: History) -> None:
        for name, gone, live, ended in history.changed():
            for key in gone:
                del self.live[name][key]
            for row in live:
                key = row[key_place(name)]
                assert isinstance(key, int)
                assert key not in self.live[name], "a live row that is there is taken away first"
                self.live[name][key] = row
            self.ended[name] += ended


def test_rows_do_not_depend_on_where_they_are_taken() -> None:
    """At every point, what was told change by change equals what is told at once."""
    batches: list[list[Event]] = []
    for event in long_story():
        # What the core says in one batch stays in one: an end and its wrap-up.
        if isinstance(event, WrapUpStarted):
            batches[-1].append(event)
        else:
            batches.append([event])
    step_by_step, stored = History(), Stored()
    for seq, batch in enumerate(batches):
        step_by_step.apply(seq, batch)
        stored.take(step_by_step)
        whole, at_once = History(), Stored()
        for number in range(seq + 1):
            whole.apply(number, batches[number])
        at_once.take(whole)
        assert {name: rows for name, rows in stored.live.items() if rows} == {
            name: rows for name, rows in at_once.live.items() if rows
        }, batch
        assert stored.ended == at_once.ended, batch
    assert step_by_step.arrived == 2

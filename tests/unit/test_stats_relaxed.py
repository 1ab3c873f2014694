"""The statistics of contacts that are relaxed, or no longer wait for the agents that they prefer."""

from __future__ import annotations

from engine.model import PreferenceOver, PreferenceOverCause, Relaxed
from tests.unit.stats_events import arrived, at, queued
from tests.unit.stats_rows import History


def test_steps_and_the_end_of_a_preference_are_kept() -> None:
    history = History()
    over, late = PreferenceOverCause.ABSENT, PreferenceOverCause.DEADLINE
    where = {"contact": 1, "channel": 1, "queue": 1}
    history.apply(1, [arrived(0, 1), queued(0, 1), PreferenceOver(at=at(0), **where, cause=over)])
    for seq, step in enumerate((1, 2), 2):
        history.apply(seq, [Relaxed(at=at(step), **where, step=step, head_start_us=step * 1_000)])
    row = history.open("contacts")[1]
    assert (row.relaxed, row.preference_over, row.head_start_ms, row.state) == (2, "absent", 2, "waiting")
    history.apply(4, [PreferenceOver(at=at(3), **where, cause=late)])
    row = history.open("contacts")[1]
    assert (row.preference_over, row.seq) == ("deadline", 4)

"""A small site's journal, written row by row with a router of its own, and what a start makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from engine.config_compile import compile_config
from engine.follower import Follower
from engine.journal import Limits, Snapshot, SqliteJournal, events_hash
from engine.keeper import Keeper, Plan
from engine.model import Abandon, Arrive, Configure, Ready, Restarted, SignIn, encode_frame
from engine.names import Names
from engine.replay import Replay, replay
from engine.testing.fixtures import small_site
from tests.at_once import AtOnce

SITE = "small"
SHORT = Limits(segment_batches=20, reserve_bytes=0)
BEGIN_US = 1_700_000_000_000_000
PLAN = Plan(snapshot_every=25, days=400, max_bytes=1 << 40)


class Site:
    """A journal with its router: each `step` is one batch."""

    def __init__(self, folder: Path, limits: Limits = SHORT) -> None:
        self.journal = SqliteJournal(folder, SITE, limits, AtOnce())
        self.heard = Heard()
        state = replay(self.journal, self.heard)
        self.router, self.seq, self._events_hash = state.router, state.seq, state.events_hash
        self.began_behind = state.began_behind
        self.commit(encode_frame(Restarted()))
        if not self.router.config_hash():
            config, _ = compile_config(small_site(folder), Names.decode(b""))
            self.commit(encode_frame(Configure(config=config)))
            self.commit(encode_frame(SignIn(agent=1)))
            self.commit(encode_frame(Ready(agent=1)))

    def commit(self, frames: bytes, count: int = 1) -> int:
        """Append a batch and apply it."""
        at = max(BEGIN_US, self.router.now) + 1_000_000
        state = self.router.state_hash() if (self.seq + 1) % 10 == 0 else None
        self.seq = self.journal.append(at, count, frames, self._events_hash, state)
        batch = self.router.apply_batch(self.seq, at, [(0, 0, frames)])
        self._events_hash = events_hash(batch.events)
        self.journal.maintain()
        return self.seq

    def steps(self, batches: int) -> None:
        """Contacts come, and every third leaves; now and then only time passes."""
        for _ in range(batches):
            number = self.seq + 1
            if number % 7 == 0:
                self.commit(b"", 0)
            elif number % 3 == 0:
                last = self.router.next_contact - 1
                self.commit(encode_frame(Abandon(contact=last, channel=1)))
            else:
                self.commit(encode_frame(Arrive(channel=1, key=number.to_bytes(16, "big"), queue=2)))

    def close(self) -> None:
        """Stop in good order."""
        self.journal.close()


class Heard:
    """What a start tells the bus."""

    def __init__(self) -> None:
        self.behind = 0
        self.batches: list[int] = []

    def remember(self, seq: int, at: int, events: bytes) -> None:
        """Note it."""
        self.batches.append(seq)

    def begin_behind(self, seq: int) -> None:
        """Note it."""
        self.behind = seq


def written(folder: Path, batches: int, limits: Limits = SHORT) -> int:
    """Write a journal of some batches, stopped in good order; return its last seq."""
    with closing(Site(folder, limits)) as site:
        site.steps(batches)
        return site.seq


def kept(folder: Path, plan: Plan = PLAN, now_us: int = BEGIN_US) -> None:
    """Let the keeper do what is due."""
    with closing(Keeper(folder, plan, lambda: now_us)) as keeper:
        while keeper.step():
            pass


def snapshot_at(folder: Path, seq: int) -> Snapshot:
    """Return the snapshot behind batch `seq`, from the first row on."""
    with closing(SqliteJournal(folder, SITE, SHORT, AtOnce())) as journal:
        state = Replay()
        for row in journal.read(0):
            if row.seq > seq:
                break
            batch = state.apply(row)
            state.remember(batch.seq, batch.at, batch.events)
        return state.snapshot(SITE)


def followed(folder: Path, *, newest: bool = False) -> tuple[int, int, int]:
    """Follow to the end; return where it began, the last seq and the state hash there."""
    with closing(Follower(folder, newest=newest)) as follower:
        for _ in follower.poll():
            pass
        return follower.began_behind, follower.seq, follower.router.state_hash()


def events_of(folder: Path) -> Iterator[tuple[int, bytes]]:
    """Yield every batch's events."""
    with closing(Follower(folder)) as follower:
        for batch in follower.poll():
            yield batch.seq, batch.events


def other_rules(monkeypatch: pytest.MonkeyPatch, version: int) -> None:
    """From now on this is a release with other rules."""
    for module in ("journal.contract", "journal.making", "journal.sqlite", "journal", "replay", "follower"):
        monkeypatch.setattr(f"engine.{module}.RULES_VERSION", version)
    monkeypatch.setattr("engine.keeper.RULES_VERSION", version)
    monkeypatch.setattr("engine.explain_story.RULES_VERSION", version)

"""Storms of faults on virtual time, then a calm in which every contact finishes.

SIMULATION_SEEDS in the environment is how many; a failure says its seed, and
`SIMULATION_SEED=N pytest tests/simulation` plays that one again.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from random import Random

import pytest
import trio
from trio.testing import MockClock

from engine import desk, port_effects, service
from engine.errors import NotDurable
from engine.faults import POINTS, Faults, InjectedFault
from engine.journal import NewBatch
from tests.simulation import world
from tests.simulation.world import World, WriterInPlace

SEEDS = int(os.environ.get("SIMULATION_SEEDS", "4"))
FIRST = int(os.environ.get("SIMULATION_SEED", "1"))
MOST_SEEDS = 40
"""In so many storms each planted bug shows itself."""

pytestmark = pytest.mark.slow  # ten minutes of virtual time, a journal that is really synced


@pytest.fixture(autouse=True)
def _repeatable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trio shuffles who goes first, and commands have random ids: both come from the seed here."""
    from trio._core import _run

    monkeypatch.setattr(_run, "_ALLOW_DETERMINISTIC_SCHEDULING", True)


def play(folder: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> tuple[World, str]:
    """One storm; what fails says by which seed."""
    from trio._core import _run

    _run._r.seed(seed)
    ids = Random(seed)
    monkeypatch.setattr(desk, "_command_id", lambda: ids.randbytes(16))
    one = World(folder, seed)
    try:
        trio.run(one.run, clock=MockClock(autojump_threshold=0))
        events = one.check()
        one.check_end()
    except BaseException as error:
        error.add_note(f"SIMULATION_SEED={seed} plays it again")
        raise
    return one, events


def test_storms_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    struck: Counter[str] = Counter()
    lives = 0
    seeds = [FIRST] if "SIMULATION_SEED" in os.environ else range(FIRST, FIRST + SEEDS)
    for seed in seeds:
        one, _ = play(tmp_path / str(seed), seed, monkeypatch)
        struck += one.faults.struck
        lives += one.lives
    if len(seeds) > 1:
        assert set(struck) == set(POINTS), "every kind of fault has struck"
        assert lives > 2 * len(seeds), "the process has died now and then"


def test_a_seed_plays_the_same_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (play(tmp_path / name, 7, monkeypatch) for name in ("first", "second"))
    assert first[1] == second[1]
    assert first[0].faults.struck == second[0].faults.struck


async def go_on_after_an_error(self: WriterInPlace, batch: NewBatch) -> int:
    """Planted: the journal's error is swallowed, and the batch counted as durable."""
    assert self._journal is not None
    await trio.sleep(0.001)
    if self._faults.strikes("commit_unknown"):
        return self._journal.last().seq + 1
    return self._journal.append(batch.at, batch.count, batch.frames, batch.previous_events_hash)


def confirm_before_it_is_done(queue: port_effects.EffectQueue) -> None:
    """Planted: an effect counts as finished when it is given."""
    original = port_effects.EffectQueue.next

    async def next_and_finish(self: port_effects.EffectQueue) -> object:
        effect = await original(self)
        self.finish(effect)
        return effect

    queue.next = next_and_finish  # type: ignore[attr-defined]


def plant(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if name == "an unknown commit is taken for durable":
        monkeypatch.setattr(WriterInPlace, "append", go_on_after_an_error)
    elif name == "an effect is finished when it is given":
        confirm_before_it_is_done(port_effects.EffectQueue)  # type: ignore[arg-type]
    else:
        monkeypatch.setattr(service, "not_before", lambda clock, at_us: clock)


@pytest.mark.parametrize(
    "planted",
    [
        "an unknown commit is taken for durable",
        "an effect is finished when it is given",
        "time stands still after the clock was set back",
    ],
)
def test_a_planted_bug_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, planted: str) -> None:
    monkeypatch.setattr(port_effects.EffectQueue, "next", port_effects.EffectQueue.next)
    plant(planted, monkeypatch)

    def play_until_it_is_found() -> None:
        for seed in range(1, MOST_SEEDS):
            play(tmp_path / str(seed), seed, monkeypatch)

    with pytest.raises(BaseException) as found:  # noqa: PT011 - a planted bug may show itself anywhere
        play_until_it_is_found()
    assert "plays it again" in str(found.value.__notes__)


def test_faults_are_named_and_repeat_themselves() -> None:
    with pytest.raises(ValueError, match=r"rates\.flood: expected one of effect_given"):
        Faults(1, {"flood": 0.5})
    with pytest.raises(ValueError, match=r"rates\.channel_send: expected 0 to 1, got 2"):
        Faults(1, {"channel_send": 2})
    first, second = (Faults(3, {"channel_send": 0.5}) for _ in range(2))
    assert [first.strikes("channel_send") for _ in range(50)] == [
        second.strikes("channel_send") for _ in range(50)
    ]
    first.on = False
    assert not any(first.strikes("channel_send") for _ in range(50))
    with pytest.raises(InjectedFault, match="channel_send"):
        Faults(1, {"channel_send": 1}).strike("channel_send")


def test_the_world_knows_every_point() -> None:
    assert set(world.RATES) == set(POINTS)
    assert issubclass(NotDurable, Exception)

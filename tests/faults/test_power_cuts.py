"""The power fails at a random moment: what was promised by then is there afterwards.

Writers live and end on one recorded disk, one after the other: killed between any two calls, stopped
by a failed sync or a full disk, closed. Then the power is cut before a random record. CUTS (default
40) says how often; `make torture` cuts a thousand times. A failing cut repeats itself by its seeds.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from engine.journal import JournalError
from tests.faults.child import PROMISES, STOPPED
from tests.faults.disk import Asked, Disk
from tests.faults.recorded import KILLED, SEGMENT, Life, Recorded, cut_and_recover

CUTS = int(os.environ.get("CUTS", "40"))
CUTS_OF_ONE_RECORD = 40
BATCHES = 40


def lives(rng: random.Random) -> list[Life]:
    """Five ends of a writer in a random order; the counts are such that each comes to its end."""
    several = [
        Life(BATCHES, f"any::{rng.randint(1, 150)}:kill", KILLED),
        Life(BATCHES, f"any::{rng.randint(1, 150)}:kill", KILLED),
        Life(BATCHES, f"sync:-wal:{rng.randint(1, 35)}:EIO", STOPPED),
        Life(BATCHES, f"write:-wal:{rng.randint(1, 70)}:full", STOPPED),
        Life(BATCHES),
    ]
    rng.shuffle(several)
    return several


def recorded(folder: Path, library: Path, seed: int, bug: str = "") -> Recorded:
    return Recorded(folder / f"disk {seed}", folder / f"log {seed}", seed, library, bug, segment=SEGMENT)


def places(asked: list[Asked], cuts: int, rng: random.Random) -> list[int]:
    """Choose where to cut: half anywhere, half around the starts, which are short and delicate."""
    starts = [at for at, one in enumerate(asked) if one.path == PROMISES and one.data.startswith(b"found")]
    near = [rng.choice(starts) + rng.randint(-20, 5) for _ in range(cuts // 2)]
    anywhere = [rng.randint(0, len(asked)) for _ in range(cuts - len(near))]
    return sorted(min(max(at, 0), len(asked)) for at in near + anywhere)


def failed_cuts(record: Recorded, cuts: int, folder: Path) -> list[str]:
    """Cut so often, and return what was wrong."""
    asked = record.asked()
    failed = []
    for number, at in enumerate(places(asked, cuts, random.Random(record.seed))):
        chance = random.Random(f"{record.seed} {number}")
        try:
            cut_and_recover(asked, at, record.seed, chance, folder / f"cut {record.seed} {number}")
        except (AssertionError, JournalError) as error:
            failed.append(f"seed {record.seed}, cut {number} before record {at} of {len(asked)}: {error}")
    return failed


@pytest.mark.slow  # processes are started
@pytest.mark.parametrize("seed", range(1, CUTS // CUTS_OF_ONE_RECORD + 1))
def test_a_power_cut_keeps_every_promise(tmp_path: Path, library: Path, seed: int) -> None:
    record = recorded(tmp_path, library, seed)
    for life in lives(random.Random(seed)):
        record.live(life)
    assert failed_cuts(record, CUTS_OF_ONE_RECORD, tmp_path) == []


@pytest.mark.slow  # a process is started
def test_the_record_is_complete(tmp_path: Path, library: Path) -> None:
    """Played back whole, it gives the same files, byte for byte: nothing went past the library."""
    record = recorded(tmp_path, library, seed=0)
    record.live(Life(BATCHES, "any::200:kill", KILLED))
    played = tmp_path / "played"
    Disk(random.Random(0)).take(record.asked()).write_whole(played)
    files = {path.relative_to(record.folder) for path in record.folder.rglob("*") if path.is_file()}
    files = {path for path in files if not path.name.endswith("-shm")}  # shared memory, not a file's bytes
    assert any(path.name.endswith("-wal") for path in files)
    assert files == {path.relative_to(played) for path in played.rglob("*") if path.is_file()}
    for path in files:
        assert (record.folder / path).read_bytes() == (played / path).read_bytes(), path


RECOVERED = [Life(BATCHES, "sync:-wal:20:EIO", STOPPED), Life(1)]
"""A row whose sync failed is still in the system's memory, and the next start finds it there."""


@pytest.mark.slow  # processes are started
@pytest.mark.parametrize(
    ("bug", "said", "several"),
    [
        ("synchronous=NORMAL", "promised and are gone", [Life(BATCHES)]),
        ("acknowledged before the commit", "promised and are gone", [Life(BATCHES)]),
        ("head not synced", "the head has forgotten", [Life(BATCHES)]),
        ("new folders not synced", "the head has forgotten", [Life(BATCHES)]),
        ("snapshot not synced", "snapshot is", [Life(BATCHES)]),
        ("WAL not written anew", "were durable and are gone", RECOVERED),
    ],
)
def test_a_planted_bug_is_found(
    tmp_path: Path, library: Path, bug: str, said: str, several: list[Life]
) -> None:
    record = recorded(tmp_path, library, 1, bug)
    for life in several:
        record.live(life)
    assert any(said in one for one in failed_cuts(record, 60, tmp_path))

"""The whole engine on a failing disk: what callers were answered is in the journal and replays."""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest

from engine import model
from engine.bus import Bus
from engine.follower import Follower
from engine.journal import Limits, SqliteJournal
from engine.replay import replay
from engine.router import decode_events
from engine.verify import verify
from tests.faults.child import JOURNAL, PROMISES, STOPPED
from tests.faults.child_service import CONTACTS_OF_A_CALLER
from tests.faults.disk import Asked, Disk, Kind
from tests.faults.recorded import Life, Recorded

CALLERS = 5
CUTS = 25
SNAPSHOTS: Counter[bool] = Counter()
"""How many starts went on from a snapshot, and how many did not."""
EVENT_OF = {"arrived": model.Arrived, "abandoned": model.Abandoned}


def answered(asked: Iterable[Asked]) -> dict[str, set[int]]:
    """Return what callers had been told by then: kind of answer -> contacts."""
    contacts = defaultdict(set)
    for one in asked:
        if one.kind is Kind.WRITE and one.path == PROMISES:
            what, contact = one.data.decode().split()
            contacts[what].add(int(contact))
    return contacts


def check_replay(folder: Path, told: dict[str, set[int]]) -> None:
    """Recover as a start does, replay with every hash checked, and look for what was told."""
    journal = SqliteJournal(folder, "small", Limits(reserve_bytes=0))
    recovered = replay(journal, Bus())
    journal.close()
    follower = Follower(folder)
    events = [event for batch in follower.poll() for event in decode_events(batch.events)]
    follower.router.check()
    follower.close()
    assert (recovered.seq, recovered.router.state_hash()) == (follower.seq, follower.router.state_hash())
    wrong = verify(folder, lambda well: None, stopped=True)
    assert wrong == [], "what was told is there, and something beside it is damaged"
    SNAPSHOTS[recovered.began_behind > 0] += 1
    for what, kind in EVENT_OF.items():
        recorded = {event.contact for event in events if isinstance(event, kind)}
        assert told.get(what, set()) <= recorded, f"{what} and forgotten"


def check_cuts(record: Recorded, folder: Path) -> None:
    asked = record.asked()
    rng = random.Random(record.seed)
    for number in range(CUTS):
        before = asked[: rng.randint(0, len(asked))]
        left = folder / f"cut {number}"
        Disk(rng).take(before).cut(left)
        check_replay(left / JOURNAL, answered(before))


@pytest.mark.slow  # a process is started
def test_a_power_cut_forgets_no_answer(tmp_path: Path, library: Path) -> None:
    record = Recorded(tmp_path / "disk", tmp_path / "log", 1, library, module="tests.faults.child_service")
    record.live(Life(CALLERS))
    told = answered(record.asked())
    assert len(told["arrived"]) == CALLERS * CONTACTS_OF_A_CALLER
    SNAPSHOTS.clear()
    check_cuts(record, tmp_path)
    assert SNAPSHOTS[True] > CUTS // 3, "most starts go on from a snapshot"


@pytest.mark.slow  # processes are started
@pytest.mark.parametrize("fault", ["sync:-wal:20:EIO", "write:-wal:60:full"])
def test_an_error_ends_the_service(tmp_path: Path, library: Path, fault: str) -> None:
    """Every caller who waits is left without an answer, none is told a lie, and the next start serves."""
    record = Recorded(tmp_path / "disk", tmp_path / "log", 1, library, module="tests.faults.child_service")
    said = record.live(Life(CALLERS, fault, STOPPED))
    assert re.search("could not be (made durable|kept)", said), "in a row, or in the next segment's file"
    first = answered(record.asked())
    assert 0 < len(first["arrived"]) < CALLERS * CONTACTS_OF_A_CALLER
    record.live(Life(CALLERS))
    assert answered(record.asked())["arrived"] >= first["arrived"]
    check_cuts(record, tmp_path)

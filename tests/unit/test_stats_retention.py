"""Statistics beside a journal that lets go of old segments: what is kept is counted, nothing is made up."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from engine.journal import JournalReader, Limits
from engine.journal.marks import slowest
from engine.journal.segment import numbers_in
from engine.keeper import Keeper, Plan
from engine.model import Abandon
from engine.stats.database import FILE
from tests.unit.stats_kit import Script, arrive, day, following, rows

SHORT = Limits(segment_batches=10, reserve_bytes=0)


def long_day(data: Path) -> Script:
    """A morning, and then contacts that come and leave, in several segments."""
    script = Script(data, limits=SHORT)
    day(script)
    for number in range(40):
        (contact,) = script.do(50_000 + number * 1_000, arrive(100 + number, queue=2))
        script.do(50_500 + number * 1_000, Abandon(channel=1, contact=contact))
    return script


def let_go(data: Path) -> int:
    """Let go of all but the newest segment; return behind which batch the journal is kept."""
    with closing(Keeper(data / "journal", Plan(1_000, 400, max_bytes=1))) as keeper:
        while keeper.step():
            pass
    with closing(JournalReader(data / "journal")) as reader:
        return reader.oldest


def test_made_anew_they_reach_as_far_as_the_journal(tmp_path: Path) -> None:
    data = tmp_path / "data"
    script = long_day(data)
    script.close()
    assert let_go(data) > 50
    with following(data, script.site) as (writer, database):
        assert writer.step()
        writer.flush()
        counted = rows(database, "SELECT count(*), count(ended_at), min(contact) FROM contacts")
        ((count, ended, first),) = counted
        assert count == ended > 0
        assert first > 6, "those of the morning came before"
        states = rows(database, "SELECT state FROM agent_states WHERE agent = 'ann'")
        assert states, "who worked then works still"


def test_a_file_that_knows_more_goes_on(tmp_path: Path) -> None:
    data = tmp_path / "data"
    script = long_day(data)
    with following(data, script.site) as (writer, _):
        writer.step()
        writer.flush()
    assert slowest(data / "journal") == script.seq
    before = script.seq
    script.do(100_000, arrive(900, queue=2))
    script.close()
    let_go(data)
    with following(data, script.site) as (writer, database):
        assert writer.applied_seq == before
        writer.step()
        writer.flush()
        ((count, oldest),) = rows(database, "SELECT count(*), min(contact) FROM contacts")
        assert (count, oldest) == (6 + 40 + 1, 1), "what was counted before is still there"


def test_a_file_that_was_left_behind_is_too_old(tmp_path: Path) -> None:
    data = tmp_path / "data"
    script = Script(data, limits=SHORT)
    day(script)
    with following(data, script.site) as (writer, _):
        writer.step()
        writer.flush()
    for number in range(40):
        script.do(50_000 + number * 1_000, arrive(100 + number, queue=2))
    script.close()
    assert numbers_in(data / "journal")[0] == 1
    let_go(data)
    with following(data, script.site) as (writer, _):
        assert writer.applied_seq == 0, "made anew"
        assert (data / f"{FILE}.set-aside").exists()
        writer.step()
        writer.flush()

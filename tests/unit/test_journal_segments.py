"""The row of segments: rolled, read over the borders, sealed, let go of, and continued under other rules."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import apsw
import pytest

from engine.cli import main
from engine.explain_story import NotFound, Until, account
from engine.follower import Follower
from engine.journal import (
    NO_EVENTS_HASH,
    JournalCorrupt,
    JournalCut,
    JournalError,
    JournalReader,
    JournalTooOld,
    Limits,
    SqliteJournal,
)
from engine.journal.contract import BatchRow, first_chain, next_chain
from engine.journal.events import EventFile, events_path
from engine.journal.head import read_head
from engine.journal.marks import remove_mark, write_mark
from engine.journal.segment import numbers_in, path_of
from engine.keeper import Plan
from tests.unit.journal_kit import (
    BEGIN_US,
    PLAN,
    SITE,
    AtOnce,
    Site,
    events_of,
    followed,
    kept,
    other_rules,
    written,
)

DAY_US = 86_400_000_000


def opened(folder: Path, batches: int = 4) -> SqliteJournal:
    return SqliteJournal(folder, SITE, Limits(segment_batches=batches, reserve_bytes=0), AtOnce())


def appended(journal: SqliteJournal, rows: int) -> None:
    for _ in range(rows):
        journal.append(journal.last().seq + 1, 1, b"frame", NO_EVENTS_HASH)
        journal.maintain()


def test_rows_go_on_in_the_next_file(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as journal:
        appended(journal, 18)
        assert [row.seq for row in journal.read()] == list(range(1, 19))
        assert [row.seq for row in journal.read(8)] == list(range(9, 19))
    assert numbers_in(tmp_path) == [1, 2, 3, 4, 5]
    with closing(JournalReader(tmp_path)) as reader:
        assert [header.first_seq for header in reader.segments()] == [1, 5, 9, 13, 17]
        chains = {row.seq: row.chain for row in reader.read()}
        assert all(reader.chain_at(seq) == chains[seq] for seq in chains)
    with closing(opened(tmp_path)) as journal:
        appended(journal, 3)
        assert len({row.epoch for row in journal.read()}) == 2
        assert journal.last().seq == 21


def test_a_big_segment_is_followed_too(tmp_path: Path) -> None:
    limits = Limits(segment_bytes=100_000, reserve_bytes=0)
    with closing(SqliteJournal(tmp_path, SITE, limits, AtOnce())) as journal:
        for at in range(40):
            journal.append(at, 1, bytes(10_000), NO_EVENTS_HASH)
            journal.maintain()
    assert len(numbers_in(tmp_path)) > 3


def test_a_reader_goes_over_the_border_while_it_is_written(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as journal:
        appended(journal, 1)
        with closing(JournalReader(tmp_path)) as reader:
            seen = [row.seq for row in reader.read()]
            for _ in range(30):
                appended(journal, 1)
                seen += [row.seq for row in reader.read(seen[-1])]
                assert reader.last().seq == seen[-1] == journal.last().seq
        assert seen == list(range(1, 32))


def test_rows_between_two_looks_are_not_passed_over(tmp_path: Path) -> None:
    """The reader has come to the end of a segment; before it looks for the next one, both get rows."""
    with closing(opened(tmp_path)) as journal, closing(JournalReader(tmp_path)) as reader:
        appended(journal, 2)
        rows = reader.read()
        assert [next(rows).seq, next(rows).seq] == [1, 2]
        appended(journal, 5)
        assert [row.seq for row in rows] == [3, 4, 5, 6, 7]


def test_the_head_knows_a_segments_first_row_before_it_is_answered(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as journal:
        for _ in range(5):
            journal.append(journal.last().seq + 1, 1, b"frame", NO_EVENTS_HASH)
            if journal.last().seq < 5:
                journal.maintain()
        head = read_head(tmp_path / "head")
        assert numbers_in(tmp_path) == [1, 2]
        assert head is not None
        assert head.seq == 5


@pytest.mark.parametrize("left", [b"", b"torn" * 1000, None], ids=["empty", "torn", "prepared"])
def test_a_file_that_was_only_prepared_is_made_again(tmp_path: Path, left: bytes | None) -> None:
    journal = opened(tmp_path)
    appended(journal, 4)  # the next one's file is there, without a row
    journal._failed = True  # as a kill leaves it
    journal.close()
    assert numbers_in(tmp_path) == [1, 2]
    if left is not None:
        path_of(tmp_path, 2).write_bytes(left)
        path_of(tmp_path, 2, ".sqlite-wal").unlink()
    with closing(opened(tmp_path)) as journal:
        assert [row.seq for row in journal.read()] == [1, 2, 3, 4]
        appended(journal, 5)
        assert [row.seq for row in journal.read()] == list(range(1, 10))


def test_a_segment_that_the_head_knows_is_not_taken_for_prepared(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as journal:
        appended(journal, 5)
    path_of(tmp_path, 2).write_bytes(b"torn" * 1000)
    before = path_of(tmp_path, 2).read_bytes()
    with pytest.raises(JournalError):
        opened(tmp_path)
    assert path_of(tmp_path, 2).read_bytes() == before


@pytest.mark.parametrize("gone", [2, 3])
def test_a_missing_segment_is_named(tmp_path: Path, gone: int) -> None:
    with closing(opened(tmp_path)) as journal:
        appended(journal, 11)
    path_of(tmp_path, gone).unlink()
    with pytest.raises(JournalError, match="000002.sqlite: is missing" if gone == 2 else r"rows 9\.\.11"):
        opened(tmp_path)


def test_a_changed_border_is_named(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as journal:
        appended(journal, 11)
    with closing(apsw.Connection(str(path_of(tmp_path, 3)))) as db:
        db.execute("UPDATE meta SET previous_chain = ?", (bytes(32),))
    with pytest.raises(JournalCorrupt, match="row 9: the header of segment 000003"):
        opened(tmp_path)


def test_the_end_of_a_segment_that_is_not_the_last_is_missed(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as journal:
        appended(journal, 11)
    with closing(apsw.Connection(str(path_of(tmp_path, 2)))) as db:
        db.execute("DELETE FROM batches WHERE seq > 6")
    with pytest.raises(JournalCut, match=r"rows 7\.\.8 were durable and are gone"):
        opened(tmp_path)
    with closing(JournalReader(tmp_path)) as reader, pytest.raises(JournalCut, match=r"rows 7\.\.8"):
        list(reader.read())


def test_what_fails_beside_ends_the_journal(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    appended(journal, 2)
    path_of(tmp_path, 2).mkdir()
    with pytest.raises(JournalError, match="could not be kept"):
        appended(journal, 3)
    with pytest.raises(JournalError, match="restart the process"):
        appended(journal, 1)
    journal.close()


# ----- sealed, let go of --------------------------------------------------------------------------


def test_a_sealed_segments_file_has_its_events(tmp_path: Path) -> None:
    last = written(tmp_path, 50)
    expected = dict(events_of(tmp_path))
    kept(tmp_path)
    numbers = numbers_in(tmp_path)
    assert len(numbers) == last // 20 + 1
    found = {}
    for number in numbers[:-1]:
        file = EventFile(events_path(tmp_path, number))
        found.update({one.seq: one.events for one in file.happened()})
        assert file.end().last_seq == number * 20
    assert found == {seq: expected[seq] for seq in found}
    assert len(found) == 20 * (len(numbers) - 1)
    assert not events_path(tmp_path, numbers[-1]).exists(), "it is still written"


def test_old_segments_are_let_go_of(tmp_path: Path) -> None:
    written(tmp_path, 90)
    before = followed(tmp_path)
    kept(tmp_path, PLAN, BEGIN_US + 30_000_000 + 400 * DAY_US)  # row 20 is older than that, row 40 is not
    assert numbers_in(tmp_path)[0] == 2
    assert not list(tmp_path.glob("000001*"))
    assert followed(tmp_path) == (20, *before[1:]), "a follower begins with the oldest that is kept"
    assert followed(tmp_path, newest=True)[1:] == before[1:]
    with closing(JournalReader(tmp_path)) as reader:
        assert reader.oldest == 20
        with pytest.raises(JournalTooOld, match="too_old: the journal is kept behind batch 20") as caught:
            list(reader.read(3))
        assert (caught.value.code, caught.value.oldest) == ("too_old", 20)
    assert main(["journal", "verify", "--journal", str(tmp_path)]) == 0
    with closing(Site(tmp_path)) as site:
        assert site.router.state_hash()
        site.steps(30)


def test_a_running_follower_that_is_left_behind_is_told(tmp_path: Path) -> None:
    last = written(tmp_path, 90)
    with closing(Follower(tmp_path)) as follower:
        for batch in follower.poll():
            if batch.seq == 5:
                break
        kept(tmp_path, Plan(snapshot_every=25, days=400, max_bytes=1))
        assert numbers_in(tmp_path) == [last // 20 + 1], "what is still written stays, however big"
        with pytest.raises(JournalTooOld):
            for _ in follower.poll():
                pass


def test_a_follower_holds_what_it_needs_up_to_the_bound(tmp_path: Path) -> None:
    written(tmp_path, 90)
    years_later = BEGIN_US + 4_000 * DAY_US
    write_mark(tmp_path, "stats", 45)
    kept(tmp_path, PLAN, years_later)
    assert numbers_in(tmp_path)[0] == 3, "rows from 41 on are still needed"
    remove_mark(tmp_path, "stats")
    write_mark(tmp_path, "other", 45)
    kept(tmp_path, Plan(snapshot_every=25, days=400, max_bytes=1), years_later)
    assert numbers_in(tmp_path)[0] == 5


# ----- other formats, other rules -------------------------------------------------------------------


def test_a_journal_of_the_first_format_goes_on_in_a_segment_of_this_one(tmp_path: Path) -> None:
    """One file, whose header says neither where it begins nor what it goes on from."""
    tmp_path.mkdir(exist_ok=True)
    chain = first_chain(1, 3, SITE)
    with closing(apsw.Connection(str(path_of(tmp_path, 1)))) as db:
        db.pragma("journal_mode", "wal")
        db.execute(
            "CREATE TABLE meta (format INTEGER NOT NULL, rules INTEGER NOT NULL, site TEXT NOT NULL) STRICT;"
            "CREATE TABLE batches (seq INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, at INTEGER NOT NULL,"
            " count INTEGER NOT NULL, frames BLOB NOT NULL, events_hash_previous BLOB NOT NULL,"
            " state_hash_previous BLOB, chain BLOB NOT NULL) STRICT"
        )
        db.execute("INSERT INTO meta VALUES (1, 3, ?)", (SITE,))
        for seq in range(1, 4):
            row = BatchRow(seq, 1, seq, 1, b"frame", NO_EVENTS_HASH, b"")
            chain = next_chain(chain, row)
            values = (seq, 1, seq, 1, b"frame", NO_EVENTS_HASH, None, chain)
            db.execute("INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
    assert main(["journal", "repair", "--rebuild-head", "--yes", "--journal", str(tmp_path)]) == 0
    with closing(opened(tmp_path)) as journal:
        appended(journal, 2)
        assert [row.seq for row in journal.read()] == [1, 2, 3, 4, 5]
    with closing(JournalReader(tmp_path)) as reader:
        assert [(one.format, one.first_seq) for one in reader.segments()] == [(1, 1), (2, 4)]


def test_rows_of_other_rules_are_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, 30)
    with monkeypatch.context() as release:
        other_rules(release, 4)
        with pytest.raises(JournalError, match=r"under rules 3, this release has rules 4.*journal seal"):
            Site(tmp_path)
        with pytest.raises(JournalError, match="has no event file"):
            followed(tmp_path)


def test_other_rules_begin_a_segment_behind_what_was_sealed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    last = written(tmp_path, 30)
    before = dict(events_of(tmp_path))
    (tmp_path / "site.toml").write_text('[site]\nname = "small"\n')
    seal = ["journal", "seal", "--journal", str(tmp_path), "--config", str(tmp_path / "site.toml")]
    assert main(seal) == 0
    assert "written down" in capsys.readouterr().out
    with monkeypatch.context() as release:
        other_rules(release, 4)
        with closing(Site(tmp_path)) as site:
            assert site.began_behind == last
            assert site.seq == last + 1
            site.steps(10)
            state = site.router.state_hash()
        with closing(JournalReader(tmp_path)) as reader:
            headers = [(one.rules, one.first_seq) for one in reader.segments()]
            assert headers == [(3, 1), (3, 21), (4, last + 1)]
        after = dict(events_of(tmp_path))
        assert {seq: after[seq] for seq in before} == before, "from the event files, not from a replay"
        with closing(Follower(tmp_path)) as follower:
            for batch in follower.poll():
                if batch.seq == last:
                    names = follower.router.names()
            assert names == follower.router.names(), "of older rules the configuration is known"
            assert follower.router.state_hash() == state
        assert main(["journal", "verify", "--journal", str(tmp_path)]) == 0
        assert main(["replay", "--journal", str(tmp_path)]) == 0
        with pytest.raises(NotFound, match="decided under rules 3"):
            account(tmp_path, 1, None, Until(seq=12))
    with pytest.raises(JournalError, match="decided under rules 4"):
        Site(tmp_path)


def test_a_release_that_goes_on_after_sealing_seals_again(tmp_path: Path) -> None:
    last = written(tmp_path, 5)
    (tmp_path / "site.toml").write_text('[site]\nname = "small"\n')
    seal = ["journal", "seal", "--journal", str(tmp_path), "--config", str(tmp_path / "site.toml")]
    assert main(seal) == 0
    assert written(tmp_path, 30) > 20
    kept(tmp_path)
    assert EventFile(events_path(tmp_path, 1)).end().last_seq == 20 > last
    assert main(["journal", "verify", "--journal", str(tmp_path)]) == 0

"""What every journal has to do, as one suite that each implementation's test calls."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from engine.journal import (
    NO_EVENTS_HASH,
    RULES_VERSION,
    Journal,
    JournalError,
    JournalTooOld,
    Reader,
    Snapshot,
    events_hash,
)

SEGMENT_ROWS = 40
"""`check_journal` appends more than this behind the rows that it begins with: make segments shorter."""


def check_journal(open_journal: Callable[[], Journal], open_reader: Callable[[], Reader]) -> None:
    """Run the suite.

    Args:
        open_journal: opens the same, at first empty, journal each time; the one before is closed. If it is
            kept in parts, let them be shorter than `SEGMENT_ROWS` rows.
        open_reader: opens a reader of it, beside whoever writes.

    Raises:
        AssertionError: the journal does not keep the contract.
    """
    _check_empty(open_journal)
    _check_append_and_read(open_journal)
    _check_reopen(open_journal)
    _check_time(open_journal)
    _check_readers(open_journal, open_reader)
    _check_many(open_journal, open_reader)
    _check_snapshots(open_journal, open_reader)
    _check_one_writer(open_journal)


def check_letting_go(open_reader: Callable[[], Reader], let_go: Callable[[], None]) -> None:
    """Check what readers are told when old rows have been let go of.

    Args:
        open_reader: opens a reader of a journal with rows.
        let_go: lets the implementation remove its oldest rows, by whatever its retention is.

    Raises:
        AssertionError: the journal does not keep the contract.
    """
    with closing(open_reader()) as reader:
        before = list(reader.read())
        assert reader.oldest == 0, "everything is there"
    let_go()
    with closing(open_reader()) as reader:
        oldest = reader.oldest
        assert 0 < oldest < reader.last().seq, "some are gone, and not the newest"
        assert list(reader.read()) == [row for row in before if row.seq > oldest], "what is kept is unchanged"
        assert list(reader.read(oldest)) == list(reader.read())
        assert reader.chain_at(oldest) == before[oldest - 1].chain, "it is known what it goes on from"
        try:
            list(reader.read(oldest - 1))
            told = None
        except JournalTooOld as error:
            told = error
        assert told is not None, "who is behind must be told"
        assert (told.code, told.oldest) == ("too_old", oldest)


def _check_empty(open_journal: Callable[[], Journal]) -> None:
    journal = open_journal()
    assert (journal.last().seq, journal.last().at) == (0, 0), "a new journal is empty"
    assert list(journal.read()) == []
    assert journal.oldest == 0
    assert list(journal.snapshots.newest_first()) == []
    assert journal.rules_at(1) == RULES_VERSION, "what comes is decided by this release"
    journal.close()
    journal.close()  # a second close does nothing


def _check_append_and_read(open_journal: Callable[[], Journal]) -> None:
    journal = open_journal()
    assert journal.append(1_000, 2, b"frames", NO_EVENTS_HASH) == 1, "seqs start at 1"
    assert journal.append(1_000, 0, b"", events_hash(b"one")) == 2, "an empty batch is a batch"
    assert journal.append(2**52, 1, b"\0" * 70_000, events_hash(b"two"), 2**64 - 1) == 3
    rows = list(journal.read())
    assert [row.seq for row in rows] == [1, 2, 3]
    assert [row.at for row in rows] == [1_000, 1_000, 2**52]
    assert [row.count for row in rows] == [2, 0, 1]
    assert [row.frames for row in rows] == [b"frames", b"", b"\0" * 70_000]
    assert rows[2].events_hash_previous == events_hash(b"two")
    assert [row.state_hash_previous for row in rows] == [None, None, 2**64 - 1]
    assert len({row.chain for row in rows}) == 3, "every row has its own chain hash"
    assert [row.seq for row in journal.read(after_seq=2)] == [3]
    assert list(journal.read(after_seq=3)) == []
    assert journal.last().chain == rows[-1].chain
    assert [journal.chain_at(seq) for seq in (1, 2, 3)] == [row.chain for row in rows]
    journal.maintain()
    journal.close()


def _check_reopen(open_journal: Callable[[], Journal]) -> None:
    journal = open_journal()
    before = list(journal.read())
    assert journal.last().seq == 3, "what was appended is there after a restart"
    assert journal.append(2**52, 0, b"", NO_EVENTS_HASH) == 4
    rows = list(journal.read())
    assert rows[:3] == before, "rows never change"
    assert rows[3].epoch > rows[2].epoch, "each start of a writer is a new epoch"
    journal.close()


def _check_time(open_journal: Callable[[], Journal]) -> None:
    journal = open_journal()
    refused = False
    try:
        journal.append(2**52 - 1, 0, b"", NO_EVENTS_HASH)
    except ValueError:
        refused = True
    assert refused, "a stamp below the last one must be refused"
    assert journal.append(2**52, 0, b"", NO_EVENTS_HASH) == 5, "a refused row changes nothing"
    journal.close()


def _check_readers(open_journal: Callable[[], Journal], open_reader: Callable[[], Reader]) -> None:
    with closing(open_journal()) as journal, closing(open_reader()) as reader:
        assert list(reader.read()) == list(journal.read()), "a reader sees what the writer wrote"
        assert reader.last() == journal.last()
        for seq in range(6, 11):
            assert journal.append(2**52 + seq, 1, b"frame", NO_EVENTS_HASH) == seq
            assert [row.seq for row in reader.read(seq - 1)] == [seq], "as soon as it is durable, not before"
            assert reader.last().seq == seq
        refused = False
        try:
            list(reader.read(99))
        except JournalError:
            refused = True
        assert refused, "there is nothing behind a row that is not there"
    with closing(open_reader()) as reader:
        assert reader.last().seq == 10, "and when nobody writes"


def _check_many(open_journal: Callable[[], Journal], open_reader: Callable[[], Reader]) -> None:
    """Beyond the border of a part, for the writer, for a reader that was open before, and after a start."""
    with closing(open_journal()) as journal, closing(open_reader()) as reader:
        before, seen = list(reader.read()), [row.seq for row in reader.read()]
        for _ in range(2 * SEGMENT_ROWS):
            journal.append(2**52 + 100, 1, b"frame", NO_EVENTS_HASH)
            journal.maintain()
            seen += [row.seq for row in reader.read(seen[-1])]
        assert seen == list(range(1, journal.last().seq + 1)), "a follower misses none, and gets none twice"
        rows = list(journal.read())
        assert rows[: len(before)] == before
        assert list(reader.read()) == rows
        assert all(reader.chain_at(row.seq) == row.chain for row in rows)
        assert {reader.rules_at(row.seq) for row in rows} == {RULES_VERSION}
    with closing(open_journal()) as journal:
        assert list(journal.read()) == rows
        assert journal.last().chain == rows[-1].chain


def _check_snapshots(open_journal: Callable[[], Journal], open_reader: Callable[[], Reader]) -> None:
    def made(seq: int) -> Snapshot:
        return Snapshot("site", RULES_VERSION, seq, seq, bytes(32), bytes(32), 2**64 - 1, b"state" * 1_000)

    with closing(open_journal()) as journal:
        written = [made(seq) for seq in (5, 6, 8, 9)]
        for snapshot in written:
            journal.snapshots.write(snapshot)
        found = [one for one in journal.snapshots.newest_first() if isinstance(one, Snapshot)]
        assert found == written[:0:-1], "the newest first, as they were written; three are kept"
    with closing(open_reader()) as reader:
        assert list(reader.snapshots.newest_first()) == found, "and a reader finds them"


def _check_one_writer(open_journal: Callable[[], Journal]) -> None:
    with closing(open_journal()):
        refused = False
        try:
            open_journal()
        except JournalError:
            refused = True
        assert refused, "a journal has one writer"
    open_journal().close()

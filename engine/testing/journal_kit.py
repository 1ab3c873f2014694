"""What every journal has to do, as one suite that each implementation's test calls."""

from __future__ import annotations

from collections.abc import Callable

from engine.journal import NO_EVENTS_HASH, Journal, events_hash


def check_journal(open_journal: Callable[[], Journal]) -> None:
    """Run the suite.

    Args:
        open_journal: opens the same, at first empty, journal each time; the one before is closed.

    Raises:
        AssertionError: the journal does not keep the contract.
    """
    _check_empty(open_journal)
    _check_append_and_read(open_journal)
    _check_reopen(open_journal)
    _check_time(open_journal)


def _check_empty(open_journal: Callable[[], Journal]) -> None:
    journal = open_journal()
    assert (journal.last().seq, journal.last().at) == (0, 0), "a new journal is empty"
    assert list(journal.read()) == []
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

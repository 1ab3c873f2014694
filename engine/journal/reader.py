"""Readers: over the segments' borders, in any process, beside whoever writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import apsw

from engine.journal.contract import (
    BatchRow,
    JournalCorrupt,
    JournalCut,
    JournalError,
    JournalTooOld,
    Last,
    ways_on,
)
from engine.journal.head import read_head
from engine.journal.segment import Header, Segment, numbers_in, path_of, read_header
from engine.journal.snapshots import SnapshotFolder

HEAD = "head"
MOST_OPEN = 8
"""Connections to segments; who reads on needs the one that it reads, the next and the newest."""

OLDEST_SQLITE = (3, 51, 3)
"""Before it, a WAL reset could race with a second connection, and followers are just that."""


def check_version() -> None:
    """Refuse an SQLite that is too old.

    Raises:
        JournalError: it is.
    """
    text = apsw.sqlite_lib_version()
    if tuple(int(part) for part in text.split(".")) < OLDEST_SQLITE:
        oldest = ".".join(str(part) for part in OLDEST_SQLITE)
        raise JournalError(f"SQLite {text} is too old, {oldest} is needed: upgrade the apsw package")


class JournalReader:
    """A read-only view of a journal that another process may be writing.

    Args:
        folder: the journal's folder.
    """

    def __init__(self, folder: Path) -> None:
        check_version()
        self._folder = folder
        self._open: dict[int, Segment] = {}  # used last stands last
        self._headers: dict[int, Header] = {}
        numbers = numbers_in(folder) if folder.is_dir() else []
        if not numbers:
            raise JournalError(f"{path_of(folder, 1)}: there is no journal yet; start the service once")
        try:
            self._newest = self._newest_of(numbers)
        except BaseException:
            self.close()
            raise

    def _newest_of(self, numbers: list[int]) -> int:
        """The newest segment; behind it there may be one that is only prepared."""
        for newest in numbers[:-3:-1]:
            if self._segment(newest) is not None:
                return newest
        if len(numbers) == 1:
            raise JournalError("the journal's header is missing: start the service once")
        before = self._segment(numbers[-3]) if len(numbers) > 2 else None
        seq = 1 if before is None else before.last().seq + 1
        raise JournalCorrupt(
            seq, f"{path_of(self._folder, numbers[-2]).name} has lost its header and rows. {ways_on(seq)}"
        )

    @property
    def site(self) -> str:
        """Whose journal it is."""
        return self._at(self._newest).header.site

    @property
    def oldest(self) -> int:
        """What is kept can be read behind this seq: 0 as long as nothing was let go of."""
        return self.segments()[0].first_seq - 1

    @property
    def snapshots(self) -> SnapshotFolder:
        """The snapshots that are there."""
        return SnapshotFolder(self._folder)

    def segments(self) -> list[Header]:
        """Return the headers of the segments that are there now, in order."""
        newest = self._newest_segment().header.number
        numbers = [number for number in numbers_in(self._folder) if number <= newest]
        for number in numbers:
            if number not in self._headers:
                self._at(number)
        return [self._headers[number] for number in numbers]

    def rules_at(self, seq: int) -> int:
        """Return for which rules row `seq` was decided, or will be."""
        return self._holding(seq - 1).header.rules

    def read(self, after_seq: int | None = None) -> Iterator[BatchRow]:
        """Yield the rows behind `after_seq` that are there now, each checked against the chain.

        Args:
            after_seq: None = the oldest that is kept.

        Raises:
            JournalTooOld: they have been let go of.
            JournalCorrupt: a row is not what was written.
        """
        if after_seq is None:
            after_seq = self.oldest
        segment = self._holding(after_seq)
        while True:
            for row in segment.rows(after_seq):
                after_seq = row.seq
                yield row
            following = self._segment(segment.header.number + 1)
            if following is None:
                return
            if following.header.first_seq == after_seq + 1:
                self._check_border(segment, following)
                segment = following
            elif segment.last().seq <= after_seq:  # else they were committed since we looked
                raise JournalCut(
                    after_seq + 1,
                    f"rows {after_seq + 1}..{following.header.first_seq - 1} were durable and are gone",
                )

    def chain_at(self, seq: int) -> bytes:
        """Return the chain behind row `seq`.

        Raises:
            JournalError: there is no such row.
        """
        segment = self._holding(seq)
        if seq == segment.header.first_seq - 1 and segment.header.previous_chain:
            return segment.header.previous_chain
        chain = segment.chain_at(seq)
        if chain is None:
            raise JournalError(f"the journal has no row {seq}")
        return chain

    def commands_behind(self, seq: int) -> int:
        """Return how many commands stand behind row `seq`; a batch without any counts as one.

        Raises:
            JournalTooOld: they have been let go of.
        """
        first = self._holding(seq).header.number
        numbers = range(first, self._newest_segment().header.number + 1)
        return sum(self._at(number).commands_behind(seq) for number in numbers)

    def last(self) -> Last:
        """Return where the journal ends now."""
        return self._newest_segment().last()

    def close(self) -> None:
        """Close the connections; a second call does nothing."""
        for segment in self._open.values():
            segment.close()
        self._open.clear()

    def check_border(self, number: int) -> None:
        """Hold a segment against the one before it, which is there.

        Raises:
            JournalCut: rows between the two are gone.
            JournalCorrupt: the later one goes on from something else.
        """
        before, following = self._at(number - 1), self._at(number)
        end, first = before.last().seq, following.header.first_seq
        if end < first - 1:
            raise JournalCut(end + 1, f"rows {end + 1}..{first - 1} were durable and are gone")
        self._check_border(before, following)

    def _newest_segment(self) -> Segment:
        segment = self._at(self._newest)
        while (following := self._segment(self._newest + 1)) is not None:
            self._newest, segment = self._newest + 1, following
        return segment

    def _holding(self, seq: int) -> Segment:
        """The segment in which row `seq + 1` stands or will stand."""
        segment = self._newest_segment()
        while seq + 1 < segment.header.first_seq:
            before = self._segment(segment.header.number - 1)
            if before is None:
                raise JournalTooOld(seq, segment.header.first_seq - 1)
            segment = before
        return segment

    def _at(self, number: int) -> Segment:
        segment = self._segment(number)
        if segment is None:
            raise JournalTooOld(0, self._oldest_there())
        return segment

    def _oldest_there(self) -> int:
        number = numbers_in(self._folder)[0]
        segment = self._segment(number)
        return 0 if segment is None else segment.header.first_seq - 1

    def _segment(self, number: int) -> Segment | None:
        """An open segment; None where there is no such file, or it is only prepared."""
        if (known := self._open.pop(number, None)) is not None:
            self._open[number] = known
            return known
        path = path_of(self._folder, number)
        if number < 1 or not path.exists():
            return None
        try:
            db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        except apsw.Error as error:
            if not path.exists():
                return None  # it was let go of just now
            raise JournalError(f"{path}: cannot be opened: {error}") from error
        try:
            db.set_busy_timeout(5_000)
            header = read_header(db, number)
        except JournalError:
            db.close()
            if self._may_be_unfinished(number):
                return None
            raise
        if header is None:
            db.close()
            return None
        self._open[number], self._headers[number] = Segment(db, header), header
        if len(self._open) > MOST_OPEN:
            self._open.pop(next(iter(self._open))).close()
        return self._open[number]

    def _may_be_unfinished(self, number: int) -> bool:
        """Whether an unreadable file is one that the writer is just making: nothing is promised of it."""
        before = self._segment(number - 1)
        if before is None:
            return False
        head = read_head(self._folder / HEAD)
        return head is not None and head.seq <= before.last().seq

    def _check_border(self, segment: Segment, following: Segment) -> None:
        if segment.last().chain != following.header.previous_chain:
            raise JournalCorrupt(
                following.header.first_seq,
                f"segment {following.header.number:06} does not go on from the one before it. "
                f"{ways_on(following.header.first_seq)}",
            )

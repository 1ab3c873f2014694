"""The journal's follower that keeps the statistics file.

A restart replays the journal from its start to have the open rows again, but writes only what lies
behind the watermark; a write and its watermark are one transaction, so no row is lost or doubled
whenever the process dies. A file that does not belong to the journal is set aside and made anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event as StopEvent
from typing import Final

import duckdb
import structlog

from engine.follower import FollowedBatch, Follower
from engine.journal import JournalError
from engine.journal.marks import write_mark
from engine.model import encode_frame
from engine.names import Names
from engine.router import Router
from engine.stats.database import Database, Mark, StatsFileError
from engine.stats.late import who_works

POLL_S: Final = 0.02
"""Between looks at a journal that has nothing new: far below ``flush_ms``, and cheap."""
FLUSH_ROWS: Final = 50_000
"""Rows that are written before their time, so that a long replay stays small in memory: some 15 MiB.
Most of a write is the same for few rows and for many, some milliseconds of processor for each table."""
REST_FACTOR: Final = 5
"""A write that took so long is followed by another one after five times that: what is behind catches up
with larger writes, not with more of them."""
SET_ASIDE_SUFFIX: Final = ".set-aside"
PACK_ROWS: Final = 20_000
"""So many rows are moved out of memory once there is nothing else to do."""

RETRY_FLUSHES: Final = 20
"""Writes in a row that may fail for lack of memory, which analysts' statements share."""

MARK: Final = "stats"
MARK_EVERY_S: Final = 60.0
"""How often the journal is told what is not needed any more; it lets go of whole segments only."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Source:
    """Where the rows come from, and how often they are written."""

    site: str
    journal: Path
    flush_ms: int


class Writer:
    """Follows the journal into a database; one thread uses it.

    Args:
        source: the journal.
        database: where to.
    """

    def __init__(self, source: Source, database: Database) -> None:
        self._source = source
        self._database = database
        self._history = database.history()
        self._start = database.mark()
        if self._start.site != source.site:
            raise StatsFileError(f"it is of site {self._start.site!r}")
        self._follower = Follower(source.journal)
        self._config_hash = b""
        self._names_changed = False
        self._written_seq = self._start.seq
        self._journal_seq = self._start.journal_seq
        self._flush_at = 0.0
        self._failed_flushes = 0
        self._unpacked = 0
        self._mark_at = 0.0
        if self._follower.newest_seq() < self._start.seq:
            raise StatsFileError(f"it knows batch {self._start.seq}, the journal ends before")
        if self._follower.began_behind > self._start.seq > 0:
            kept = self._follower.began_behind
            raise StatsFileError(
                f"too_old: it ends with batch {self._start.seq}, the journal is kept behind {kept}"
            )
        if behind := self._follower.began_behind:
            self._history.begin_with(self._follower.router.next_contact)
            working = who_works(self._follower.router)
            self._history.apply(behind, b"".join(encode_frame(event) for event in working))

    @property
    def applied_seq(self) -> int:
        """The last batch that is in the file."""
        return self._written_seq

    @property
    def journal_seq(self) -> int:
        """Where the journal ended when it was looked at last."""
        return max(self._journal_seq, self._written_seq)

    def step(self, stopped: Callable[[], bool] = lambda: False) -> bool:
        """Take what the journal has, and write what is due.

        Args:
            stopped: asked between batches.

        Returns:
            Whether there was anything new.
        """
        before = self._follower.seq
        self._journal_seq = self._follower.newest_seq()
        for batch in self._follower.poll():
            self._take(batch)
            if self._is_due():
                self.flush()
            if stopped():
                break
        if self._follower.seq > self._written_seq and self._is_due():
            self.flush()
        if self._follower.seq == before == self._written_seq and self._unpacked >= PACK_ROWS:
            self._database.pack()
            self._unpacked = 0
        return self._follower.seq > before

    def resume(self) -> None:
        """Replay up to the watermark, so that every open row is in memory again.

        Raises:
            StatsFileError: the file was written from another journal.
        """
        start = self._start
        if start.seq == 0:
            return
        for batch in self._follower.poll():
            self._take(batch)
            if batch.seq == start.seq:
                break
            if self._history.pending() >= FLUSH_ROWS:
                self._history.discard()
        if self._state_hash() != start.state_hash:
            raise StatsFileError(f"batch {start.seq} is another one in the journal")
        self._history.discard()
        _log.info("statistics go on", behind_seq=start.seq)

    def _is_due(self) -> bool:
        return time.monotonic() >= self._flush_at or self._history.pending() >= FLUSH_ROWS

    def _take(self, batch: FollowedBatch) -> None:
        self._history.apply(batch.seq, batch.events)
        config_hash = self._follower.router.config_hash()
        if config_hash != self._config_hash:
            self._config_hash = config_hash
            self._names_changed = True
            overview = self._follower.router.overview()
            agents = [line.agent for line in overview.agents]
            queues = [line.queue for line in overview.queues]
            self._history.configured(agents, queues, batch.at)

    def _state_hash(self) -> str:
        return f"{self._follower.router.state_hash():016x}"

    def flush(self) -> None:
        """Write everything up to the last batch taken, if there is anything.

        Raises:
            duckdb.Error: the file cannot be written; rows stay for the next write.
        """
        seq = self._follower.seq
        if seq == self._written_seq:
            return
        mark = Mark(
            site=self._source.site,
            seq=seq,
            at_us=self._follower.router.now,
            state_hash=self._state_hash(),
            journal_seq=self._follower.newest_seq(),
        )
        names = Names.decode(self._follower.router.names()).as_dict() if self._names_changed else None
        rows = self._history.pending()
        started = time.monotonic()
        try:
            self._database.write(self._history, mark, names)
        except duckdb.OutOfMemoryException:
            self._failed_flushes += 1
            if self._failed_flushes >= RETRY_FLUSHES:
                raise
            _log.warning("statistics wait for memory that statements hold")
            return
        finally:
            took_s = time.monotonic() - started
            self._flush_at = started + max(self._source.flush_ms / 1_000, REST_FACTOR * took_s)
        self._failed_flushes = 0
        self._unpacked += rows
        self._names_changed = False
        self._written_seq = seq
        if self._flush_at >= self._mark_at:
            self._mark_at = self._flush_at + MARK_EVERY_S
            self._mark()

    def _mark(self) -> None:
        """Tell the journal what is not needed any more; it is only a wish, and nothing fails with it."""
        try:
            write_mark(self._source.journal, MARK, self._written_seq)
        except JournalError as error:
            _log.warning("the journal cannot be told how far the statistics are", why=str(error))

    def look(self, check: Callable[[Router, int], object]) -> None:
        """Show the router to somebody, with the last batch that it has applied."""
        check(self._follower.router, self._follower.seq)

    def close(self) -> None:
        """Close the journal; the database is the caller's."""
        if self._written_seq:
            self._mark()
        self._follower.close()


def set_aside(path: Path) -> Path:
    """Rename a statistics file (and its log) out of the way; an earlier one goes.

    Returns:
        Its new path.
    """
    for suffix in ("", ".wal"):
        old = path.with_name(path.name + suffix)
        if old.exists():
            old.replace(path.with_name(path.name + SET_ASIDE_SUFFIX + suffix))
    return path.with_name(path.name + SET_ASIDE_SUFFIX)


def open_writer(source: Source, path: Path, make: Callable[[], Database]) -> tuple[Writer, Database]:
    """Open the file and bring its open rows back; anew if it does not fit the journal.

    Args:
        source: the journal.
        path: the file.
        make: opens it.

    Raises:
        PaiduiError: another process has the file open, or the journal is missing or damaged.
    """
    database: Database | None = None
    try:
        database = make()
        writer = Writer(source, database)
        writer.resume()
    except StatsFileError as error:
        if database is not None:
            database.close()
        kept = set_aside(path)
        _log.warning("statistics are made anew, the old file is kept", kept=kept.name, why=str(error))
        database = make()
        writer = Writer(source, database)
    return writer, database


def follow(writer: Writer, stop: StopEvent, check: Callable[[Router, int], object]) -> None:
    """Keep the file up to date until told to stop, then write what is left.

    Args:
        writer: the file's.
        stop: when to stop.
        check: looks at the router behind the batches that were taken.
    """
    while not stop.is_set():
        busy = writer.step(stop.is_set)
        writer.look(check)
        if not busy:
            stop.wait(POLL_S)
    writer.flush()

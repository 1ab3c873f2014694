"""The journal: what is acknowledged is in it, and everything else is made from it."""

from engine.journal.contract import (
    NO_EVENTS_HASH,
    RULES_VERSION,
    STATE_HASH_EVERY,
    BatchRow,
    Diverged,
    Journal,
    JournalCorrupt,
    JournalCut,
    JournalError,
    JournalTooOld,
    Last,
    Reader,
    Snapshot,
    Snapshots,
    events_hash,
)
from engine.journal.reader import JournalReader
from engine.journal.sqlite import Limits, SqliteJournal
from engine.journal.writer import Appending, JournalWriter, NewBatch

__all__ = [
    "NO_EVENTS_HASH",
    "RULES_VERSION",
    "STATE_HASH_EVERY",
    "Appending",
    "BatchRow",
    "Diverged",
    "Journal",
    "JournalCorrupt",
    "JournalCut",
    "JournalError",
    "JournalReader",
    "JournalTooOld",
    "JournalWriter",
    "Last",
    "Limits",
    "NewBatch",
    "Reader",
    "Snapshot",
    "Snapshots",
    "SqliteJournal",
    "events_hash",
]

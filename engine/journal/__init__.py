"""The journal: what is acknowledged is in it, and everything else is made from it."""

from engine.journal.contract import (
    NO_EVENTS_HASH,
    STATE_HASH_EVERY,
    BatchRow,
    Diverged,
    Journal,
    JournalCorrupt,
    JournalCut,
    JournalError,
    Last,
    events_hash,
)
from engine.journal.sqlite import JournalReader, SqliteJournal
from engine.journal.writer import Appending, JournalWriter, NewBatch

__all__ = [
    "NO_EVENTS_HASH",
    "STATE_HASH_EVERY",
    "Appending",
    "BatchRow",
    "Diverged",
    "Journal",
    "JournalCorrupt",
    "JournalCut",
    "JournalError",
    "JournalReader",
    "JournalWriter",
    "Last",
    "NewBatch",
    "SqliteJournal",
    "events_hash",
]

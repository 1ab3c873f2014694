"""What the tests of the statistics share: a site's journal from a script, and an open database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine.config import SiteConfig, read_site
from engine.config_compile import compile_config
from engine.journal import NO_EVENTS_HASH, Limits, SqliteJournal, events_hash
from engine.model import (
    Abandon,
    Accept,
    Arrive,
    Command,
    Configure,
    Decline,
    End,
    EndWrapUp,
    NotReady,
    Ready,
    SignIn,
    SignOut,
    Transfer,
    encode_frame,
)
from engine.names import Names
from engine.router import Router
from engine.stats.database import FILE, Database
from engine.stats.writer import Source, Writer, open_writer
from tests.unit.journal_kit import AtOnce

T = 1_700_000_000_000_000
"""2023-11-14 22:13:20 UTC; the scripts' milliseconds count from here."""

SITE = """
[site]
name = "one"
timezone = "Asia/Shanghai"
[routing]
miss_limit = 1
[reasons.break]
[skills.cards]
[channels.webchat]
plugin = "webchat"
[channels.voice]
plugin = "socket"
exclusive = true
instant = false
[queues.cards]
skills = {cards = 1}
wrap_up_ms = 3000
max_waiting = 3
[queues.loans]
wrap_up_ms = 0
[agents.ann]
skills = {cards = 50}
capacity = {webchat = 2, voice = 1}
[agents.bob]
skills = {cards = 40}
capacity = {webchat = 1, voice = 1}
"""
WEBCHAT, VOICE = 1, 2
CARDS, LOANS = 1, 2
ANN, BOB = 1, 2


class Script:
    """Writes a journal as the service would, batch by batch, on its own time.

    Args:
        data: the data folder.
        text: the site's configuration.
    """

    def __init__(self, data: Path, text: str = SITE, limits: Limits | None = None) -> None:
        self.site = read_site(text, data.parent)
        self._names = Names()
        self._router = Router()
        self._events_hash = NO_EVENTS_HASH
        self._journal = SqliteJournal(data / "journal", self.site.name, limits, limits and AtOnce())
        self.configure(0, text)

    def configure(self, ms: float, text: str) -> None:
        """Put a configuration in force."""
        config, self._names = compile_config(read_site(text, Path("/")), self._names)
        self.do(ms, Configure(config=config))

    def do(self, ms: float, *commands: Command) -> list[int]:
        """Commit one batch; the commands' values. Every command must be accepted."""
        frames = b"".join(encode_frame(command) for command in commands)
        at = T + round(ms * 1_000)
        seq = self._journal.append(at, len(commands), frames, self._events_hash)
        self._journal.maintain()
        batch = self._router.apply_batch(seq, at, [(0, 0, frames)])
        self._events_hash = events_hash(batch.events)
        assert [code for code, _ in batch.results()] == [0] * len(commands)
        return [value for _, value in batch.results()]

    @property
    def seq(self) -> int:
        """The last batch."""
        return self._journal.last().seq

    def close(self) -> None:
        """Close the journal."""
        self._journal.close()


def open_database(data: Path, site: SiteConfig) -> Database:
    """Open the statistics file as the process does."""
    return Database(
        data / FILE,
        site.name,
        memory_limit_mb=site.stats.memory_limit_mb,
        time_zone=site.timezone,
        threads=1,
    )


@contextmanager
def following(data: Path, site: SiteConfig, flush_ms: int = 10) -> Iterator[tuple[Writer, Database]]:
    """A writer and its database; nothing is followed until the test says so."""
    source = Source(site.name, data / "journal", flush_ms)
    writer, database = open_writer(source, data / FILE, lambda: open_database(data, site))
    try:
        yield writer, database
    finally:
        writer.close()
        database.close()


def rows(database: Database, sql: str) -> list[tuple[Any, ...]]:
    """The rows of a statement."""
    cursor = database.cursor()
    try:
        return cursor.execute(sql).fetchall()
    finally:
        cursor.close()


def everything(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table but the watermark, in a fixed order, times as microseconds."""
    return {
        name: rows(database, f"SELECT to_json(t)::VARCHAR FROM {name} AS t ORDER BY ALL")
        for name in (
            "names",
            *(f"{table}_{part}" for part in ("live", "ended") for table in
              ("configurations", "contacts", "offers", "segments", "choices", "estimates", "overflows",
               "queue_hours", "agent_states")),
        )
    }  # fmt: skip


def arrive(key: int, queue: int = CARDS, channel: int = WEBCHAT) -> Arrive:
    """An arrival; the key is a number."""
    return Arrive(channel=channel, key=key.to_bytes(16, "big"), queue=queue)


def day(script: Script) -> None:
    """A morning, with its times on the right; contact numbers follow from the order of arrival."""
    script.do(1_000, SignIn(agent=ANN))
    script.do(1_500, SignIn(agent=BOB, ready=False))
    assert script.do(2_000, arrive(1)) == [1]  # offered to ann at once
    script.do(3_250, Accept(agent=ANN, offer=1))  # 1 waited 1,250
    assert script.do(4_000, arrive(2)) == [2]  # ann's second unit
    script.do(24_000)  # nobody answers: expired, ann is locked
    script.do(25_000, Ready(agent=BOB))  # 2 is offered to bob
    script.do(26_000, Decline(agent=BOB, offer=3, reason=1))
    script.do(26_500, Abandon(channel=WEBCHAT, contact=2))  # waited 22,500
    script.do(30_000, Transfer(agent=ANN, contact=1, queue=LOANS))  # talked 26,750; offered to bob
    script.do(31_000, Accept(agent=BOB, offer=4))
    script.do(32_000, EndWrapUp(agent=ANN, contact=1))  # 2,000 of 3,000
    script.do(36_000, End(agent=BOB, contact=1))  # talked 5,000; no wrap-up in loans
    script.do(37_000, NotReady(agent=BOB, reason=1))
    assert script.do(40_000, *(arrive(key) for key in (3, 4, 5, 6))) == [3, 4, 5, 6]  # 6: the queue is full
    script.do(41_000, SignOut(agent=BOB))

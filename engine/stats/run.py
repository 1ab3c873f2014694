"""The statistics process: the writer in a thread, analysts' SQL beside it.

Nothing here can harm the router: it is another process, it only reads the journal, it gives way to
others for the processor, and the memory that it can ever have is bounded.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading
from functools import partial
from pathlib import Path
from typing import Final

import structlog
import trio

from engine.auth import Tokens
from engine.background import give_way
from engine.config import SiteConfig
from engine.errors import PaiduiError
from engine.keys import tokens_of
from engine.stats.database import FILE, Database
from engine.stats.reader import Bounds, Reader
from engine.stats.server import Health, create_endpoint
from engine.stats.writer import Source, Writer, follow, open_writer
from engine.watchdog import InvariantCheck
from engine.web import serve_web

JOURNAL_FOLDER: Final = "journal"
NICENESS: Final = 10
MAX_THREADS: Final = 4

_log = structlog.get_logger(__name__)


def run(site: SiteConfig, *, child: bool, tokens: Tokens | None = None) -> None:
    """Run the statistics process until it is told to stop.

    Args:
        site: the site's configuration.
        tokens: verify analysts; from the data folder's key if not given.
        child: end when standard input ends, that is, when the parent is gone.

    Raises:
        ConfigError: the address is taken, or the token key is unusable.
        PaiduiError: the journal is missing or damaged.
    """
    confine(site.stats.process_limit_mb)
    tokens = tokens or tokens_of(site)
    try:
        trio.run(partial(run_stats, site, tokens, child=child))
    except BaseExceptionGroup as group:
        # One of the tasks failed; what it says matters, not the nurseries around it.
        ours = group.subgroup(PaiduiError)
        if ours is None:
            raise
        raise _first(ours) from group


def _first(group: BaseExceptionGroup[PaiduiError]) -> PaiduiError:
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner


def confine(process_limit_mb: int) -> None:
    """Bound this process's memory and let others go first; some SQL functions know no limit."""
    give_way(NICENESS)
    limit = process_limit_mb << 20
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


async def run_stats(
    site: SiteConfig,
    tokens: Tokens,
    *,
    child: bool = False,
    task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Follow the journal and answer SQL until a signal, or the parent's end.

    Args:
        site: the site's configuration.
        tokens: verify analysts.
        child: end when standard input ends.
        task_status: gets the port when rows up to the watermark can be asked for.
    """
    path = site.data / FILE
    source = Source(site.name, site.data / JOURNAL_FOLDER, site.stats.flush_ms)
    writer, database = await trio.to_thread.run_sync(
        open_writer, source, path, partial(_open_database, site, path)
    )
    shutdown, stop = trio.Event(), threading.Event()
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_until_told, shutdown, child)
            nursery.start_soon(_follow, writer, stop, shutdown, InvariantCheck(site.ops.check_every_s))
            port = await nursery.start(_serve, site, database, writer, tokens, shutdown)
            _log.info("statistics answer", port=port)
            task_status.started(port)
            try:
                await shutdown.wait()
            finally:
                # The thread cannot be cancelled, only asked; without this the nursery waits for ever.
                stop.set()
            nursery.cancel_scope.deadline = trio.current_time() + 10
    finally:
        writer.close()
        database.close()


def _open_database(site: SiteConfig, path: Path) -> Database:
    return Database(
        path,
        site.name,
        memory_limit_mb=site.stats.memory_limit_mb,
        time_zone=site.timezone,
        threads=max(1, min(MAX_THREADS, (os.cpu_count() or 1) // 2)),
    )


async def _follow(writer: Writer, stop: threading.Event, shutdown: trio.Event, check: InvariantCheck) -> None:
    try:
        await trio.to_thread.run_sync(follow, writer, stop, check.look)
    finally:
        shutdown.set()


async def _serve(
    site: SiteConfig,
    database: Database,
    writer: Writer,
    tokens: Tokens,
    shutdown: trio.Event,
    task_status: trio.TaskStatus[int],
) -> None:
    stats = site.stats
    reader = Reader(database, Bounds(stats.query_timeout_ms, stats.max_rows, stats.max_reply_bytes))

    def health() -> Health:
        applied, journal = writer.applied_seq, writer.journal_seq
        return Health(applied, journal, journal - applied)

    app = create_endpoint(reader, stats.query_timeout_ms, tokens, health)
    await serve_web({"/": app}, stats.bind, shutdown, setting="stats.bind", task_status=task_status)


async def _until_told(shutdown: trio.Event, child: bool) -> None:
    async with trio.open_nursery() as nursery:
        if child:
            nursery.start_soon(_until_parent_is_gone, shutdown)
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            nursery.start_soon(_until_signal, signals, shutdown)
            await shutdown.wait()
        nursery.cancel_scope.cancel()


async def _until_signal(signals: object, shutdown: trio.Event) -> None:
    async for _ in signals:  # type: ignore[attr-defined]
        shutdown.set()


async def _until_parent_is_gone(shutdown: trio.Event) -> None:
    async with trio.lowlevel.FdStream(os.dup(sys.stdin.fileno())) as stdin:
        while await stdin.receive_some(1_024):
            pass
    shutdown.set()

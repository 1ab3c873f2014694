"""The database under the store: one connection, one thread at a time, short transactions."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import trio
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import StaticPool

from engine.errors import PaiduiError
from engine.store.schema import metadata

T = TypeVar("T")

BUSY_TIMEOUT_MS: Final = 5_000
FORMAT: Final = 4
"""`PRAGMA user_version` of what schema.py describes."""
UPGRADES: Final = {
    1: (
        "ALTER TABLE conversations ADD COLUMN weight INTEGER NOT NULL DEFAULT 1",
        "ALTER TABLE conversations ADD COLUMN agent TEXT",
    ),
    2: ("ALTER TABLE conversations ADD COLUMN wishes JSON NOT NULL DEFAULT '{}'",),
    3: ("ALTER TABLE conversations ADD COLUMN terms JSON NOT NULL DEFAULT '{}'",),
}
"""What makes of each older format the next one; tables that are missing are made anyway."""


class StoreError(PaiduiError):
    """The store cannot be used; the text says what to do."""


class Database:
    """SQLite behind an async door.

    One connection serves this process, one transaction at a time; other processes may write the same
    file: WAL and the busy time-out order them. A commit is on the disk when it returns.

    Args:
        path: the file; made when it is missing, readable by its owner only.
        now_ms: Unix milliseconds, for tests.
    """

    def __init__(self, path: Path, now_ms: Callable[[], int] | None = None) -> None:
        self._path = path
        self._now_ms = now_ms or _system_now_ms
        self._limiter = trio.CapacityLimiter(1)
        self._engine: Engine | None = None

    async def open(self) -> None:
        """Open the file and make the tables that are missing.

        Raises:
            StoreError: the file is damaged or of another format.
        """
        await trio.to_thread.run_sync(self._open, limiter=self._limiter)

    async def close(self) -> None:
        """Close the file; a second call does nothing."""
        engine, self._engine = self._engine, None
        if engine is not None:
            with trio.CancelScope(shield=True):
                await trio.to_thread.run_sync(engine.dispose, limiter=self._limiter)

    async def __aenter__(self) -> Self:
        """Open it."""
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        await self.close()

    async def _transact(self, work: Callable[..., T], *args: Any) -> T:
        """Run `work(connection, *args)` in one transaction in the store's thread.

        A cancelled caller leaves at once; the transaction that it had begun is still completed.
        """
        return await trio.to_thread.run_sync(
            partial(self._run, work, *args), limiter=self._limiter, abandon_on_cancel=False
        )

    def _run(self, work: Callable[..., T], *args: Any) -> T:
        if self._engine is None:
            raise StoreError("the store is closed")
        with self._engine.begin() as connection:
            return work(connection, *args)

    def _open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # SQLite would make it readable for everybody; its WAL takes over the file's mode.
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        engine = create_engine(
            f"sqlite:///{self._path}",
            poolclass=StaticPool,
            connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1_000},
            hide_parameters=True,  # an error's text goes to the log, and what people write is among them
        )
        event.listen(engine, "connect", _configure)
        event.listen(engine, "begin", _begin)
        try:
            with engine.begin() as connection:
                _make_tables(connection, self._path)
        except DatabaseError as error:
            engine.dispose()
            raise StoreError(f"{self._path}: {error.orig}; restore it from a copy") from error
        except BaseException:
            engine.dispose()
            raise
        self._engine = engine


def execute(connection: Connection, statement: Any) -> None:
    """Run one statement."""
    connection.execute(statement)


def _configure(connection: Any, _record: Any) -> None:
    # The driver would begin transactions by itself, and late; see _begin.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    # IMMEDIATE: a transaction that reads and then writes must not find that another wrote in between.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _make_tables(connection: Connection, path: Path) -> None:
    found = connection.execute(text("PRAGMA user_version")).scalar_one()
    if found not in (0, FORMAT, *UPGRADES):
        raise StoreError(
            f"{path}: has format {found}, this release reads {FORMAT}; use the release that wrote it"
        )
    for older in range(found or FORMAT, FORMAT):
        for statement in UPGRADES[older]:
            connection.exec_driver_sql(statement)
    metadata.create_all(connection)
    connection.execute(text(f"PRAGMA user_version={FORMAT}"))


def _system_now_ms() -> int:
    return time.time_ns() // 1_000_000

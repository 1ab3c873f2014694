"""The store's database: short transactions, run again where that is right, never acknowledged in doubt.

* Another transaction came between: it is run again.
* The database is not to be had: it is run again for `PATIENCE_S`; then `StoreBusy`, ask again.
* It is lost, or warns, while it commits: that is in doubt. Work that finds its own result is run again, and
  the later commit proves the earlier one; other work ends with `StoreInDoubt`.
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import trio
from sqlalchemy import URL, Connection, Engine
from sqlalchemy.exc import DBAPIError

from engine.errors import Busy
from engine.store.backends import Backend, Postgres, Sqlite, StoreError
from engine.store.migrate import migrate

T = TypeVar("T")

PATIENCE_S: Final = 10.0
"""How long a database that is not to be had is asked again before the caller is told."""
LONGEST_DELAY_S: Final = 1.0
CONFLICTS: Final = 200
"""So often in a row one transaction is refused for others' sake: then it is no accident."""
RETRY_AFTER_MS: Final = 1_000


class StoreBusy(Busy):
    """The store's database does not answer; nothing was acknowledged."""

    def __init__(self, name: str) -> None:
        """Names the database."""
        super().__init__(RETRY_AFTER_MS)
        self.args = (f"the store {name} does not answer; see that it runs, then try again",)


class StoreInDoubt(StoreError):
    """The store was lost while it committed: look whether it was done before doing it again."""


class _Lost(Exception):
    """The database is not to be had; `in_doubt` when it was asked to commit."""

    def __init__(self, in_doubt: bool) -> None:
        self.in_doubt = in_doubt


class _Conflict(Exception):
    """Another transaction came between."""

    def __init__(self, error: DBAPIError) -> None:
        self.error = error


class Database:
    """SQLite or PostgreSQL behind an async door.

    Other processes may use the same database. A commit is on the disk when it returns.

    Args:
        where: SQLite's file, made when it is missing, readable by its owner only; or PostgreSQL's URL.
        now_ms: Unix milliseconds, for tests.
    """

    def __init__(self, where: Path | URL, now_ms: Callable[[], int] | None = None) -> None:
        self._backend: Backend = Sqlite(where) if isinstance(where, Path) else Postgres(where)
        self._now_ms = now_ms or _system_now_ms
        self._limiter = trio.CapacityLimiter(self._backend.connections)
        self._engine: Engine | None = None

    @property
    def place(self) -> str:
        """Where it is, for people; without a password."""
        return self._backend.name

    async def open(self) -> None:
        """Open the database and bring its tables to this release's revision.

        Raises:
            StoreError: it is damaged, or a newer release's.
            StoreBusy: it does not answer.
        """
        engine = self._backend.engine()
        self._engine = engine
        try:
            await self._transact(partial(migrate, self._backend), alone=True)
        except BaseException as error:
            await self.close()
            if isinstance(error, DBAPIError):
                hint = "restore it from a copy" if isinstance(self._backend, Sqlite) else "see its log"
                raise StoreError(f"{self._backend.name}: {_first_line(error)}; {hint}") from error
            raise

    async def close(self) -> None:
        """Close it; a second call does nothing."""
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

    async def _transact(
        self,
        work: Callable[..., T],
        *args: Any,
        once: bool = False,
        alone: bool = False,
        patient: bool = False,
    ) -> T:
        """Run `work(connection, *args)` in one transaction in a thread.

        A cancelled caller leaves between two attempts; a transaction that was begun is completed.

        Args:
            work: what is done; it may be run several times, so it finds what an earlier run has left.
            args: its arguments.
            once: it would not find that: in doubt it is not run again.
            alone: no other such work runs meanwhile, in whichever process; for what files go with.
            patient: nobody waits for an answer: the database is asked until it is there again.

        Raises:
            StoreBusy: the database does not answer.
            StoreInDoubt: it was lost while it committed.
        """
        give_up_at = trio.current_time() + (math.inf if patient else PATIENCE_S)
        in_doubt, delay_s, conflicts = False, 0.02, 0
        while True:
            run = partial(self._run, work, args, in_doubt, alone)
            try:
                return await trio.to_thread.run_sync(run, limiter=self._limiter, abandon_on_cancel=False)
            except _Conflict as conflict:
                conflicts += 1
                if conflicts == CONFLICTS:
                    raise conflict.error from None
                await trio.sleep(secrets.randbelow(min(conflicts, 20)) / 1_000)
            except _Lost as lost:
                in_doubt = in_doubt or lost.in_doubt
                if in_doubt and (once or isinstance(self._backend, Sqlite)):
                    raise StoreInDoubt(
                        f"the store {self._backend.name} was lost while it committed; "
                        "see whether it was done before you do it again"
                    ) from lost.__cause__
                if trio.current_time() >= give_up_at:
                    raise StoreBusy(self._backend.name) from lost.__cause__
                await trio.sleep(delay_s)
                delay_s = min(delay_s * 2, LONGEST_DELAY_S)

    def _run(self, work: Callable[..., T], args: tuple[Any, ...], in_doubt: bool, alone: bool) -> T:
        if self._engine is None:
            raise StoreError("the store is closed")
        commits = False
        try:
            with ExitStack() as stack:
                connection = stack.enter_context(self._engine.connect())
                if alone:
                    stack.enter_context(self._backend.alone(connection))
                transaction = connection.begin()
                with transaction:
                    if in_doubt:
                        self._backend.settle(connection)
                    done = work(connection, *args)
                    self._backend.forget_warnings(connection)
                    commits = True
                    transaction.commit()
                if self._backend.is_doubtful(connection):
                    raise _Lost(in_doubt=True)
                return done
        except DBAPIError as error:
            if self._backend.is_conflict(error):
                raise _Conflict(error) from error
            if commits or self._backend.is_lost(error):
                raise _Lost(in_doubt=commits) from error
            raise

    async def _forget(self) -> None:
        """Leave nothing of deleted rows on the disk."""
        engine = self._engine
        if engine is None:
            raise StoreError("the store is closed")
        await trio.to_thread.run_sync(self._forget_in, engine, limiter=self._limiter)

    def _forget_in(self, engine: Engine) -> None:
        try:
            self._backend.forget(engine)
        except Exception as error:
            raise StoreError(
                f"{self.place}: what was erased may still be on the disk, because {error}; "
                "say `paidui customer forget`"
            ) from error


def execute(connection: Connection, statement: Any) -> None:
    """Run one statement."""
    connection.execute(statement)


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).partition("\n")[0]


def _system_now_ms() -> int:
    return time.time_ns() // 1_000_000

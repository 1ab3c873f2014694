"""The writer's thread: batches go in one by one, and their seqs come out once they are durable."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
import trio

from engine.errors import NotDurable, PaiduiError
from engine.journal.contract import Journal, JournalError

_T = TypeVar("_T")

SWITCH_S = 0.0005
"""How long the writer's thread may wait for the interpreter while the service's task computes: twice a
batch, before its commit and after it. Python's own 5 ms would be most of an agent's wait for an offer."""


class NewBatch(msgspec.Struct, frozen=True):
    """What `Journal.append` takes."""

    at: int
    count: int
    frames: bytes
    previous_events_hash: bytes
    previous_state_hash: int | None = None


class JournalWriter:
    """Appends to a journal from its own thread, which also checkpoints and keeps the head file.

    The first error is final: that append and all later ones raise `NotDurable`, and nothing is
    written any more. The process must end and recover from what is on the disk.

    Args:
        open_journal: opens the journal; called in the writer's thread.
    """

    def __init__(self, open_journal: Callable[[], Journal]) -> None:
        self._open_journal = open_journal
        self._waiting: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="journal-writer", daemon=True)
        self._failure: BaseException | None = None
        self.told = False
        self._journal: Journal | None = None

    @property
    def is_open(self) -> bool:
        """Whether the journal is open and has not failed."""
        return self._journal is not None and self._failure is None and self._thread.is_alive()

    async def start(self) -> None:
        """Start the thread and open the journal.

        Raises:
            JournalError: it cannot be opened; the text says why.
        """
        sys.setswitchinterval(min(sys.getswitchinterval(), SWITCH_S))
        self._thread.start()
        try:
            await self._run(lambda: None)
        except NotDurable as error:
            if isinstance(error.__cause__, JournalError):
                raise error.__cause__ from None
            raise

    async def read(self, work: Callable[[Journal], _T]) -> _T:
        """Run `work` on the journal in the writer's thread (replay) and return its result.

        Raises:
            PaiduiError: what `work` raised; the journal itself has not failed.
        """

        def caught() -> _T | PaiduiError:
            assert self._journal is not None, "start() comes first"
            try:
                return work(self._journal)
            except PaiduiError as error:
                return error

        result: _T | PaiduiError = await self._run(caught)
        if isinstance(result, PaiduiError):
            raise result
        return result

    async def append(self, batch: NewBatch) -> int:
        """Make a batch durable and return its seq.

        It cannot be cancelled: nobody could say whether the batch is in the journal or not.

        Raises:
            NotDurable: it may or may not be; the process has to end.
        """
        return await self.begin(batch).wait()

    def begin(self, batch: NewBatch) -> Appending:
        """Hand over a batch; batches become durable in the order of the calls."""
        journal = self._journal
        assert journal is not None, "start() comes first"
        return Appending(
            self._put(
                lambda: journal.append(
                    batch.at,
                    batch.count,
                    batch.frames,
                    batch.previous_events_hash,
                    batch.previous_state_hash,
                )
            )
        )

    async def close(self) -> None:
        """Write what is left, close the journal and end the thread; a second call does nothing."""
        if not self._thread.is_alive():
            return
        self._waiting.put(None)
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(self._thread.join)
        if self._failure is not None and not self.told:
            raise NotDurable(f"the journal failed: {self._failure}") from self._failure

    async def _run(self, work: Callable[[], Any]) -> Any:
        return await self._put(work).wait()

    def _put(self, work: Callable[[], Any]) -> _Job:
        job = _Job(work, self, trio.lowlevel.current_trio_token())
        self._waiting.put(job)
        return job

    def _work(self) -> None:
        next_look_s = self._guard(self._open)
        while (job := self._take(next_look_s)) is not None:
            if job.work is not None and self._failure is None:
                job.result = self._guard(job.work)
            job.finish(self._failure)
            next_look_s = self._guard(self._maintain)
        if self._journal is not None:
            self._guard(self._journal.close)

    def _open(self) -> None:
        self._journal = self._open_journal()

    def _maintain(self) -> float | None:
        if self._journal is None or self._failure is not None:
            return None
        return self._journal.maintain()

    def _take(self, next_look_s: float | None) -> _Job | None:
        try:
            return self._waiting.get(timeout=next_look_s)
        except queue.Empty:
            return _Job(None)

    def _guard(self, work: Callable[[], Any]) -> Any:
        try:
            return work()
        except BaseException as error:  # whatever it is, it must reach the service's task
            self._failure = self._failure or error
            return None


class Appending:
    """A batch that has been handed over."""

    def __init__(self, job: _Job) -> None:
        self._job = job

    async def wait(self) -> int:
        """Return the batch's seq once it is durable; see `JournalWriter.append`."""
        seq: int = await self._job.wait()
        return seq


class _Job:
    """Work for the writer's thread; without any, only a look at what is due."""

    def __init__(
        self,
        work: Callable[[], Any] | None,
        writer: JournalWriter | None = None,
        token: trio.lowlevel.TrioToken | None = None,
    ) -> None:
        self.work = work
        self.result: Any = None
        self._error: BaseException | None = None
        self._writer = writer
        self._token = token
        self._finished = False
        self._waits: trio.lowlevel.Task | None = None

    def finish(self, error: BaseException | None) -> None:
        """Wake who waits for it; called in the writer's thread."""
        self._error = error
        if self._token is not None:
            self._token.run_sync_soon(self._wake)

    def _wake(self) -> None:
        self._finished = True
        if self._waits is not None:
            trio.lowlevel.reschedule(self._waits)

    async def wait(self) -> Any:
        """Return the result; it cannot be cancelled.

        Raises:
            NotDurable: the journal has failed, now or before.
        """
        if not self._finished:
            self._waits = trio.lowlevel.current_task()
            await trio.lowlevel.wait_task_rescheduled(lambda _: trio.lowlevel.Abort.FAILED)
        if self._error is not None:
            assert self._writer is not None
            self._writer.told = True
            raise NotDurable(f"the journal failed: {self._error}") from self._error
        return self.result

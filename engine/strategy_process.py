"""One queue's strategy from outside: its process, what waits for it, and what goes wrong with it.

Whatever the process does, a choice is over at its deadline: the core sees to that. Here is seen to it that
nothing waits without need, that no more than a bounded number waits, and that somebody is told.
"""

from __future__ import annotations

import sys
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
import structlog
import trio

from engine.clock import MICROS_PER_SECOND, Clock
from engine.strategies import Answer, Choice
from engine.strategy_worker import LENGTH_BYTES

QUEUED_CHOICES: Final = 64
"""More than can be answered in time; beyond it the fallback decides at once."""
START_WITHIN_S: Final = 30.0
HANGS_AFTER_S: Final = 5.0
"""So long after its deadline a choice is not waited for any more: the process is ended."""
FIRST_DELAY_S, LONGEST_DELAY_S = 0.5, 30.0
HEALTHY_S: Final = 60.0
"""After so long a run the delay begins anew."""
LOG_EVERY_S: Final = 60.0
MAX_ANSWER_BYTES: Final = 64 * 1024

Decide = Callable[[Choice, str | None], Awaitable[None]]
"""Tells the core: the chosen agent, or None for the fallback."""

_decoder = msgspec.msgpack.Decoder(Answer)
_log = structlog.get_logger(__name__)


class Ended(Exception):
    """The process is of no use any more; the text says why."""


class Faults:
    """What went wrong, told at once and then once a minute at most, with counts.

    Args:
        queue: whose.
        tell: where to; the log unless a test looks.
    """

    def __init__(self, queue: str, tell: Callable[..., object] | None = None) -> None:
        self._queue = queue
        self._tell = tell or _log.warning
        self._counts: Counter[str] = Counter()
        self._last = ""
        self._told_s = float("-inf")

    def note(self, fault: str, text: str = "") -> None:
        """Count a fault."""
        self._counts[fault] += 1
        self._last = text or self._last
        if trio.current_time() >= self._told_s + LOG_EVERY_S:
            self.tell()

    def tell(self) -> None:
        """Say what has not been said yet."""
        if self._counts:
            self._tell(
                "the strategy from outside fails, the fallback decides",
                queue=self._queue,
                last=self._last,
                **self._counts,
            )
            self._counts.clear()
            self._told_s = trio.current_time()


class StrategyProcess:
    """Asks one queue's function, in a process that is started again when it ends.

    Args:
        queue: the queue's name.
        function: `package.module:name`.
        clock: what deadlines are on.
        decide: tells the core.
        first_delay_s: after which a process that has ended is started again, the first time.

    Attributes:
        faults: what went wrong.
        starts: how often the process has been started.
    """

    def __init__(
        self,
        queue: str,
        function: str,
        clock: Clock,
        decide: Decide,
        *,
        first_delay_s: float = FIRST_DELAY_S,
    ) -> None:
        self.queue = queue
        self.faults = Faults(queue)
        self.starts = 0
        self._function = function
        self._clock = clock
        self._decide = decide
        self._first_delay_s = first_delay_s
        self._process: trio.Process | None = None
        self._asked: Choice | None = None
        self._choices: deque[Choice] = deque()
        self._filled = trio.Event()

    @property
    def pid(self) -> int | None:
        """The process's number while it can be asked."""
        return None if self._process is None else self._process.pid

    def ask(self, choice: Choice) -> bool:
        """Put a choice behind the others; False = it cannot be asked now, let the fallback decide."""
        if self._process is None or len(self._choices) >= QUEUED_CHOICES:
            self.faults.note("not_running" if self._process is None else "overloaded")
            return False
        self._choices.append(choice)
        self._filled.set()
        return True

    async def run(self) -> None:
        """Keep the process running until cancelled."""
        delay_s = self._first_delay_s
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._tell_faults)
            while True:
                began = trio.current_time()
                try:
                    await self._run_once(nursery)
                except Ended as why:
                    self.faults.note("process_ended", str(why))
                await self._give_up(nursery)
                if trio.current_time() - began > HEALTHY_S:
                    delay_s = self._first_delay_s
                await trio.sleep(delay_s)
                delay_s = min(2 * delay_s, LONGEST_DELAY_S)

    async def _run_once(self, nursery: trio.Nursery) -> None:
        command = [sys.executable, "-m", "engine.strategy_worker", self._function]
        self.starts += 1
        try:
            # Its own errors and prints belong to the site's.
            process = await trio.lowlevel.open_process(command, stdin=-1, stdout=-1, start_new_session=True)
        except OSError as error:
            raise Ended(str(error)) from error
        assert process.stdout is not None, "asked for"
        try:
            frames = _Frames(process.stdout)
            with trio.move_on_after(START_WITHIN_S) as patience:
                ready = await frames.next()
                if ready.fault:
                    raise Ended(ready.text)
            if patience.cancelled_caught:
                raise Ended(f"not ready within {START_WITHIN_S:.0f} s")
            self._process = process
            while True:
                await self._answer_one(process, frames, nursery)
        finally:
            self._process = None
            process.kill()
            with trio.CancelScope(shield=True):
                await process.wait()
                for pipe in (process.stdin, process.stdout):
                    if pipe is not None:
                        await pipe.aclose()

    async def _answer_one(self, process: trio.Process, frames: _Frames, nursery: trio.Nursery) -> None:
        choice = self._asked = await self._next(process)
        left_s = self._left_s(choice)
        if left_s > 0:
            await _send(process, choice)
            with trio.move_on_after(left_s) as in_time:
                answer = await frames.next()
                agent = self._named(choice, answer)
            if not in_time.cancelled_caught:
                self._asked = None
                nursery.start_soon(self._decide, choice, agent)
                return
        # The core has decided without it.
        self._asked = None
        self.faults.note("time_out")
        if left_s > 0:
            # What the function keeps in mind is worth some patience.
            with trio.move_on_after(HANGS_AFTER_S) as patience:
                await frames.next()
            if patience.cancelled_caught:
                raise Ended(f"no answer {HANGS_AFTER_S:.0f} s after the deadline")

    def _named(self, choice: Choice, answer: Answer) -> str | None:
        """Whom an answer names, if it is one of those who were asked about."""
        if answer.choice != choice.choice:
            raise Ended(f"an answer to choice {answer.choice}, which was not asked")
        if answer.fault:
            self.faults.note(answer.fault, answer.text)
        elif answer.agent is not None and answer.agent not in {one.name for one in choice.candidates}:
            self.faults.note("nonsense", f"{answer.agent!r} is no candidate")
        else:
            return answer.agent
        return None

    async def _next(self, process: trio.Process) -> Choice:
        """Wait for a choice; and for the end of the process, which nobody else looks after."""
        while not self._choices:
            self._filled = trio.Event()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_until_ended, process, nursery.cancel_scope)
                await self._filled.wait()
                nursery.cancel_scope.cancel()
            if process.returncode is not None:
                raise Ended(f"it ended with {process.returncode}")
        return self._choices.popleft()

    async def _give_up(self, nursery: trio.Nursery) -> None:
        """What was asked, or waits to be, need not wait for its deadline."""
        if self._asked is not None:
            self._choices.appendleft(self._asked)
            self._asked = None
        while self._choices:
            nursery.start_soon(self._decide, self._choices.popleft(), None)
        await trio.lowlevel.checkpoint()

    async def _tell_faults(self) -> None:
        while True:
            await trio.sleep(LOG_EVERY_S)
            self.faults.tell()

    def _left_s(self, choice: Choice) -> float:
        return (choice.deadline_us - self._clock.now_us()) / MICROS_PER_SECOND


async def _until_ended(process: trio.Process, scope: trio.CancelScope) -> None:
    await process.wait()
    scope.cancel()


async def _send(process: trio.Process, choice: Choice) -> None:
    body = msgspec.msgpack.encode(choice)
    assert process.stdin is not None, "asked for"
    try:
        with trio.fail_after(HANGS_AFTER_S):
            await process.stdin.send_all(len(body).to_bytes(LENGTH_BYTES, "big") + body)
    except (trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError) as error:
        raise Ended("it takes nothing any more") from error


class _Frames:
    """Answers off a process's output."""

    def __init__(self, stream: trio.abc.ReceiveStream) -> None:
        self._stream = stream
        self._bytes = bytearray()

    async def next(self) -> Answer:
        """Return the next answer; a cancelled call loses nothing.

        Raises:
            Ended: the output is over, or no answer.
        """
        while True:
            size = int.from_bytes(self._bytes[:LENGTH_BYTES], "big")
            if size > MAX_ANSWER_BYTES:
                raise Ended(f"an answer of {size} bytes")
            end = LENGTH_BYTES + size
            if len(self._bytes) >= max(end, LENGTH_BYTES + 1):
                body = bytes(self._bytes[LENGTH_BYTES:end])
                del self._bytes[:end]
                try:
                    return _decoder.decode(body)
                except msgspec.DecodeError as error:
                    raise Ended(f"no answer: {error}") from error
            data = await self._stream.receive_some(MAX_ANSWER_BYTES)
            if not data:
                raise Ended("it has closed its output")
            self._bytes += data

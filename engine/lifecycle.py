"""From the start of a site to its end: what it takes in, whether it gets on, what its supervisor is told."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog
import trio

if TYPE_CHECKING:
    from engine.service import Service

BACK_WITHIN_MS: Final = 5_000
"""What a stop and a start take together, beside the drain itself: when a refused client may ask again."""

MOST_RETRY_MS: Final = 60_000
LOOK_EVERY_S: Final = 0.2
PID_FILE: Final = "serve.pid"

_log = structlog.get_logger(__name__)


class Drain:
    """Whether a site takes arrivals in, and until when what is in hand may finish.

    Attributes:
        told: set when the drain begins; connections and pages wait for it.
        until_s: when the site stops at the latest, in `trio.current_time`; None before the drain.
    """

    def __init__(self) -> None:
        self.told = trio.Event()
        self.until_s: float | None = None

    @property
    def begun(self) -> bool:
        """Whether arrivals are refused."""
        return self.until_s is not None

    def begin(self, for_s: float) -> None:
        """Refuse arrivals from now on; a second call changes nothing."""
        if self.until_s is None:
            self.until_s = trio.current_time() + for_s
            self.told.set()

    def retry_after_ms(self) -> int:
        """When a refused client should ask again: the site is probably back by then."""
        left_s = 0.0 if self.until_s is None else max(0.0, self.until_s - trio.current_time())
        return min(int(left_s * 1_000) + BACK_WITHIN_MS, MOST_RETRY_MS)


async def drained(service: Service, drain_s: float) -> None:
    """Refuse arrivals from now on; return when nobody is in conversation any more, or after `drain_s`.

    What rings or waits is no reason to stay: it stands at its place again after the next start, and nobody
    is blamed for an offer that the stop withdrew.
    """
    service.drain.begin(drain_s)
    in_hand = _in_hand(service)
    _log.info("the site drains: no arrivals any more", seq=service.seq, in_hand=in_hand, drain_s=drain_s)
    with trio.move_on_after(drain_s):
        while _in_hand(service):  # noqa: ASYNC110  # no event says it; an overview is cheap, and this is the end
            await trio.sleep(LOOK_EVERY_S)
    _log.info("the drain is over", seq=service.seq, in_hand=_in_hand(service))


def _in_hand(service: Service) -> int:
    states = service.router.overview().contacts
    return states.connecting + states.engaged


@contextmanager
def written_pid(data: Path) -> Iterator[None]:
    """Keep this process's id in the data folder within the block, for `paidui drain`.

    Only the process that holds the journal's lock writes it, so it is this site's.
    """
    path = data / PID_FILE
    path.write_text(f"{os.getpid()}\n", "ascii")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


class Pulse:
    """Shows from outside whether the service's task gets on.

    The task says `turn` before each batch and `rest` when there is nothing to do. Whoever watches sees
    either a task that rests, or turns that become more.

    Attributes:
        turns: batches begun so far.
        resting: whether it waits for work.
    """

    def __init__(self) -> None:
        self.turns = 0
        self.resting = True

    def turn(self) -> None:
        """A batch begins."""
        self.turns += 1
        self.resting = False

    def rest(self) -> None:
        """There is nothing to do."""
        self.resting = True


class Progress:
    """When the service's task was last seen to get on. Fed by `beat`, read from any thread.

    Attributes:
        seen_s: that moment, in seconds of `time.monotonic`.
    """

    def __init__(self, pulse: Pulse) -> None:
        self._pulse = pulse
        self._turns = -1
        self.seen_s = time.monotonic()

    def look(self, *, work: bool) -> None:
        """Look at the pulse; `work` = something waits that the task should have taken up."""
        if self._pulse.turns != self._turns or (self._pulse.resting and not work):
            self._turns = self._pulse.turns
            self.seen_s = time.monotonic()

    def stuck_s(self) -> float:
        """For how long nothing has been seen to get on."""
        return time.monotonic() - self.seen_s


class Supervisor:
    """The service manager that started this process (systemd), told over its datagram socket.

    Without `NOTIFY_SOCKET` in the environment nobody is told and nothing fails. The variables are taken
    out of the environment: the parts of the site are not to speak for it.
    """

    def __init__(self) -> None:
        self._address = os.environ.pop("NOTIFY_SOCKET", "")
        watched = os.environ.pop("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self.watchdog = watched and bool(os.environ.pop("WATCHDOG_USEC", ""))

    def tell(self, *states: str) -> None:
        """Send states such as "READY=1"; what cannot be sent is lost, as the protocol has it."""
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as datagrams:
            datagrams.setblocking(False)
            try:
                datagrams.sendto("\n".join(states).encode(), address)
            except OSError:
                return

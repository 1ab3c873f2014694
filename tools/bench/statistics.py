"""How the statistics follow: their lag while others work, their catching up, their rows."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from engine.stats.client import AskError, ask
from loadtest.histogram import Histogram
from loadtest.scenario import Scenario
from loadtest.spawn import SpawnedSite

US = 1_000_000
POLL_S = 0.05
CATCH_UP_S = 120
LAG = "SELECT epoch_us(applied_at), arrived FROM applied"
TABLES = "SELECT table_name FROM information_schema.tables WHERE table_name LIKE '%\\_ended' ESCAPE '\\'"


class Statistics:
    """A site's statistics, as an analyst sees them."""

    def __init__(self, site: SpawnedSite) -> None:
        self._url = f"http://{site.stats.host}:{site.stats.port}"
        self._token = site.analyst

    def ask(self, sql: str) -> list[list[int]]:
        """The rows of a statement."""
        return ask(self._url, self._token, sql).rows

    def rows(self) -> int:
        """How many rows of what is over there are, in all tables."""
        names = [str(name) for (name,) in self.ask(TABLES)]
        counts = " + ".join(f"(SELECT count(*) FROM {name})" for name in names)  # noqa: S608 - the catalogue's own names
        return int(self.ask(f"SELECT {counts}")[0][0])

    def arrived(self) -> int:
        """How many arrivals they have seen."""
        return self.ask(LAG)[0][1]

    def catch_up(self, arrived: int) -> float | None:
        """Seconds until they have seen so many arrivals; None = not within two minutes."""
        begun_s = time.monotonic()
        while time.monotonic() < begun_s + CATCH_UP_S:
            try:
                if self.ask(LAG)[0][1] >= arrived:
                    return time.monotonic() - begun_s
            except AskError:
                pass
            time.sleep(POLL_S)
        return None

    @contextmanager
    def lag(self, played: Scenario) -> Iterator[Lag]:
        """While the block runs: how old the newest batch is that can be asked for, in the measured window."""
        lag, stop = Lag(played), threading.Event()

        def look() -> None:
            while not stop.wait(POLL_S):
                try:
                    at_us = self.ask(LAG)[0][0]
                except AskError:
                    continue
                if lag.measured:
                    lag.seen.add(time.time_ns() // 1_000 - at_us)

        thread = threading.Thread(target=look, name="lag")
        thread.start()
        try:
            yield lag
        finally:
            stop.set()
            thread.join()


class Lag:
    """What was seen, and whether the window is now: before it the newest batch may be an old one."""

    def __init__(self, played: Scenario) -> None:
        self.seen = Histogram()
        self.measured = False
        self._from_us = int(played.warmup_s * US)
        self._until_us = self._from_us + int(played.duration_s * US)

    def tick(self, at_us: int) -> None:
        """Takes the run's time."""
        self.measured = self._from_us <= at_us < self._until_us

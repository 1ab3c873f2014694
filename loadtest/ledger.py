"""The load tester's own books: what was acknowledged, what became of it, how long it took."""

from collections import Counter
from dataclasses import dataclass, field

from loadtest.histogram import Histogram

FATES = ("served", "abandoned", "blocked")
SERVICE_LEVEL_US = 20_000_000


@dataclass(slots=True)
class Ledger:
    """Counts and latencies of one run.

    Latencies start at the moment at which something was *meant* to be sent, so that a client or a
    server that falls behind cannot hide it (coordinated omission). Only what was meant to happen
    in the window [`from_us`, `until_us`) is measured; everything is counted.

    Attributes:
        arrival_offer: arrival -> first offer, the wait for a free agent included.
        arrival_offer_idle: the same for contacts that were offered in the instant they were queued.
        freed_offer: an agent's end (or end of wrap-up) -> its next offer, while contacts waited.
        ack: command -> its acknowledgement, which is durable.
        answered: arrival -> customer and agent talk; `answered_in_time` of them within 20 s.
        late: how late this program itself was with an arrival.
        doubled: contacts that ended twice.
    """

    from_us: int
    until_us: int
    arrival_offer: Histogram = field(default_factory=Histogram)
    arrival_offer_idle: Histogram = field(default_factory=Histogram)
    freed_offer: Histogram = field(default_factory=Histogram)
    ack: Histogram = field(default_factory=Histogram)
    answered: Histogram = field(default_factory=Histogram)
    answered_in_time: int = 0
    late: Histogram = field(default_factory=Histogram)
    counts: Counter[str] = field(default_factory=Counter)
    measured: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    ended: dict[int, str] = field(default_factory=dict)
    acknowledged: set[int] = field(default_factory=set)
    doubled: int = 0

    def in_window(self, at_us: int) -> bool:
        """Says whether something meant for `at_us` is measured."""
        return self.from_us <= at_us < self.until_us

    def count(self, what: str, at_us: int, by: int = 1) -> None:
        """Counts something, in the window too if it happened there."""
        self.counts[what] += by
        if self.from_us <= at_us < self.until_us:
            self.measured[what] += by

    def answer(self, arrived_us: int, now_us: int) -> None:
        """Notes that a customer and an agent have begun to talk."""
        if self.in_window(arrived_us):
            self.answered.add(now_us - arrived_us)
            if now_us - arrived_us <= SERVICE_LEVEL_US:
                self.answered_in_time += 1

    def acknowledge(self, contact: int) -> None:
        """Notes that an arrival was acknowledged: from here on it must not be lost."""
        self.acknowledged.add(contact)

    def end(self, contact: int, fate: str, at_us: int) -> None:
        """Notes how a contact ended; a second end is a fault of the server."""
        if contact in self.ended:
            self.doubled += 1
            return
        self.ended[contact] = fate
        self.count(fate, at_us)

    def missing(self) -> set[int]:
        """Returns the contacts that were acknowledged and never ended."""
        return self.acknowledged - self.ended.keys()

    def fates(self) -> dict[str, int]:
        """Returns how many acknowledged contacts ended how."""
        counter = Counter(self.ended.values())
        return {fate: counter[fate] for fate in FATES}

"""What happens to queues: when they were open, and which contacts they sent elsewhere."""

from __future__ import annotations

from collections.abc import Collection

from engine.model import HoursChanged, Overflowed
from engine.stats.ledger import Ledger
from engine.stats.rows import OverflowRow, QueueHoursRow


class Queues:
    """The rows of queues.

    Attributes:
        hours: by the queue's number.
        overflows: each final at once.
    """

    def __init__(self) -> None:
        self.hours: Ledger[QueueHoursRow] = Ledger()
        self.overflows: Ledger[OverflowRow] = Ledger()
        self._last_overflow = 0

    def changed(self, event: HoursChanged, seq: int) -> None:
        """Begin an interval, and end the one before."""
        self._end(event.queue, event.at, seq)
        row = QueueHoursRow(event.queue, event.at, event.state.name.lower(), seq)
        self.hours.add(event.queue, row)

    def keep_only(self, queues: Collection[int], at: int, seq: int) -> None:
        """End the intervals of queues that are configured no more; one that comes back is open."""
        for queue in [queue for queue in self.hours.open if queue not in queues]:
            self._end(queue, at, seq)

    def overflowed(self, event: Overflowed, enqueued_at: int, seq: int) -> None:
        """Note that a contact was sent elsewhere.

        Args:
            event: where from, why and where to.
            enqueued_at: since when it has waited, Unix microseconds.
            seq: the batch.
        """
        self._last_overflow += 1
        self.overflows.add_final(OverflowRow(self._last_overflow, event, enqueued_at, seq))

    def _end(self, queue: int, at: int, seq: int) -> None:
        if (row := self.hours.open.get(queue)) is not None:
            row.ended_at, row.seq = at, seq
            self.hours.close(queue)

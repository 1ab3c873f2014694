"""A table's rows between the events that make them and the database that keeps them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

Values = tuple[object, ...]


class Row(Protocol):
    """What a ledger needs of a row."""

    def values(self) -> Values:
        """Return the columns in the order of the table."""
        ...


R = TypeVar("R", bound=Row)


@dataclass(slots=True)
class Ledger(Generic[R]):
    """The rows of one table.

    Attributes:
        open: rows that may still change, by the table's key.
        changed: keys whose open row differs from what was last taken.
        closed: rows that are final and were not taken yet.
    """

    open: dict[int, R] = field(default_factory=dict)
    changed: set[int] = field(default_factory=set)
    closed: list[Values] = field(default_factory=list)

    def add(self, key: int, row: R) -> None:
        """Open a row."""
        self.open[key] = row
        self.changed.add(key)

    def add_final(self, row: R) -> None:
        """Add a row that nothing can happen to."""
        self.closed.append(row.values())

    def close(self, key: int) -> None:
        """Make a row final."""
        self.closed.append(self.open.pop(key).values())
        self.changed.add(key)

    def pending(self) -> int:
        """Return how many rows the next write has."""
        return len(self.closed) + len(self.changed)

    def discard(self) -> None:
        """Forget what has changed: it is in the database already."""
        self.closed.clear()
        self.changed.clear()

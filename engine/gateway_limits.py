"""How many sockets the gateway holds, in all and from one address."""

from __future__ import annotations

import resource
from collections import Counter
from typing import NamedTuple

RESERVED_FILES = 512
"""Descriptors that the rest of the process needs: journal, store, pages, what is being refused."""

TURNED_AWAY = ("too_many_connections", "too_many_from_address", "protocol_error", "version", "bad_token")
"""The codes with which a connection may be closed before it is welcome, as they are counted."""


class TurnedAway(NamedTuple):
    """Why a connection is not held."""

    code: str
    text: str


class Doors:
    """Counts connections.

    Args:
        most: in all.
        most_from_address: from one network address; a Unix socket has none.

    Attributes:
        connections: how many are open.
        turned_away: how many were not let in, by one of `TURNED_AWAY`.
    """

    def __init__(self, most: int, most_from_address: int) -> None:
        self.most = most
        self._most_from_address = most_from_address
        self._inside: Counter[str | None] = Counter()
        self.connections = 0
        self.turned_away: Counter[str] = Counter()

    def enter(self, address: str | None) -> TurnedAway | None:
        """Count a connection in; or say why not."""
        refused = None
        if self.connections >= self.most:
            text = f"{self.most} connections are open, no more are held; try again later"
            refused = TurnedAway("too_many_connections", text)
        elif address is not None and self._inside[address] >= self._most_from_address:
            text = f"{self._most_from_address} connections from {address} are open; close one first"
            refused = TurnedAway("too_many_from_address", text)
        if refused is not None:
            self.turned_away[refused.code] += 1
            return refused
        self.connections += 1
        self._inside[address] += 1
        return None

    def leave(self, address: str | None) -> None:
        """Count a connection out."""
        self.connections -= 1
        self._inside[address] -= 1
        if not self._inside[address]:
            del self._inside[address]


def room_for_sockets(wanted: int) -> int:
    """Raise this process's soft limit of open files, where it is too low, to the hard one.

    Returns:
        How many connections can be held: `wanted`, or fewer where the hard limit is too low.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + RESERVED_FILES
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return wanted
    allowed = needed if hard == resource.RLIM_INFINITY else hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return max(1, min(wanted, allowed - RESERVED_FILES))

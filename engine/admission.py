"""Admission: how many arrivals a second the site takes in, before any of it is stored or journaled.

Token buckets on the monotonic clock, one for the site, one for each channel and one for each
connection that has a limit. Only arrivals are counted: what is in hand always goes on.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import trio

from engine.config import SiteConfig
from engine.config_types import Rate
from engine.errors import Busy

RETRY_MOST_MS = 5_000
"""Nobody is sent away for longer: once the flood is over, everybody is back within this."""

TOKEN = 1_000_000
"""A token in the bucket's own unit, of which `per_s` come in with every microsecond: nothing is rounded."""


class Bucket:
    """A token bucket: full at first, `rate.burst` tokens at most, `rate.per_s` new ones a second.

    Args:
        rate: what it admits.
        now_us: the monotonic time.
    """

    def __init__(self, rate: Rate, now_us: int) -> None:
        self._rate = rate
        self._tokens = rate.burst * TOKEN
        self._at_us = now_us
        self._promised_us = now_us

    def room(self, now_us: int) -> int:
        """Return how many arrivals may come in now."""
        came = (now_us - self._at_us) * self._rate.per_s
        self._tokens = min(self._rate.burst * TOKEN, self._tokens + came)
        self._at_us = now_us
        return self._tokens // TOKEN

    def take(self, count: int) -> None:
        """Use up tokens; the caller has asked `room`."""
        self._tokens -= count * TOKEN

    def promise_ms(self, now_us: int) -> int:
        """Return when one who is refused now should come back; each call promises the next free token.

        Two who were told to come back are therefore not told the same moment.
        """
        per_s = self._rate.per_s
        next_us = now_us + -(-max(0, TOKEN - self._tokens) // per_s)
        free_us = max(next_us, self._promised_us + -(-TOKEN // per_s))
        self._promised_us = min(free_us, now_us + RETRY_MOST_MS * 1_000)
        return max(1, -((now_us - self._promised_us) // 1_000))


class Admitted(NamedTuple):
    """How many arrivals may go on, and in how many ms each of the others should come back."""

    commands: int
    retry_after_ms: list[int]


class Admission:
    """What the site's file says about arrivals; made by the service.

    Attributes:
        refused: arrivals that were sent away, by channel name; "" for channels that there are not.
    """

    def __init__(self, site: SiteConfig) -> None:
        now_us = monotonic_us()
        self._site = _bucket(site.gateway.arrivals, now_us)
        self._channels = {name: _bucket(one.arrivals, now_us) for name, one in site.channels.items()}
        self.refused: Counter[str] = Counter()

    def buckets(self, channel: str, own: Bucket | None = None) -> list[Bucket]:
        """Return what limits arrivals of a channel, on a connection with a bucket of its own."""
        return [one for one in (own, self._channels.get(channel), self._site) if one is not None]

    def admit(self, channel: str, count: int, own: Bucket | None = None) -> Admitted:
        """Ask for arrivals to come in; what is admitted is counted at once."""
        buckets = self.buckets(channel, own)
        now_us = monotonic_us()
        rooms = [(bucket.room(now_us), bucket) for bucket in buckets]
        admitted = min([count, *(room for room, _ in rooms)])
        for bucket in buckets:
            bucket.take(admitted)
        narrow = [bucket for room, bucket in rooms if room <= admitted]
        self.refused[channel] += count - admitted
        after_ms = [max(one.promise_ms(now_us) for one in narrow) for _ in range(count - admitted)]
        return Admitted(admitted, after_ms)

    def check(self, channel: str) -> None:
        """Admit one arrival of a channel in this process.

        Raises:
            Busy: come back after `retry_after_ms`.
        """
        if after_ms := self.admit(channel, 1).retry_after_ms:
            raise Busy(after_ms[0])


def monotonic_us() -> int:
    """Return the monotonic time."""
    return int(trio.current_time() * 1_000_000)


def _bucket(rate: Rate | None, now_us: int) -> Bucket | None:
    return None if rate is None else Bucket(rate, now_us)

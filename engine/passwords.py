"""Passwords: argon2id in few threads, and a limit on guessing."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from functools import partial
from typing import Final

import trio
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from engine.errors import Malformed, PaiduiError

MIN_PASSWORD: Final = 10
MAX_PASSWORD: Final = 200
THREADS: Final = 2
QUEUED: Final = 50
GENERATED_BYTES: Final = 15


class TooManyAttempts(PaiduiError):
    """Somebody tries passwords faster than a person does; ask again after `retry_after_s`."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"too many attempts; try again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


class Passwords:
    """Hashes and checks passwords.

    At most `THREADS` hashes run at a time, each of 19 MiB, and at most `QUEUED` wait: a flood of logins
    costs bounded memory and leaves the other threads to the store.
    """

    def __init__(self) -> None:
        # OWASP's second choice for argon2id: 19 MiB, two passes, one lane.
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
        self._limiter = trio.CapacityLimiter(THREADS)
        # Nobody's: checked when there is no such account, so that both take the same time.
        self._nobodys = self._hasher.hash(secrets.token_hex())

    async def hash(self, password: str) -> str:
        """Return the hash to store.

        Raises:
            Malformed: the password is too short or too long.
        """
        if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
            raise Malformed(
                f"password: expected {MIN_PASSWORD}..{MAX_PASSWORD} characters, got {len(password)}"
            )
        return await trio.to_thread.run_sync(partial(self._hasher.hash, password), limiter=self._limiter)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Return whether the password is right; None stands for an unknown account and is never right.

        Raises:
            TooManyAttempts: too many checks wait already.
        """
        if self._limiter.statistics().tasks_waiting >= QUEUED:
            raise TooManyAttempts(1)
        if len(password) > MAX_PASSWORD:
            return False
        right = await trio.to_thread.run_sync(
            self._verify, password_hash or self._nobodys, password, limiter=self._limiter
        )
        return right and password_hash is not None

    def outdated(self, password_hash: str) -> bool:
        """Return whether the hash was made with weaker settings than today's."""
        return self._hasher.check_needs_rehash(password_hash)

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False


def generate_password() -> str:
    """Return a random password, for an account that nobody has chosen one for."""
    return secrets.token_urlsafe(GENERATED_BYTES)


class AttemptLimits:
    """Counts login attempts per account and per address over a sliding window.

    An attempt counts when it begins, so that a hundred at once count as a hundred. A success gives its own
    attempt back. Unknown accounts are counted like known ones.

    Args:
        per_account: attempts in the window for one account.
        per_address: attempts in the window from one address, on whatever accounts.
        window_s: the window.
        monotonic_s: the clock, for tests.
    """

    def __init__(
        self,
        per_account: int = 10,
        per_address: int = 60,
        window_s: float = 300.0,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._accounts = _Windows(per_account, window_s, monotonic_s)
        self._addresses = _Windows(per_address, window_s, monotonic_s)

    def attempt(self, account: str, address: str) -> None:
        """Count an attempt.

        Raises:
            TooManyAttempts: and it is not counted, so that waiting helps.
        """
        wait_s = max(self._accounts.wait_s(account), self._addresses.wait_s(address))
        if wait_s > 0:
            raise TooManyAttempts(int(wait_s) + 1)
        self._accounts.count(account)
        self._addresses.count(address)

    def succeeded(self, account: str, address: str) -> None:
        """Forget the account's attempts, and this one of the address."""
        self._accounts.forget(account)
        self._addresses.give_back(address)


class _Windows:
    """Times of events per key; the keys that were used longest ago are forgotten first."""

    _KEYS = 20_000

    def __init__(self, most: int, window_s: float, monotonic_s: Callable[[], float]) -> None:
        self._most = most
        self._window_s = window_s
        self._monotonic_s = monotonic_s
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, key: str) -> float:
        """Seconds until one more fits; 0 when it fits now."""
        times = self._times.get(key)
        if times is None:
            return 0.0
        oldest_kept = self._monotonic_s() - self._window_s
        while times and times[0] <= oldest_kept:
            times.popleft()
        return times[0] - oldest_kept if len(times) >= self._most else 0.0

    def count(self, key: str) -> None:
        self._times.setdefault(key, deque()).append(self._monotonic_s())
        self._times.move_to_end(key)
        if len(self._times) > self._KEYS:
            self._times.popitem(last=False)

    def give_back(self, key: str) -> None:
        if times := self._times.get(key):
            times.pop()

    def forget(self, key: str) -> None:
        self._times.pop(key, None)

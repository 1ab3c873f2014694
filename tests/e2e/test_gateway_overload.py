"""Twenty times the arrivals that a site admits: refused by name, and what is admitted notices nothing.

The figures are ratios within one run; they are printed (`pytest -s`). A phase's p99 is the median of the p99s
of its windows of some seconds: what else the machine does for a moment is in both, but not in equal parts.
"""

from __future__ import annotations

from pathlib import Path
from statistics import median

import pytest

from engine.admission import RETRY_MOST_MS
from engine.inbox import INBOX_BYTES
from tests.e2e.gateway_load import TICK_S, Loader, load, p99
from tests.e2e.gateway_server import Server, server

pytestmark = pytest.mark.alone  # ratios of latencies

CONNECTIONS = 4
FLOOD_PER_TICK = 20
TIMES = 20
TWICE = 2.0
NORMAL_WITHIN_S = 5


def measured_flood_per_s(folder: Path) -> float:
    """What the flood sends where nothing is limited."""
    with server(folder) as site, load(site.port, CONNECTIONS) as loader:
        loader.play(FLOOD_PER_TICK, 0.5)
        result = loader.play(FLOOD_PER_TICK, 2)
        assert result["busy"] == result["other"] == 0
        sent: float = result["sent"] / 2
        return sent


def flood(loader: Loader, seconds: float) -> float:
    """One phase of the flood; the p99 of what was admitted, in ms."""
    result = loader.play(FLOOD_PER_TICK, seconds)
    admitted = len(result["latency_ms"])
    assert result["other"] == 0, "what is in hand is never refused"
    assert admitted + result["busy"] == result["sent"], "everything is answered"
    assert admitted <= result["sent"] / TIMES * 1.5 + result["sent"] / seconds / TIMES, "and the burst"
    assert 0 < result["retry_most_ms"] <= RETRY_MOST_MS
    return median(result["windows_p99_ms"])


def quiet(loader: Loader, per_tick: float, seconds: float) -> float:
    loader.play(per_tick, 1)  # a flood has left no tokens
    result = loader.play(per_tick, seconds)
    # A sender that the machine stops for a second catches up in one burst, which may be above the limit.
    assert result["busy"] <= result["sent"] / 100, "within the limit nothing is refused"
    return median(result["windows_p99_ms"])


def seconds_until_normal(loader: Loader, per_tick: float, quiet_ms: float) -> int:
    for second in range(1, NORMAL_WITHIN_S + 1):
        result = loader.play(per_tick, 1)
        if not result["busy"] and p99(result["latency_ms"]) <= TWICE * quiet_ms:
            return second
    raise AssertionError(f"not normal within {NORMAL_WITHIN_S} s")


def played(
    site: Server, loader: Loader, per_tick: float, rounds: int, quiet_s: float, flood_s: float
) -> None:
    quiet(loader, per_tick, 1)
    before_kib = site.memory_kib()
    ratios, quiets = [], []
    for number in range(rounds):
        first = flood(loader, flood_s) if number % 2 else None
        quiet_ms = quiet(loader, per_tick, quiet_s)
        flood_ms = first if first is not None else flood(loader, flood_s)
        ratios.append(flood_ms / quiet_ms)
        quiets.append(quiet_ms)
    flood(loader, quiet_s)
    after_kib = site.memory_kib()
    normal_s = seconds_until_normal(loader, per_tick, median(quiets))
    print(
        f"\np99 under the flood over the quiet p99: median {median(ratios):.2f}"
        f" of {', '.join(f'{ratio:.2f}' for ratio in ratios)}; quiet p99 {median(quiets):.1f} ms"
        f"\nmemory {before_kib / 1024:.1f} MiB before, {after_kib / 1024:.1f} MiB after"
        f"\nnormal again within {normal_s} s"
    )
    assert median(ratios) <= TWICE
    assert (after_kib - before_kib) * 1024 < INBOX_BYTES


def overload(folder: Path, rounds: int, quiet_s: float, flood_s: float) -> None:
    sent_per_s = measured_flood_per_s(folder / "measured")
    admitted_per_s = int(sent_per_s / TIMES)
    print(f"\nthe flood sends {sent_per_s:.0f}/s, {admitted_per_s}/s are admitted")
    limits = f"arrivals_per_s = {admitted_per_s}"
    per_tick = admitted_per_s * TICK_S / 2
    with server(folder / "limited", limits) as site, load(site.port, CONNECTIONS) as loader:
        played(site, loader, per_tick, rounds, quiet_s, flood_s)


@pytest.mark.slow  # seconds of a flood
def test_twenty_times_the_arrivals(tmp_path: Path) -> None:
    overload(tmp_path, rounds=4, quiet_s=1.5, flood_s=1.5)


@pytest.mark.torture
def test_twenty_times_the_arrivals_for_a_minute(tmp_path: Path) -> None:
    overload(tmp_path, rounds=2, quiet_s=30, flood_s=60)

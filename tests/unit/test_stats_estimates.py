"""What was estimated and what it came to, as rows and by queue."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.model import Abandon, Accept, End, SignIn
from engine.stats.reports import load_report
from tests.unit.stats_kit import ANN, LOANS, SITE, WEBCHAT, Script, arrive, everything, following, rows

ONE_BY_ONE = SITE.replace("webchat = 2", "webchat = 1")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def busy_hour(script: Script) -> None:
    """Ann serves one after the other; who waits is the sample of its queue, one at a time."""
    script.do(1_000, SignIn(agent=ANN))
    script.do(2_000, arrive(1, LOANS))
    script.do(3_000, Accept(agent=ANN, offer=1))  # waited 1 s, but was offered at once: no sample
    script.do(4_000, arrive(2, LOANS))  # the sample: 180 s, as configured
    script.do(5_000, arrive(3, LOANS))  # no second one
    script.do(63_000, End(agent=ANN, contact=1))
    script.do(64_000, Accept(agent=ANN, offer=2))  # scored: it waited 60 s
    script.do(65_000, arrive(4, LOANS))  # the next sample
    script.do(66_000, Abandon(channel=WEBCHAT, contact=4))  # which leaves


@pytest.mark.slow  # a journal, a statistics file, and both made again
def test_whoever_is_measured_has_a_row(data: Path) -> None:
    script = Script(data, ONE_BY_ONE)
    busy_hour(script)
    with following(data, script.site) as (writer, database):
        writer.step()
        writer.flush()
        told = rows(
            database,
            "SELECT estimate, contact, channel, queue, epoch_ms(engaged_at) - epoch_ms(estimated_at), "
            "estimate_ms, p90_ms, actual_ms FROM estimates",
        )
        by_queue = rows(database, "SELECT queue, measured, within_p90, mean_error_ms FROM ewt_calibration")
        report = rows(database, load_report("estimated_waits").sql)
        before = everything(database)
    assert told == [(1, 2, "webchat", "loans", 60_000, 180_000, 360_000, 60_000)]
    assert by_queue == [("loans", 1, 1.0, 120_000.0)]
    assert report == [("loans", 1, 1.0, 120.0, 120.0, 180.0, 60.0)]
    for path in data.glob("stats.duckdb*"):
        path.unlink()
    with following(data, script.site) as (writer, database):
        writer.step()
        writer.flush()
        assert everything(database) == before
    script.close()

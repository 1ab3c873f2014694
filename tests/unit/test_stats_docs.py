"""The pages of configuration and statistics name every key, column, audit and report."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.config import read_site
from engine.errors import ConfigError
from engine.stats.database import FILE, Database
from engine.stats.reports import report_names

DOCS = Path(__file__).resolve().parents[2] / "docs"
SECTIONS = (
    "site",
    "routing",
    "web",
    "gateway",
    "stats",
    "reasons.x",
    "domains.x",
    "targets.x",
    "skills.x",
    "channels.x",
    "queues.x",
    "agents.x",
)
VIEWS = (
    *("overflows", "queue_hours", "configurations"),
    *("contacts", "offers", "segments", "choices", "estimates", "ewt_calibration", "agent_states"),
    *("conservation", "applied", "names"),
)


def words(page: Path) -> set[str]:
    """What the page writes as code."""
    return set(re.findall(r"`([^`\n]+)`", page.read_text("utf-8")))


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    path = tmp_path_factory.mktemp("stats") / FILE
    database = Database(path, "one", memory_limit_mb=128, time_zone="UTC", threads=1)
    yield database
    database.close()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_key_has_its_row(language: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_site("\n".join(f"[{section}]\nzzz = 1" for section in SECTIONS), Path("/"))
    unknown = [error for error in caught.value.errors if ".zzz: unknown key" in error]
    assert len(unknown) == len(SECTIONS)
    known = {key for error in unknown for key in error.split("known: ")[1].split(", ")}
    assert known <= words(DOCS / language / "configuration.md")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_column_audit_and_report_is_named(database: Database, language: str) -> None:
    cursor = database.cursor()
    columns = {column for view in VIEWS for (column, *_) in cursor.execute(f"DESCRIBE {view}").fetchall()}
    audits = {
        name
        for (name,) in cursor.execute(
            "SELECT view_name FROM duckdb_views() WHERE view_name LIKE 'audit_%'"
        ).fetchall()
    }
    cursor.close()
    assert "wrap_up_ms" in columns
    assert len(audits) == 9
    assert columns | audits | set(report_names()) <= words(DOCS / language / "statistics.md")

"""Formats of the journal: two are read, one is written, and which one the configuration says."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.cli import main
from engine.config import read_site
from engine.errors import ConfigError
from engine.journal import JournalError, JournalReader, SqliteJournal
from engine.journal.contract import FORMAT_VERSION, READABLE_FORMATS, WRITABLE_FORMATS
from engine.journal.events import EventFile, events_path
from tests.unit.journal_kit import SHORT, SITE, Site, events_of, followed, kept, written


def formats_of(monkeypatch: pytest.MonkeyPatch, *formats: int) -> None:
    """From now on this is a release that reads and writes these formats, rows laid out as today's."""
    for module in ("contract", "segment", "snapshots", "events"):
        monkeypatch.setattr(f"engine.journal.{module}.READABLE_FORMATS", formats)
    for module in ("contract", "sqlite", "events"):
        monkeypatch.setattr(f"engine.journal.{module}.WRITABLE_FORMATS", formats)
    monkeypatch.setattr("engine.config_servers.WRITABLE_FORMATS", formats)


def headers(folder: Path) -> list[tuple[int, int]]:
    with closing(JournalReader(folder)) as reader:
        return [(one.format, one.first_seq) for one in reader.segments()]


def wrote(folder: Path, rows: int, format_version: int) -> int:
    """A start that writes a format, and some batches; the last one's number."""
    with closing(Site(folder, replace(SHORT, format=format_version, segment_batches=1_000))) as site:
        site.steps(rows)
        return site.seq


def test_what_is_written_by_default_is_read_and_writable() -> None:
    assert FORMAT_VERSION in WRITABLE_FORMATS
    assert set(WRITABLE_FORMATS) <= set(READABLE_FORMATS)
    assert tuple(range(READABLE_FORMATS[-1] - 1, READABLE_FORMATS[-1] + 1)) == READABLE_FORMATS, "N-1 and N"


def test_a_new_format_is_written_when_it_is_configured_and_begins_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = written(tmp_path, 10)
    before = dict(events_of(tmp_path))
    with monkeypatch.context() as release:
        formats_of(release, 2, 3)
        second = wrote(tmp_path, 5, 2)
        assert headers(tmp_path) == [(2, 1)], "not before it is said"
    assert written(tmp_path, 5) > second, "so the release before goes on with it"
    with monkeypatch.context() as release:
        formats_of(release, 2, 3)
        third = wrote(tmp_path, 30, 3)
        segments = headers(tmp_path)
        assert [one[0] for one in segments] == [2, 2, 3]
        assert wrote(tmp_path, 5, 3) > third
        assert headers(tmp_path) == segments, "a start alone begins none"
        kept(tmp_path)
        assert [EventFile(events_path(tmp_path, number)).head.format for number in (1, 2)] == [2, 2]
        after = dict(events_of(tmp_path))
        assert {seq: after[seq] for seq in before} == before
        assert followed(tmp_path)
        assert main(["journal", "verify", "--journal", str(tmp_path)]) == 0
    refused = r"has format 3; this release reads formats 1 and 2: open it with the release that wrote it"
    with pytest.raises(JournalError, match=refused):
        Site(tmp_path)
    with pytest.raises(JournalError, match=refused):
        JournalReader(tmp_path)
    assert first < second < third


def test_an_older_format_than_is_read_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, 5)
    formats_of(monkeypatch, 3, 4)
    with pytest.raises(JournalError, match="has format 2; this release reads formats 3 and 4"):
        JournalReader(tmp_path)


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("1", "journal.format: expected 2, got 1, which this release reads and writes no more"),
        ("3", "journal.format: expected 2, got 3, which takes a newer release"),
        ("0", "journal.format: expected 1..1000000, got 0"),
        ('"2"', "journal.format: expected an integer, got a string"),
    ],
)
def test_a_format_that_is_not_written_is_named(tmp_path: Path, value: str, fault: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_site(f'[site]\nname = "one"\n[journal]\nformat = {value}\n', tmp_path)
    assert [fault] == caught.value.errors


def test_the_journal_itself_refuses_it_too(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match=r"journal\.format: expected 2, got 1"):
        SqliteJournal(tmp_path / "journal", SITE, replace(SHORT, format=1))
    assert not (tmp_path / "journal").exists()


def test_the_configuration_says_which(tmp_path: Path) -> None:
    text = '[site]\nname = "one"\n'
    assert read_site(text, tmp_path).journal.format == FORMAT_VERSION
    assert read_site(f"{text}[journal]\nformat = 2\n", tmp_path).journal.format == 2

"""One bit flipped in a journal of several segments, in each kind of file: named, never served."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from engine.cli import main
from engine.follower import Follower
from engine.journal import JournalCorrupt, JournalError, JournalReader, SqliteJournal
from engine.journal.events import EventFile, events_path
from engine.journal.repair import check_rows
from engine.journal.segment import path_of
from tests.unit.journal_kit import SHORT, SITE, AtOnce, events_of, kept, written

PAGE = 4_096
BATCHES = 50


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """Three segments, two of them sealed, and snapshots."""
    folder = tmp_path / "journal"
    written(folder, BATCHES)
    kept(folder)
    return folder


def spoilt(path: Path, places: Iterator[int] | list[int]) -> Iterator[int]:
    """Flip a bit at each place in turn, and put it right again."""
    content = path.read_bytes()
    for at in places:
        path.write_bytes(content[:at] + bytes([content[at] ^ 1 << at % 8]) + content[at + 1 :])
        yield at
    path.write_bytes(content)


def places_in(path: Path, step: int) -> list[int]:
    """The file's header, the head of each page, and every so manyeth byte."""
    size = path.stat().st_size
    heads = {page + at for page in range(0, size, PAGE) for at in range(12)}
    return sorted({*range(100), *heads, *range(0, size, step)})


def read_all(folder: Path) -> list[tuple[int, bytes]] | JournalError:
    try:
        with closing(JournalReader(folder)) as reader:
            return [(row.seq, row.frames) for row in reader.read(0)]
    except JournalError as error:
        return error


@pytest.mark.slow  # every place is read
@pytest.mark.parametrize("number", [1, 2, 3])
def test_in_a_segment(whole: Path, number: int) -> None:
    """Readers give every row as it was, or stop before the first that is not.

    At the end of the newest rows may seem not to be there yet; then the head knows better.
    """
    expected = read_all(whole)
    assert isinstance(expected, list)
    refused = 0
    for at in spoilt(path_of(whole, number), places_in(path_of(whole, number), 97)):
        found = read_all(whole)
        if isinstance(found, JournalError):
            refused += 1
        else:
            assert found == expected[: len(found)], f"a bit at {at} was served"
            if len(found) < len(expected):
                assert number == 3
                with pytest.raises(JournalError, match="were durable and are gone"):
                    check_rows(whole)
    assert refused > 30


@pytest.mark.slow  # every place is a start
def test_in_the_newest_segment_a_start_never_loses_a_row(whole: Path) -> None:
    with closing(SqliteJournal(whole, SITE, SHORT, AtOnce())) as journal:
        last = journal.last().seq
    for at in spoilt(path_of(whole, 3), places_in(path_of(whole, 3), 401)):
        try:
            journal = SqliteJournal(whole, SITE, SHORT, AtOnce())
        except JournalError:
            continue
        journal._failed = True  # leave the folder as it is
        journal.close()
        assert journal.last().seq == last, f"with a bit at {at} rows were forgotten"


@pytest.mark.slow  # every place is read
def test_in_an_event_file(whole: Path) -> None:
    """Magic word, head, parts, end: each bit counts, and the error names the file and a batch."""
    path = events_path(whole, 1)
    expected = [(one.seq, one.events) for one in EventFile(path).happened()]
    assert expected == [one for one in events_of(whole) if one[0] <= 20]
    size = path.stat().st_size
    for at in spoilt(path, sorted({*range(200), *range(0, size, 5), *range(size - 120, size)})):
        with pytest.raises(JournalError, match=r"in 000001\.events, ") as caught:
            list(EventFile(path).happened())
        assert "journal row" in str(caught.value), at
    assert [(one.seq, one.events) for one in EventFile(path).happened()] == expected


@pytest.mark.parametrize(
    ("name", "at", "named"),
    [
        ("000001.sqlite", 9_000, "journal row"),
        ("000002.sqlite", 9_000, "journal row 2"),
        ("000001.events", 300, "in 000001.events, the hash of a block does not fit"),
        ("000002.snapshot", 200, "000002.snapshot: its hash does not fit"),
        ("000003.snapshot", 2_000, "000003.snapshot: its hash does not fit"),
    ],
)
def test_verify_names_it(
    whole: Path, name: str, at: int, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    content = (whole / name).read_bytes()
    assert main(["journal", "verify", "--journal", str(whole)]) == 0
    assert "nothing is damaged" in capsys.readouterr().out
    at = next(place for place in range(at, len(content)) if content[place])
    (whole / name).write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    assert main(["journal", "verify", "--journal", str(whole)]) == 1
    assert named in capsys.readouterr().err


def test_an_event_file_of_another_segment_is_not_taken(
    whole: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events_path(whole, 1).write_bytes(events_path(whole, 2).read_bytes())
    assert main(["journal", "verify", "--journal", str(whole)]) == 1
    assert "journal row 1" in capsys.readouterr().err


def test_a_follower_stops_before_a_spoilt_row(whole: Path) -> None:
    path = path_of(whole, 2)
    content = path.read_bytes()
    expected = dict(events_of(whole))
    with closing(JournalReader(whole)) as reader:
        frames = next(row.frames for row in reader.read(29) if row.frames)
        seq = next(row.seq for row in reader.read(29) if row.frames)
    at = content.index(frames)
    path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    seen = {}
    with closing(Follower(whole)) as follower:
        batches = follower.poll()
        for _ in range(1, seq):
            batch = next(batches)
            seen[batch.seq] = batch.events
        with pytest.raises(JournalError, match=f"journal row {seq}"):
            next(batches)
    assert seen == {one: expected[one] for one in range(1, seq)}


def test_repair_cuts_across_segments(whole: Path, capsys: pytest.CaptureFixture[str]) -> None:
    expected = read_all(whole)
    assert isinstance(expected, list)
    repair = ["journal", "repair", "--cut-before", "31", "--journal", str(whole)]
    assert main([*repair, "--yes"]) == 0
    assert f"{len(expected) - 30} rows from 31 on were removed" in capsys.readouterr().out
    assert read_all(whole) == expected[:30]
    assert (whole / "before-repair" / "000003.sqlite").exists()
    assert main(["journal", "verify", "--journal", str(whole)]) == 0
    assert main([*repair, "--yes"]) == 1, "what an earlier repair has put aside is not overwritten"
    with closing(SqliteJournal(whole, SITE, SHORT, AtOnce())) as journal:
        assert journal.last().seq == 30


def test_repair_cuts_where_a_page_is_unreadable(whole: Path) -> None:
    """What cannot be read cannot be deleted either: the rows before are written again."""
    expected = read_all(whole)
    assert isinstance(expected, list)
    path = path_of(whole, 3)
    content = bytearray(path.read_bytes())
    content[-PAGE:] = b"\xff" * PAGE
    path.write_bytes(content)
    found = read_all(whole)
    assert isinstance(found, JournalCorrupt)
    assert f"--cut-before {found.seq}`" in str(found)
    repair = ["journal", "repair", "--cut-before", str(found.seq), "--yes", "--journal", str(whole)]
    assert main(repair) == 0
    assert read_all(whole) == expected[: found.seq - 1]
    with closing(SqliteJournal(whole, SITE, SHORT, AtOnce())) as journal:
        assert journal.last().seq == found.seq - 1


def test_repair_asks_first(
    whole: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from io import StringIO

    monkeypatch.setattr("sys.stdin", StringIO("no\n"))
    before = read_all(whole)
    assert main(["journal", "repair", "--cut-before", "31", "--journal", str(whole)]) == 1
    assert "every row from 31 on will be given up" in capsys.readouterr().out
    assert read_all(whole) == before


def test_show_says_what_was_asked_and_what_came_of_it(
    whole: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    show = ["journal", "show", "--from", "3", "--to", "6", "--journal", str(whole)]
    assert main([*show, "--events"]) == 0
    said = capsys.readouterr().out
    assert "batch 3  20" in said
    assert "SignIn agent=ann" in said
    assert "-> AgentSignedIn" in said
    assert "batch 7" not in said
    assert main([*show, "--json"]) == 0
    assert '"kind": "SignIn"' in capsys.readouterr().out

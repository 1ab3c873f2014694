"""Snapshots: a start goes on from the newest good one, and what is spoilt is named and never used."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
import structlog
from structlog.testing import capture_logs

from engine import model
from engine.bus import ForAll, TooOld
from engine.follower import Follower
from engine.journal import BatchRow, JournalCut, JournalError, JournalReader, Limits, Snapshot
from engine.journal.files import UNFINISHED
from engine.journal.snapshots import KEPT, SnapshotFolder, SnapshotSpoilt, encode, read_snapshot
from engine.keeper import Keeper
from engine.testing.fixtures import small_service
from tests.unit.journal_kit import PLAN, SHORT, Site, followed, kept, snapshot_at, written

ONE_SEGMENT = Limits(reserve_bytes=0)


def path_at(folder: Path, seq: int) -> Path:
    return folder / f"snapshot-{seq:015}"


def put(folder: Path, *seqs: int) -> None:
    for seq in seqs:
        SnapshotFolder(folder).write(snapshot_at(folder, seq))


def started(folder: Path) -> tuple[int, int]:
    """Start; return behind which batch the replay began, and the state hash that it came to."""
    with closing(Site(folder, ONE_SEGMENT)) as site:
        return site.began_behind, site.router.state_hash()


def flip(path: Path, at: int) -> None:
    whole = bytearray(path.read_bytes())
    whole[at] ^= 1 << at % 8
    path.write_bytes(whole)


def test_it_comes_back_as_it_was(tmp_path: Path) -> None:
    written(tmp_path, 30, ONE_SEGMENT)
    made = snapshot_at(tmp_path, 20)
    SnapshotFolder(tmp_path).write(made)
    found = read_snapshot(path_at(tmp_path, 20))
    assert found == msgspec.structs.replace(made, tail=tuple(made.tail))
    assert not list(tmp_path.glob(f"*{UNFINISHED}"))


def test_a_start_reads_only_what_stands_behind_it(tmp_path: Path) -> None:
    written(tmp_path, 40, ONE_SEGMENT)
    _, expected = started(tmp_path)
    put(tmp_path, 30)
    with closing(Site(tmp_path, ONE_SEGMENT)) as site:
        assert site.began_behind == 30
        (again,) = [row for row in site.journal.read() if row.seq == 45]
        assert again.count == 1, "`restarted` of the start before"
    with closing(Follower(tmp_path)) as follower:
        states = {batch.seq: follower.router.state_hash() for batch in follower.poll()}
    assert states[45] == expected


def test_the_first_row_behind_proves_the_snapshots_events(tmp_path: Path) -> None:
    written(tmp_path, 40, ONE_SEGMENT)
    made = msgspec.structs.replace(snapshot_at(tmp_path, 30), events_hash=bytes(32))
    SnapshotFolder(tmp_path).write(made)
    with pytest.raises(JournalError, match="batch 30: the replay gave other events"):
        started(tmp_path)


def test_the_newest_three_are_kept(tmp_path: Path) -> None:
    written(tmp_path, 60, ONE_SEGMENT)
    put(tmp_path, 10, 20, 30, 40, 50)
    assert [found.seq for found in SnapshotFolder(tmp_path).found()] == [50, 40, 30]
    assert KEPT == 3


def test_a_spoilt_one_is_passed_over_and_the_log_says_why(tmp_path: Path) -> None:
    written(tmp_path, 60, ONE_SEGMENT)
    put(tmp_path, 30, 40, 50)
    flip(path_at(tmp_path, 50), 500)
    path_at(tmp_path, 40).write_bytes(b"")
    with capture_logs() as said:
        began, _ = started(tmp_path)
    assert began == 30
    told = [str(one) for one in said]
    assert any("snapshot-000000000000050: its hash does not fit" in one for one in told)
    assert any("goes on from an older snapshot" in one and "30" in one for one in told)


def test_without_a_good_one_it_is_the_first_row_again(tmp_path: Path) -> None:
    written(tmp_path, 30, ONE_SEGMENT)
    put(tmp_path, 10, 20)
    for seq in (10, 20):
        flip(path_at(tmp_path, seq), 100)
    with capture_logs() as said:
        began, _ = started(tmp_path)
    assert began == 0
    assert any("from the first row" in str(one) for one in said)


def test_without_a_good_one_and_the_first_rows_it_is_refused(tmp_path: Path) -> None:
    written(tmp_path, 90)
    kept(tmp_path, msgspec_replace(max_bytes=1))
    for _, path in SnapshotFolder(tmp_path).found():
        flip(path, 100)
    with pytest.raises(JournalError, match="no snapshot is good, and the rows up to 80 have been let go of"):
        Site(tmp_path)


def msgspec_replace(**changes: int):  # type: ignore[no-untyped-def]
    from dataclasses import replace

    return replace(PLAN, **changes)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"state_hash": 1}, "its state hash does not fit"),
        ({"state": b"PAIDUI\x1a\n and no more"}, "snapshot"),
        ({"chain": bytes(32)}, "belongs to another journal"),
    ],
    ids=["state hash", "state", "chain"],
)
def test_what_is_whole_and_wrong_is_not_used(tmp_path: Path, changes: dict[str, object], why: str) -> None:
    """Its bytes are as they were written; they are not this journal's state."""
    written(tmp_path, 40, ONE_SEGMENT)
    put(tmp_path, 20)
    SnapshotFolder(tmp_path).write(msgspec.structs.replace(snapshot_at(tmp_path, 30), **changes))
    with capture_logs() as said:
        began, _ = started(tmp_path)
    assert began == 20
    assert any(why in str(one) for one in said)


def test_the_state_of_another_batch_is_not_used(tmp_path: Path) -> None:
    written(tmp_path, 40, ONE_SEGMENT)
    other = snapshot_at(tmp_path, 25)
    made = msgspec.structs.replace(snapshot_at(tmp_path, 30), state=other.state)
    SnapshotFolder(tmp_path).write(made)
    assert started(tmp_path)[0] == 0


def test_a_snapshot_that_knows_more_than_the_journal_proves_a_loss(tmp_path: Path) -> None:
    written(tmp_path, 40, ONE_SEGMENT)
    ahead = snapshot_at(tmp_path, 40)
    other = tmp_path / "other"
    last = written(other, 20, ONE_SEGMENT)
    SnapshotFolder(other).write(ahead)
    with pytest.raises(JournalCut, match=rf"rows {last + 1}\.\.40 were durable and are gone") as caught:
        Site(other, ONE_SEGMENT)
    assert caught.value.seq == last + 1


def test_a_half_written_one_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, 30, ONE_SEGMENT)
    put(tmp_path, 10)
    made = snapshot_at(tmp_path, 20)

    def dies(path: Path, parts: Iterator[bytes]) -> None:
        path.with_name(path.name + UNFINISHED).write_bytes(b"".join(parts)[:100])
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("engine.journal.snapshots.write_whole", dies)
        with pytest.raises(KeyboardInterrupt):
            SnapshotFolder(tmp_path).write(made)
    assert [found.seq for found in SnapshotFolder(tmp_path).found()] == [10]
    with closing(Keeper(tmp_path, PLAN)):
        assert not list(tmp_path.glob(f"*{UNFINISHED}"))


# ----- one bit ------------------------------------------------------------------------------------


@pytest.mark.slow  # each region, bit by bit
def test_one_bit_anywhere_and_it_is_not_used(tmp_path: Path) -> None:
    """Magic word, length, header, state, tail and hash: every 7th byte, and every one of the first 300."""
    written(tmp_path, 30, ONE_SEGMENT)
    made = snapshot_at(tmp_path, 20)
    whole = b"".join(encode(made))
    path = path_at(tmp_path, 20)
    for at in sorted({*range(300), *range(0, len(whole), 7), *range(len(whole) - 40, len(whole))}):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :])
        with pytest.raises(SnapshotSpoilt, match="snapshot-000000000000020: "):
            read_snapshot(path)
        (found,) = SnapshotFolder(tmp_path).newest_first()
        assert isinstance(found, SnapshotSpoilt)
    path.write_bytes(whole)
    assert isinstance(next(SnapshotFolder(tmp_path).newest_first()), Snapshot)


@pytest.mark.parametrize("region", ["header", "state"])
def test_a_bit_in_a_region_is_named_by_verify_and_passed_over_by_a_start(
    tmp_path: Path, region: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from engine.cli import main

    written(tmp_path, 30, ONE_SEGMENT)
    put(tmp_path, 10, 20)
    flip(path_at(tmp_path, 20), 40 if region == "header" else 900)
    assert main(["journal", "verify", "--journal", str(tmp_path)]) == 1
    assert "snapshot-000000000000020: its hash does not fit; remove it" in capsys.readouterr().err
    assert started(tmp_path)[0] == 10


# ----- who writes them ------------------------------------------------------------------------------


def test_the_keeper_writes_one_when_enough_stands_behind_the_last(tmp_path: Path) -> None:
    with closing(Site(tmp_path, ONE_SEGMENT)) as site:
        site.steps(21)
        with closing(Keeper(tmp_path, PLAN)) as keeper:
            keeper.rest_until = float("-inf")
            assert site.seq == 25
            assert keeper.step()
            assert not keeper.step(), "nothing stands behind it"
            site.steps(24)
            keeper.rest_until = float("-inf")
            assert not keeper.step(), "24 commands are not 25"
            site.steps(1)
            assert keeper.step()
            assert [found.seq for found in SnapshotFolder(tmp_path).found()] == [50, 25]
    assert started(tmp_path)[0] == 50


def test_after_a_long_one_it_rests(tmp_path: Path) -> None:
    with closing(Site(tmp_path, ONE_SEGMENT)) as site:
        site.steps(30)
        with closing(Keeper(tmp_path, PLAN)) as keeper:
            assert keeper.step()
            keeper.rest_until = float("inf")
            site.steps(30)
            assert not keeper.step()


def test_two_keepers_do_not_look_after_one_journal(tmp_path: Path) -> None:
    written(tmp_path, 3, ONE_SEGMENT)
    with closing(Keeper(tmp_path, PLAN)), pytest.raises(JournalError, match="another process looks after"):
        Keeper(tmp_path, PLAN)


def test_a_follower_that_needs_the_state_alone_begins_there(tmp_path: Path) -> None:
    written(tmp_path, 40, ONE_SEGMENT)
    put(tmp_path, 30)
    _, seq, state = followed(tmp_path)
    assert followed(tmp_path, newest=True) == (30, seq, state)


def test_the_keeper_follows_while_the_journal_is_written(tmp_path: Path) -> None:
    """In another thread, as in another process: it never holds the writer's rows up, nor misses any."""
    stop, failed = threading.Event(), []

    def keep() -> None:
        try:
            with closing(Keeper(tmp_path, PLAN)) as keeper:
                while not stop.is_set():
                    keeper.rest_until = float("-inf")
                    keeper.step()
        except BaseException as error:
            failed.append(error)

    with closing(Site(tmp_path, SHORT)) as site:
        thread = threading.Thread(target=keep)
        thread.start()
        try:
            for _ in range(300):
                site.steps(1)
        finally:
            stop.set()
            thread.join()
        assert failed == []
        state, seq = site.router.state_hash(), site.seq
    with closing(Site(tmp_path, SHORT)) as site:
        assert site.began_behind > 0
    with closing(Follower(tmp_path, newest=True)) as follower:
        states = {batch.seq: follower.router.state_hash() for batch in follower.poll()}
        assert states.get(seq, state) == state


# ----- the running service ----------------------------------------------------------------------------


async def test_who_comes_back_after_a_start_from_a_snapshot(tmp_path: Path) -> None:
    """Events shortly before the snapshot are at hand; what is older is `too_old`."""
    journal = tmp_path / "data" / "journal"
    async with small_service(tmp_path) as service:
        await service.desk("ann").sign_in()
        for key in range(1, 30):
            command = model.Arrive(channel=1, key=key.to_bytes(16, "big"), queue=2)
            await service.command(command)
        before = service.seq
    with closing(Follower(journal)) as follower:
        hashes = {batch.seq: follower.router.state_hash() for batch in follower.poll()}
    with closing(Keeper(journal, PLAN)) as keeper:
        assert keeper.step()
        (found,) = SnapshotFolder(journal).found()
    whole = read_snapshot(found.path)
    cut = msgspec.structs.replace(whole, tail=whole.tail[10:], tail_behind=whole.tail[9][0])
    SnapshotFolder(journal).write(cut)
    async with small_service(tmp_path) as service:
        assert service.router.state_hash() != hashes[before], "`restarted` came"
        with service.subscribe(ForAll(), resume_from=cut.tail_behind) as subscription:
            assert await anext(aiter(subscription))
        with pytest.raises(TooOld):
            service.subscribe(ForAll(), resume_from=cut.tail_behind - 1)


def test_rows_are_read_over_the_border_of_what_was_let_go(tmp_path: Path) -> None:
    written(tmp_path, 90)
    kept(tmp_path, msgspec_replace(max_bytes=1))
    with closing(JournalReader(tmp_path)) as reader:
        rows: list[BatchRow] = list(reader.read())
        assert rows[0].seq == reader.oldest + 1
    structlog.reset_defaults()

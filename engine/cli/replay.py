"""`paidui replay`: the journal once more through this build, with every hash on the way compared."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import msgspec

from engine.cli.site_options import add_site_options, chosen_site
from engine.explain_story import Until, rows_until
from engine.follower import Following
from engine.journal import BatchRow, Diverged, JournalCorrupt, JournalCut, JournalError, JournalReader
from engine.journal.head import Head, read_head
from engine.journal.reader import HEAD
from engine.router import Intake


class Replayed(msgspec.Struct):
    """What a replay came to.

    Attributes:
        seq: the last batch.
        chain: of the rows, as the journal has it.
        events: the hash of the last batch's events.
        state: the router's hash behind it.
        divergence: what was found at `diverged_at`; "" = every hash was the same.
    """

    seq: int = 0
    batches: int = 0
    commands: int = 0
    events_count: int = 0
    chain: str = ""
    events: str = ""
    state: str = ""
    commands_per_s: int = 0
    divergence: str = ""
    diverged_at: int = 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `paidui replay`."""
    parser.add_argument("--until", type=int, metavar="SEQ", help="the last batch (default: all)")
    parser.add_argument("--journal", type=Path, metavar="FOLDER", help="a copy, instead of the site's own")
    parser.add_argument("--json", action="store_true", help="for a program to read")
    add_site_options(parser)


def run(options: argparse.Namespace) -> int:
    """Print the hashes, or the first divergence; 0 = the same as recorded. Nothing is written."""
    folder = options.journal or chosen_site(options).data / "journal"
    done = replayed(folder, options.until)
    if options.json:
        print(json.dumps(msgspec.to_builtins(done)))
    else:
        print("\n".join(_lines(done)))
    return 1 if done.divergence else 0


def replayed(folder: Path, until_seq: int | None = None) -> Replayed:
    """Replay a journal and compare all that it remembers of itself.

    Raises:
        JournalError: there is no journal, or none that this release reads.
    """
    # Before the rows: the head follows them, so what it says must be there.
    head = read_head(folder / HEAD)
    reader = JournalReader(folder)
    done, replay = Replayed(), None
    started = time.perf_counter()
    try:
        replay = Following(folder, reader)
        for row in rows_until(reader, Until(seq=until_seq)):
            _apply(done, replay, row)
            _check_head(head, row)
        durable = 0 if head is None else head.seq
        if done.seq < (durable if until_seq is None else min(durable, until_seq)):
            raise JournalCut(done.seq + 1, "rows that were durable are gone")
    except (JournalCorrupt, Diverged) as error:
        done.divergence, done.diverged_at = str(error), error.seq
    except JournalError as error:
        done.divergence, done.diverged_at = str(error), done.seq + 1
    finally:
        reader.close()
    done.commands_per_s = round(done.commands / max(time.perf_counter() - started, 1e-9))
    if replay is not None:
        done.events = replay.events_hash.hex()
        done.state = f"{replay.router.state_hash():016x}"
    return done


def _apply(done: Replayed, replay: Following, row: BatchRow) -> None:
    if replay.decides(row):
        _check_frames(row)
    batch = replay.apply(row)
    done.seq, done.chain = row.seq, row.chain.hex()
    done.batches += 1
    done.commands += batch.count
    done.events_count += batch.events_count


def _check_frames(row: BatchRow) -> None:
    """Refuse what the gateway would have refused: the core must never see it."""
    runs, refusals, _, fatal = Intake("admin").feed(row.frames)
    if refusals or fatal is not None:
        raise JournalCorrupt(row.seq, f"its commands cannot be read: {fatal or refusals[0][2]}")
    if (count := sum(count for _, _, count in runs)) != row.count:
        raise JournalCorrupt(row.seq, f"it holds {count} commands, {row.count} were recorded")


def _check_head(head: Head | None, row: BatchRow) -> None:
    if head is not None and head.seq == row.seq and head.chain != row.chain:
        raise JournalCorrupt(row.seq, "differs from what the head file remembers")


def _lines(done: Replayed) -> list[str]:
    lines = [
        f"batches     {done.batches}, up to {done.seq}",
        f"commands    {done.commands}, {done.commands_per_s:,} a second",
        f"events      {done.events_count}",
        f"chain       {done.chain}",
        f"events hash {done.events}",
        f"state hash  {done.state}",
    ]
    if done.divergence:
        return [*lines, f"DIVERGES at batch {done.diverged_at}: {done.divergence}"]
    return [*lines, "the same as recorded"]

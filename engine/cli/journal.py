"""`paidui journal`: verify, show, seal and repair the journal of a site."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from engine.cli.keeper import plan_of
from engine.cli.site_options import add_site_options, chosen_site
from engine.errors import Malformed
from engine.follower import FollowedBatch, Follower
from engine.journal import BatchRow, JournalError, JournalReader
from engine.journal.folder import lock_folder
from engine.journal.repair import cut, rebuild_head
from engine.keeper import Keeper
from engine.model import decode_body, split_frames
from engine.names import Names
from engine.replay import newest_state
from engine.router import decode_events
from engine.verify import verify

NAMED = ("agent", "queue", "channel", "skill", "reason", "target", "domain")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `paidui journal`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    check = actions.add_parser("verify", help="rows, head, event files and snapshots; also while it runs")
    show = actions.add_parser("show", help="batches and their commands, readable")
    show.add_argument("--from", dest="first", type=int, default=None, metavar="SEQ", help="the first batch")
    show.add_argument("--to", dest="last", type=int, default=None, metavar="SEQ", help="the last one")
    show.add_argument("--events", action="store_true", help="what they brought about, too (a replay)")
    show.add_argument("--json", action="store_true", help="one object a line, for a program to read")
    seal = actions.add_parser("seal", help="before a release with other rules: write the events down")
    mend = actions.add_parser("repair", help="go on with what is left of a damaged journal")
    way = mend.add_mutually_exclusive_group(required=True)
    way.add_argument("--rebuild-head", action="store_true", help="accept the rows that are there")
    way.add_argument("--cut-before", type=int, metavar="SEQ", help="the first row that is given up")
    mend.add_argument("--yes", action="store_true", help="do not ask")
    for each in (check, show, seal, mend):
        each.add_argument("--journal", type=Path, metavar="FOLDER", help="a copy, instead of the site's own")
        add_site_options(each)


def run(options: argparse.Namespace) -> int:
    """Do one of them; 1 = something is wrong."""
    return {"verify": _verify, "show": _show, "seal": _seal, "repair": _repair}[options.action](options)


def _folder(options: argparse.Namespace) -> Path:
    folder = options.journal or chosen_site(options).data / "journal"
    if not folder.is_dir():
        raise JournalError(f"{folder}: no such folder")
    return Path(folder)


def _verify(options: argparse.Namespace) -> int:
    folder = _folder(options)
    wrong = verify(folder, print, stopped=_is_stopped(folder))
    for error in wrong:
        print(f"WRONG  {error}", file=sys.stderr)
    print(f"{len(wrong)} of it damaged" if wrong else "nothing is damaged")
    return 1 if wrong else 0


def _is_stopped(folder: Path) -> bool:
    try:
        with lock_folder(folder):
            return True
    except JournalError:
        return False


def _show(options: argparse.Namespace) -> int:
    folder = _folder(options)
    with closing(JournalReader(folder)) as reader:
        first = max(options.first or 1, reader.oldest + 1)
        last = options.last if options.last is not None else first + 99 if options.first else None
        names = Names.decode(newest_state(reader).router.names())
        happened = _events(folder, first, last) if options.events else None
        for row in reader.read(first - 1):
            if last is not None and row.seq > last:
                break
            batch = next(happened) if happened is not None else None
            print("\n".join(_as_json(row, batch) if options.json else _as_text(row, batch, names)))
    return 0


def _events(folder: Path, first: int, last: int | None) -> Iterator[FollowedBatch]:
    with closing(Follower(folder)) as follower:
        for batch in follower.poll():
            if batch.seq >= first:
                yield batch
            if batch.seq == last:
                return


def _as_text(row: BatchRow, batch: FollowedBatch | None, names: Names) -> Iterator[str]:
    at = datetime.fromtimestamp(row.at / 1e6, UTC).isoformat(timespec="microseconds")
    yield f"batch {row.seq}  {at}  epoch {row.epoch}  {row.count} commands"
    for body in split_frames(row.frames):
        yield f"    {_said(body, names)}"
    for event in decode_events(batch.events) if batch is not None else ():
        yield f"      -> {_fields(event, names)}"


def _as_json(row: BatchRow, batch: FollowedBatch | None) -> Iterator[str]:
    shown: dict[str, object] = {
        "seq": row.seq,
        "at_us": row.at,
        "epoch": row.epoch,
        "commands": [_plain(decode_body(body)) for body in split_frames(row.frames)],
        "chain": row.chain.hex(),
    }
    if batch is not None:
        shown["events"] = [_plain(event) for event in decode_events(batch.events)]
    yield json.dumps(shown)


def _said(body: bytes, names: Names) -> str:
    try:
        return _fields(decode_body(body), names)
    except Malformed as error:
        return f"(cannot be read: {error})"


def _fields(message: msgspec.Struct, names: Names) -> str:
    """A message with its fields that say something; numbers of what has a name, by name."""
    said = []
    for field in msgspec.structs.fields(type(message)):
        value = getattr(message, field.name)
        if value == field.default or value in (0, b"", (), None):
            continue
        if field.name in NAMED and isinstance(value, int):
            said.append(f"{field.name}={names.name(field.name, value)}")
        elif isinstance(value, bytes):
            said.append(f"{field.name}={value.hex()}")
        elif isinstance(value, msgspec.Struct):
            said.append(f"{field.name}=...")
        else:
            said.append(f"{field.name}={value!r}")
    return " ".join([type(message).__name__, *said])


def _plain(message: msgspec.Struct) -> dict[str, object]:
    fields = msgspec.to_builtins(msgspec.structs.asdict(message), builtin_types=(bytes,))
    return {"kind": type(message).__name__, **{name: _hex(value) for name, value in fields.items()}}


def _hex(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list):
        return [_hex(one) for one in value]
    return {name: _hex(one) for name, one in value.items()} if isinstance(value, dict) else value


def _seal(options: argparse.Namespace) -> int:
    site = chosen_site(options)
    folder = options.journal or site.data / "journal"
    with lock_folder(folder), closing(Keeper(folder, plan_of(site))) as keeper:
        sealed = keeper.seal(newest=True)
    print("sealed: the events of every batch are written down" if sealed else "it was sealed before")
    return 0


def _repair(options: argparse.Namespace) -> int:
    folder = _folder(options)
    with lock_folder(folder):
        if not options.yes and not _confirmed(folder, options.cut_before):
            print("nothing was changed")
            return 1
        done = rebuild_head(folder) if options.rebuild_head else cut(folder, options.cut_before)
    print(done)
    return 0


def _confirmed(folder: Path, before_seq: int | None) -> bool:
    what = (
        "rows that the head remembers and the journal has no more"
        if before_seq is None
        else (f"every row from {before_seq} on")
    )
    print(f"{folder}: {what} will be given up, with the contacts and states in them.")
    print("A copy that was taken before is better: `paidui restore`. Type yes to go on: ", end="", flush=True)
    return sys.stdin.readline().strip() == "yes"

"""A copy of one moment of a site, taken while it runs, and a site made of such a copy.

The store first, then the journal, in this order: what the store knows of a contact was journaled before
(a contact's number is written into its conversation only after the journal has given it). So a journal that
is copied later knows every contact that the copied store speaks of. The other way round the store would
speak of contacts that the copied journal has yet to give, and would give to others. An arrival between the
two moments is in the journal alone: when its customer sends again, the same key gives the same contact, and
the conversation is made anew.

The two moments are two read transactions, begun one right after the other; what is copied then takes its
time. Segments that are followed by another, attachments and keys do not change; snapshots are taken as far
as the journal reaches.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from hashlib import blake2b
from pathlib import Path, PurePosixPath

import apsw
import msgspec

from engine.attachments import INCOMING
from engine.config import SiteConfig, load_site, read_site
from engine.errors import ConfigError, PaiduiError
from engine.journal import JournalError, JournalReader, Last
from engine.journal.events import SUFFIX as EVENTS
from engine.journal.files import sync_folder, write_whole
from engine.journal.head import Head, HeadFile
from engine.journal.reader import HEAD
from engine.journal.segment import path_of
from engine.journal.snapshots import SnapshotFolder
from engine.replay import newest_state
from engine.verify import verify

FORMAT = 1
MANIFEST = "manifest.json"
CONFIG = "site.toml"
DATA = "data"
JOURNAL = "journal"
STORE = "store.sqlite"
REBUILT = ("stats.duckdb",)
"""What is made again from the journal, and files whose names begin so."""
PART_BYTES = 1024 * 1024

ELSEWHERE = (
    "store.url: the store is a PostgreSQL, which its own pg_dump copies. Copy it first, because a store "
    "that is newer than the journal speaks of contacts that the journal would give to others; then say "
    "--without-store"
)
HERE = "--without-store: the store is a file in the data folder, and is copied with the rest; leave it out"

Say = Callable[[str], None]


class BackupError(PaiduiError):
    """A copy cannot be taken, or is not what was taken; the text names the file."""


class CopiedFile(msgspec.Struct, frozen=True):
    """One file of a copy."""

    path: str
    bytes: int
    blake2b: str


class Manifest(msgspec.Struct, frozen=True):
    """What a copy holds.

    Attributes:
        seq: the journal's last batch in it; `chain` is its row's.
        last_contact: the last contact that the journal has given.
        digest: over everything else in here.
    """

    format: int
    site: str
    rules: int
    seq: int
    chain: str
    last_contact: int
    files: tuple[CopiedFile, ...]
    digest: str = ""


def back_up(site: SiteConfig, config: Path, dest: Path, say: Say, *, without_store: bool = False) -> Manifest:
    """Copy a site, which may run meanwhile.

    Args:
        site: its configuration.
        config: the file that it was read from.
        dest: a folder that is empty or not there yet.
        say: is told what was done.
        without_store: the store is a PostgreSQL, and was copied just before.

    Raises:
        BackupError: the folder is not empty, or there is nothing to copy.
        JournalError: the journal cannot be read.
    """
    if site.store.is_elsewhere != without_store:
        raise BackupError(ELSEWHERE if site.store.is_elsewhere else HERE)
    if dest.exists() and (not dest.is_dir() or any(dest.iterdir())):
        raise BackupError(f"{dest}: is not empty; name a folder that is, or that does not exist yet")
    data = dest / DATA
    try:
        (data / JOURNAL).mkdir(mode=0o700, parents=True)
        dest.chmod(0o700)
        last, rules = _copy_databases(site.data, data)
        copied = [
            *_copy_journal_files(site.data / JOURNAL, data / JOURNAL, last),
            *_copy_rest(site.data, data),
        ]
        shutil.copyfile(config, dest / CONFIG)
        with closing(JournalReader(data / JOURNAL)) as reader:
            state = newest_state(reader)
            for row in reader.read(state.seq):
                state.apply(row)
        _drop_side_files(data)
        files = tuple(_described(dest, path) for path in _files_in(dest))
        manifest = Manifest(
            FORMAT, site.name, rules, last.seq, last.chain.hex(), state.router.next_contact - 1, files
        )
        _make_durable(dest)
        write_whole(dest / MANIFEST, [_encoded(manifest)])
    except (OSError, apsw.Error) as error:
        raise BackupError(f"{dest}: the copy is not complete: {error}") from error
    say(f"{len(files)} files, {sum(one.bytes for one in files)} bytes, {len(copied)} beside the databases")
    say(f"the journal up to batch {last.seq}, contacts up to {manifest.last_contact}")
    return manifest


def _copy_databases(source: Path, dest: Path) -> tuple[Last, int]:
    """Copy store and journal as of two moments, one right after the other."""
    with ExitStack() as open_ones:
        store = _pinned(open_ones, source / STORE) if (source / STORE).exists() else None
        reader = open_ones.enter_context(closing(JournalReader(source / JOURNAL)))
        headers = reader.segments()
        newest = _pinned(open_ones, path_of(source / JOURNAL, headers[-1].number))
        if store is not None:
            _copy_database(store, dest / STORE)
        for header in headers[:-1]:
            path = path_of(source / JOURNAL, header.number)
            try:
                with ExitStack() as one:
                    _copy_database(_pinned(one, path), path_of(dest / JOURNAL, header.number))
            except apsw.CantOpenError as error:
                raise JournalError(f"{path}: was let go of meanwhile; take the copy again") from error
        _copy_database(newest, path_of(dest / JOURNAL, headers[-1].number))
    with closing(JournalReader(dest / JOURNAL)) as copy:
        last = copy.last()
    head = HeadFile(dest / JOURNAL / HEAD)
    head.write(Head(last.seq, last.chain))
    head.close()
    return last, headers[-1].rules


def _pinned(open_ones: ExitStack, path: Path) -> apsw.Connection:
    """A connection that from now on sees the database as it is at this moment."""
    db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    open_ones.callback(db.close)
    db.set_busy_timeout(5_000)
    db.execute("BEGIN")
    db.execute("SELECT count(*) FROM sqlite_schema").fetchall()
    return db


def _copy_database(source: apsw.Connection, path: Path) -> None:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    with closing(apsw.Connection(str(path))) as copy:
        with copy.backup("main", source, "main") as copying:
            while not copying.done:
                copying.step(1_000)
        # One file without a log beside it; the writer turns it on again.
        copy.pragma("journal_mode", "delete")
        if (found := copy.pragma("quick_check")) != "ok":
            raise BackupError(f"{path.name}: is damaged where it was copied from: {found}")


def _copy_journal_files(source: Path, dest: Path, last: Last) -> Iterator[Path]:
    """Snapshots up to the last row, and event files; what is spoilt is left out, it would not be used."""
    known = {found.path.name for found in SnapshotFolder(source).found() if found.seq <= last.seq}
    for path in sorted(source.iterdir()):
        of_ours = path.name.endswith(EVENTS) and path_of(dest, int(path.stem)).exists()
        if path.name in known or of_ours:
            try:
                shutil.copyfile(path, dest / path.name)
            except FileNotFoundError:
                continue  # an older one that is not kept any more
            yield path


def _copy_rest(source: Path, dest: Path) -> Iterator[Path]:
    """Everything else that is a file: keys, attachments, what supervisors have opened and closed."""
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source)
        if name.parts[0] == JOURNAL or name.parts[0].startswith((STORE, *REBUILT)) or path.is_symlink():
            continue
        if path.is_dir():
            (dest / name).mkdir(mode=0o700, parents=True, exist_ok=True)
            continue
        if name.name.startswith(INCOMING):
            continue  # on its way: nothing speaks of it yet
        try:
            if stat.S_ISREG(path.stat().st_mode):
                (dest / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                shutil.copy2(path, dest / name)
                yield path
        except FileNotFoundError:
            continue  # an erased customer's: it is not to come back


def _drop_side_files(data: Path) -> None:
    for path in data.rglob("*"):
        if path.name.endswith(("-wal", "-shm")):
            path.unlink()


# ----- restoring ------------------------------------------------------------------------------------


def restore(source: Path, config: Path, say: Say) -> SiteConfig:
    """Make a site of a copy; every byte is checked before anything is where a site would look.

    Args:
        source: the copy's folder.
        config: the site's configuration; written from the copy where it does not exist.
        say: is told what was done.

    Raises:
        BackupError: the copy is not what was taken, or of another site.
        ConfigError: the data folder is not empty.
    """
    manifest = read_manifest(source)
    check_files(source, manifest)
    say(f"{len(manifest.files)} files are as they were copied")
    site = load_site(config) if config.exists() else _with_data_beside(config, source)
    if site.name != manifest.site:
        raise BackupError(f"site.name: the copy is of {manifest.site!r}, {config} is of {site.name!r}")
    if site.data.exists() and any(site.data.iterdir()):
        raise ConfigError([f"site.data: {site.data} is not empty; move it away, nothing is overwritten"])
    beside = site.data.with_name(site.data.name + ".restoring")
    if beside.exists():
        raise BackupError(f"{beside}: is left of an earlier restore; remove it first")
    try:
        shutil.copytree(source / DATA, beside, copy_function=shutil.copy2)
        check_files(beside.parent, manifest, beside.name)
        check_moment(beside, manifest, say)
        _make_durable(beside)
        if not config.exists():
            write_whole(config, [(source / CONFIG).read_bytes()], 0o640)
        beside.rename(site.data)
        sync_folder(site.data.parent)
    except OSError as error:
        raise BackupError(f"{site.data}: cannot be restored: {error}") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return site


def _with_data_beside(config: Path, source: Path) -> SiteConfig:
    """The copied configuration, as it will be read where it goes."""
    return read_site((source / CONFIG).read_text("utf-8"), config.resolve().parent)


def read_manifest(source: Path) -> Manifest:
    """Read what a copy says that it holds.

    Raises:
        BackupError: it is none, or not what was written.
    """
    path = source / MANIFEST
    if not path.exists():
        raise BackupError(f"{path}: is missing; the copy was not finished, or this is none")
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except msgspec.MsgspecError as error:
        raise BackupError(f"{path}: is not what was written: {error}") from error
    if manifest.digest != _digest_of(manifest):
        raise BackupError(f"{path}: is not what was written: its digest does not fit")
    if manifest.format != FORMAT:
        raise BackupError(f"{path}: has format {manifest.format}, this release reads {FORMAT}")
    return manifest


def check_files(folder: Path, manifest: Manifest, data_name: str = DATA) -> None:
    """Hold every file of a copy against the manifest.

    Raises:
        BackupError: naming the first that is missing, another one, or not in it.
    """
    wanted = {one.path: one for one in manifest.files}
    for path, one in wanted.items():
        pure = PurePosixPath(path)
        if pure.is_absolute() or ".." in pure.parts:
            raise BackupError(f"{path}: leads out of the copy")
        if data_name != DATA:
            if pure.parts[0] != DATA:
                continue
            pure = PurePosixPath(data_name, *pure.parts[1:])
        found = folder / pure
        if not found.is_file() or found.is_symlink():
            raise BackupError(f"{path}: is missing from the copy")
        if found.stat().st_size != one.bytes or _hash(found) != one.blake2b:
            raise BackupError(f"{path}: is not what was copied")
    if data_name == DATA:
        extra = {path.relative_to(folder).as_posix() for path in _files_in(folder)} - {*wanted, MANIFEST}
        if extra:
            raise BackupError(f"{min(extra)}: is not part of the copy; remove it")


def check_moment(data: Path, manifest: Manifest, say: Say) -> None:
    """Check a copy's journal from its first row on, and that the store is of no later moment.

    Raises:
        BackupError: they do not belong together.
        JournalError: the journal is damaged.
    """
    if wrong := verify(data / JOURNAL, say, stopped=True):
        raise wrong[0]
    with closing(JournalReader(data / JOURNAL)) as reader:
        last = reader.last()
    if (last.seq, last.chain.hex()) != (manifest.seq, manifest.chain):
        raise BackupError(f"the journal ends with batch {last.seq}, {manifest.seq} were copied")
    if not (data / STORE).exists():
        say("the store is not in the copy: restore the one that was copied just before, then start")
        _drop_side_files(data)
        return
    highest = _highest_contact(data / STORE)
    if highest > manifest.last_contact:
        raise BackupError(
            f"the store speaks of contact {highest}, the journal of {manifest.last_contact} at most: "
            "they are not of one moment"
        )
    say(f"store and journal are of one moment: contacts up to {highest} and {manifest.last_contact}")
    _drop_side_files(data)


def _highest_contact(store: Path) -> int:
    with closing(apsw.Connection(str(store), flags=apsw.SQLITE_OPEN_READONLY)) as db:
        rows = db.execute("SELECT max(contact) FROM conversations WHERE contact IS NOT NULL").fetchall()
        return int(str(rows[0][0] or 0))


# ----- files ------------------------------------------------------------------------------------------


def _files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _described(folder: Path, path: Path) -> CopiedFile:
    return CopiedFile(path.relative_to(folder).as_posix(), path.stat().st_size, _hash(path))


def _hash(path: Path) -> str:
    digest = blake2b(digest_size=32)
    with path.open("rb") as file:
        while part := file.read(PART_BYTES):
            digest.update(part)
    return digest.hexdigest()


def _digest_of(manifest: Manifest) -> str:
    bare = msgspec.structs.replace(manifest, digest="")
    return blake2b(msgspec.json.encode(bare), digest_size=32).hexdigest()


def _encoded(manifest: Manifest) -> bytes:
    whole = msgspec.structs.replace(manifest, digest=_digest_of(manifest))
    return msgspec.json.format(msgspec.json.encode(whole))


def _make_durable(folder: Path) -> None:
    for path in [*folder.rglob("*"), folder]:
        file = os.open(path, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)

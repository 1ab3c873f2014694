"""A disk that loses power: what may be left of what `disk.c` has recorded.

The model keeps less than any real disk would. Of what a file was given after its last sync, any part
may be there: pages of 4 KiB, torn ones down to the sector, truncations, the length without the data.
A name is certain only when its folder was synced. A sync that failed has promised nothing, and no
later one makes good for it: the system believes the pages to be clean. What the shared memory of
SQLite's WAL index held is gone, and at times garbage is there instead.
"""

from __future__ import annotations

import os
import random
import shutil
import struct
import subprocess
from collections.abc import Iterable, Iterator
from enum import IntEnum
from itertools import compress
from pathlib import Path
from typing import NamedTuple

PAGE = 4_096
SECTOR = 512
RECORD = struct.Struct("<IiQQII")
SHARED_MEMORY = "-shm"
LANDING = (0.0, 0.1, 0.5, 0.9, 1.0)
"""How much of what was not synced has reached the disk; one of them holds for a whole power cut."""


class Kind(IntEnum):
    """What was asked of the disk, as in disk.c."""

    CREATE = 1
    WRITE = 2
    TRUNCATE = 3
    SYNC = 4
    SYNC_FOLDER = 5
    UNLINK = 6
    RENAME = 7
    MAKE_FOLDER = 8


class Asked(NamedTuple):
    """One record: `offset` is the new length of a truncation, `data` the new name of a renaming."""

    kind: Kind
    error: int
    inode: int
    offset: int
    path: str
    data: bytes


def compiled(folder: Path) -> Path:
    """Build the library into `folder` and return its path."""
    library = folder / "disk.so"
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
    assert compiler is not None
    source = Path(__file__).with_name("disk.c")
    command = [
        compiler,
        "-O1",
        "-Wall",
        "-Werror",
        "-shared",
        "-fPIC",
        "-o",
        library,
        source,
        "-ldl",
        "-lpthread",
    ]
    subprocess.run(command, check=True)
    return library


def read_log(path: Path) -> list[Asked]:
    """Return everything that the disk was asked for, in order."""
    return list(_records(path.read_bytes()))


def _records(log: bytes) -> Iterator[Asked]:
    at = 0
    while at < len(log):
        kind, error, inode, offset, path_bytes, data_bytes = RECORD.unpack_from(log, at)
        at += RECORD.size
        data_at = at + path_bytes
        path = log[at:data_at].decode()
        at = data_at + data_bytes
        yield Asked(Kind(kind), error, inode, offset, path, log[data_at:at])


class File:
    """What the disk has of one file, and what it may have or not."""

    def __init__(self) -> None:
        self.certain = bytearray()
        self.unsynced: list[Asked] = []

    def sync(self) -> None:
        """Everything so far is there for good."""
        for asked in self.unsynced:
            self.apply(asked)
        self.unsynced.clear()

    def settle(self, rng: random.Random, landing: float) -> None:
        """Let chance decide what of the unsynced is there, for good."""
        for asked in self.unsynced:
            for piece in _pieces(asked, rng):
                if rng.random() < landing:
                    self.apply(piece)
        self.unsynced.clear()

    def apply(self, asked: Asked) -> None:
        """Carry out one write or truncation."""
        end = asked.offset + len(asked.data)
        if asked.kind is Kind.TRUNCATE:
            del self.certain[end:]
        self.certain.extend(bytes(max(0, end - len(self.certain))))
        self.certain[asked.offset : end] = asked.data


def _pieces(asked: Asked, rng: random.Random) -> Iterator[Asked]:
    """Cut a write where a disk may; now and then the file has grown by it and the data are missing."""
    if asked.kind is Kind.TRUNCATE:
        yield asked
        return
    if rng.random() < 0.1:
        yield asked._replace(offset=asked.offset + len(asked.data), data=b"")
    at, end = asked.offset, asked.offset + len(asked.data)
    while at < end:
        unit = SECTOR if rng.random() < 0.3 else PAGE
        stop = min(end, at - at % unit + unit)
        yield asked._replace(offset=at, data=asked.data[at - asked.offset : stop - asked.offset])
        at = stop


FOLDER = File()
"""Stands for a folder among a disk's names."""


class Disk:
    """A folder's files by inode, and its names: the certain ones, and what was done to them since."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._landing = rng.choice(LANDING)
        self._files: list[File] = []
        self._by_inode: dict[int, File] = {}
        self._folders: set[str] = set()
        self._names: dict[str, File | None] = {}
        self._unsynced_names: list[tuple[str, File | None]] = []

    def take(self, all_asked: Iterable[Asked]) -> Disk:
        """Receive what was asked, in order."""
        for asked in all_asked:
            self._take(asked)
        return self

    def _take(self, asked: Asked) -> None:
        match asked.kind:
            case Kind.CREATE:
                # A new one even if the number is known: removed files' numbers are given again.
                file = self._by_inode[asked.inode] = File()
                self._files.append(file)
                self._unsynced_names.append((asked.path, file))
            case Kind.WRITE if asked.error:
                pass
            case Kind.WRITE | Kind.TRUNCATE:
                self._by_inode[asked.inode].unsynced.append(asked)
            case Kind.SYNC if asked.error:
                self._by_inode[asked.inode].settle(self._rng, self._landing)
            case Kind.SYNC:
                self._by_inode[asked.inode].sync()
            case Kind.SYNC_FOLDER if not asked.error:
                here = [_is_in(name, asked.path) for name, _ in self._unsynced_names]
                self._names.update(compress(self._unsynced_names, here))
                self._unsynced_names = [
                    one for one, known in zip(self._unsynced_names, here, strict=True) if not known
                ]
            case Kind.MAKE_FOLDER:
                self._folders.add(asked.path)
                self._unsynced_names.append((asked.path, FOLDER))
            case Kind.UNLINK:
                self._unsynced_names.append((asked.path, None))
            case Kind.RENAME:
                file_or_none = dict([*self._names.items(), *self._unsynced_names])[asked.path]
                self._unsynced_names += [(asked.data.decode(), file_or_none), (asked.path, None)]

    def cut(self, folder: Path) -> None:
        """Write into `folder` what is left when the power fails now; the disk ends with it."""
        for name, file in self._unsynced_names:
            if self._rng.random() < self._landing:
                self._names[name] = file
        for each in self._files:
            each.settle(self._rng, self._landing)
        self._write(folder)
        for name in self._names:
            if name.endswith(SHARED_MEMORY) and self._leads_to(name) and self._rng.random() < 0.5:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(self._rng.randbytes(32_768))

    def write_whole(self, folder: Path) -> None:
        """Write into `folder` what it looks like while the power is on."""
        self._names.update(self._unsynced_names)
        for file in self._files:
            file.sync()
        self._write(folder)

    def _write(self, folder: Path) -> None:
        for name, file in self._names.items():
            path = folder / name
            if not self._leads_to(name) or file is None:
                continue
            if file is FOLDER:
                path.mkdir(parents=True, exist_ok=True)
            elif not name.endswith(SHARED_MEMORY):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(file.certain)

    def _leads_to(self, name: str) -> bool:
        """Whether every folder on the way is there; those from before the record are."""
        above = {str(one) for one in Path(name).parents} & self._folders
        return all(self._names.get(one) is FOLDER for one in above)


def _is_in(name: str, folder: str) -> bool:
    return str(Path(name).parent) == (folder or ".")

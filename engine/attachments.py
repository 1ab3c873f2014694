"""Attachments: files named by the SHA-256 of their bytes, and rows in the store that speak of them.

A file is complete and on the disk before its row is: what was acknowledged is there. A crash in between
leaves a file that nobody speaks of; `sweep` removes it. The same bytes are kept once, however often they
come.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import time
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO, Final

import trio

from engine.errors import Malformed, PaiduiError
from engine.store import Store
from engine.store.attachments import PUBLIC_ID_BYTES, Attachment

MAX_BYTES: Final = 20 << 20
MAX_NAME: Final = 255
CHUNK: Final = 1 << 16
UNKNOWN_TYPE: Final = "application/octet-stream"
UNFINISHED_S: Final = 3_600
"""So long after its last byte an upload that was not finished is nobody's any more."""
SWEPT_AT_ONCE: Final = 200
_SIGNATURES: Final = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), "image/webp"),
)
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_INCOMING: Final = "incoming-"

MayRead = Callable[[int], Awaitable[bool]]
"""Whether who asks may read a conversation, by its number in the store."""


class NoSuchAttachment(PaiduiError):
    """There is none, or it is not for whoever asks: the answer is the same."""

    def __init__(self) -> None:
        """Says nothing about why."""
        super().__init__("attachment: there is none of this id")


class AttachmentDamaged(PaiduiError):
    """The file is gone or other than it was; the text names it."""


class Attachments:
    """Takes attachments in and gives them out.

    Args:
        folder: where the files are, `attachments` in the data folder; several edges share it.
        store: where the rows are.
        max_bytes: of one attachment.
    """

    def __init__(self, folder: Path, store: Store, *, max_bytes: int = MAX_BYTES) -> None:
        self._folder = folder
        self._store = store
        self._max_bytes = max_bytes

    async def put(
        self,
        conversation: int,
        content: AsyncIterable[bytes],
        file_name: str,
        *,
        message: int | None = None,
        public_id: str | None = None,
    ) -> Attachment:
        """Take an attachment in; it is durable when this returns.

        Args:
            conversation: whose, by its number in the store.
            content: its bytes, in pieces of any size.
            file_name: what the sender calls it; shown, never opened.
            message: the message that it came with.
            public_id: the sender's own random id, so that a repeat is the same attachment.

        Raises:
            Malformed: it is empty, too large, its name is a path, or there is no such conversation.
        """
        _check_name(file_name)
        await trio.to_thread.run_sync(partial(self._folder.mkdir, 0o700, parents=True, exist_ok=True))
        draft = self._folder / f"{_INCOMING}{secrets.token_hex(16)}"
        try:
            digest, size, head = await self._write(draft, content)
            row = Attachment(
                public_id=public_id or secrets.token_urlsafe(PUBLIC_ID_BYTES),
                conversation=conversation,
                message=message,
                sha256=digest,
                size_bytes=size,
                media_type=media_type(head),
                file_name=file_name,
                at_ms=0,
            )
            return await self._store.add_attachment(row, partial(self._place, draft, digest))
        finally:
            with trio.CancelScope(shield=True):
                await trio.to_thread.run_sync(partial(draft.unlink, missing_ok=True))

    async def get(self, public_id: str, may_read: MayRead) -> tuple[Attachment, AsyncIterator[bytes]]:
        """Return an attachment and its bytes, for who may read its conversation.

        What is damaged is not served to its end: the last piece comes when the hash of all is right. Who
        stops reading early closes the iterator (`contextlib.aclosing`).

        Raises:
            NoSuchAttachment: there is none, or it is not for whoever asks.
            AttachmentDamaged: its file is gone; or, from the iterator, it is other than it was.
        """
        row = await self._store.attachment(public_id)
        if row is None or not await may_read(row.conversation):
            raise NoSuchAttachment
        try:
            file = await trio.to_thread.run_sync(_open, self._folder / row.sha256)
        except FileNotFoundError:
            raise AttachmentDamaged(f"attachments/{row.sha256}: it is gone; restore it from a copy") from None
        return row, _read(file, row.sha256)

    async def sweep(self, only: Iterable[str] | None = None) -> int:
        """Remove files that no row speaks of, and uploads that ended in their midst.

        Args:
            only: look at these files alone, by hash.

        Returns:
            How many.
        """
        found = await trio.to_thread.run_sync(self._unfinished_and_files) if only is None else list(only)
        spoken_of = await self._store.attached_files() if only is None else set()
        swept = 0
        candidates = sorted(set(found) - spoken_of)
        for start in range(0, len(candidates), SWEPT_AT_ONCE):
            some = candidates[start : start + SWEPT_AT_ONCE]
            swept += await self._store.remove_unattached(some, self._remove)
        return swept

    async def _write(self, draft: Path, content: AsyncIterable[bytes]) -> tuple[str, int, bytes]:
        """Write the draft to the disk; return its hash, its size and its first bytes."""
        digest, size, head = hashlib.sha256(), 0, b""
        handle = await trio.to_thread.run_sync(os.open, draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            async for piece in content:
                size += len(piece)
                if size > self._max_bytes:
                    raise Malformed(f"attachment: expected {self._max_bytes} bytes or less")
                head = (head + piece[:16])[:16]
                digest.update(piece)
                await trio.to_thread.run_sync(file.write, piece)
            if not size:
                raise Malformed("attachment: expected 1 byte or more, got none")
            await trio.to_thread.run_sync(_to_disk, file)
        return digest.hexdigest(), size, head

    def _place(self, draft: Path, digest: str) -> None:
        """Give the draft its name; called again it finds it there. The draft stays until all is done."""
        with suppress(FileExistsError):
            (self._folder / digest).hardlink_to(draft)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _unfinished_and_files(self) -> list[str]:
        """The hashes of all files; drafts that nobody writes any more are removed by the way."""
        if not self._folder.exists():
            return []
        long_ago = time.time() - UNFINISHED_S
        files = []
        for path in self._folder.iterdir():
            if _HASH.fullmatch(path.name):
                files.append(path.name)
            elif path.name.startswith(_INCOMING):
                with suppress(FileNotFoundError):
                    if path.stat().st_mtime < long_ago:
                        path.unlink()
        return files

    def _remove(self, digest: str) -> None:
        (self._folder / digest).unlink(missing_ok=True)


def media_type(head: bytes) -> str:
    """Return what the first 16 bytes say it is; whatever else it claims to be is not asked."""
    return next((name for pattern, name in _SIGNATURES if pattern.match(head)), UNKNOWN_TYPE)


def headers(attachment: Attachment) -> dict[str, str]:
    """Return the headers with which a browser gets it: only known images are shown in place."""
    shown = attachment.media_type != UNKNOWN_TYPE
    return {
        "Content-Type": attachment.media_type,
        "Content-Length": str(attachment.size_bytes),
        "Content-Disposition": "inline" if shown else "attachment",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }


def _check_name(name: str) -> None:
    wrong = (
        not 1 <= len(name) <= MAX_NAME
        or not name.strip(". ")
        or any(c in "/\\" or not c.isprintable() for c in name)
    )
    if wrong:
        raise Malformed(f"file_name: expected 1..{MAX_NAME} printable characters without / and \\")


def _to_disk(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _open(path: Path) -> IO[bytes]:
    return path.open("rb")


async def _read(file: IO[bytes], expected: str) -> AsyncIterator[bytes]:
    digest, held = hashlib.sha256(), b""
    with file:
        while piece := await trio.to_thread.run_sync(file.read, CHUNK):
            digest.update(piece)
            if held:
                yield held
            held = piece
    if digest.hexdigest() != expected:
        raise AttachmentDamaged(f"attachments/{expected}: it is not what it was; restore it from a copy")
    yield held

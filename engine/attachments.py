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
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Sequence,
)
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, Final, NamedTuple

import msgspec
import trio

from engine.channel_attachments import (
    AttachmentDamaged,
    NewAttachment,
    NoSuchAttachment,
    check_attachments,
)
from engine.errors import Malformed
from engine.file_types import HEAD_BYTES, check_name, declared_type, media_type
from engine.message_store import Attachment, AttachmentRows

MAX_BYTES: Final = 20 << 20
CHUNK: Final = 1 << 16
PUBLIC_ID_BYTES: Final = 16
UNFINISHED_S: Final = 3_600
"""So long after its last byte an upload that was not finished is nobody's any more."""
SWEPT_AT_ONCE: Final = 200
_HASH: Final = re.compile(r"[0-9a-f]{64}")
INCOMING: Final = "incoming-"
"""So begins the name of a file that is not whole yet, and may be gone in a moment."""

MayRead = Callable[[int], Awaitable[bool]]
"""Whether who asks may read a conversation, by its number in the store."""


class Drafts(NamedTuple):
    """Files that are on the disk, under no name of theirs yet.

    Attributes:
        rows: what is known of them.
        place: gives them their names; may be called several times. For `MessageStore.add_message`.
    """

    rows: Sequence[Attachment]
    place: Callable[[], None]


NO_FILES: Final = Drafts((), lambda: None)


class Attachments:
    """Takes attachments in and gives them out.

    Args:
        folder: where the files are, `attachments` in the data folder; several edges share it.
        store: where the rows are.
        max_bytes: of one attachment; 0 = none are taken.
    """

    def __init__(self, folder: Path, store: AttachmentRows, *, max_bytes: int = MAX_BYTES) -> None:
        self._folder = folder
        self._store = store
        self.max_bytes = max_bytes

    @asynccontextmanager
    async def drafted(
        self, news: Sequence[NewAttachment], max_bytes: int | None = None
    ) -> AsyncIterator[Drafts]:
        """Have the files of a message on the disk in this block, for whoever stores the message there.

        Args:
            news: what comes with it.
            max_bytes: of one file, where that is less than everybody may send.

        Raises:
            Malformed: there are too many; one is empty, too large, its name is a path, its type is none.
        """
        most = self.max_bytes if max_bytes is None else min(max_bytes, self.max_bytes)
        check_attachments(news, most)
        for new in news:
            check_name(new.file_name)
        if not news:
            yield NO_FILES
            return
        await trio.to_thread.run_sync(partial(self._folder.mkdir, 0o700, parents=True, exist_ok=True))
        async with AsyncExitStack() as stack:
            drafts = []
            for new in news:
                draft = self._folder / f"{INCOMING}{secrets.token_hex(16)}"
                stack.push_async_callback(_remove_draft, draft)
                drafts.append((draft, await self._draft(draft, new, most)))
            yield Drafts([row for _, row in drafts], partial(self._place_all, drafts))

    async def put(
        self,
        conversation: int,
        content: AsyncIterable[bytes],
        file_name: str,
        *,
        message: int | None = None,
        public_id: str | None = None,
    ) -> Attachment:
        """Take a single attachment in; it is durable when this returns.

        Args:
            conversation: whose, by its number in the store.
            content: its bytes, in pieces of any size.
            file_name: what the sender calls it; shown, never opened.
            message: the message that it came with.
            public_id: the sender's own random id, so that a repeat is the same attachment.

        Raises:
            Malformed: it is empty, too large, its name is a path, or there is no such conversation.
        """
        async with self.drafted([NewAttachment(file_name, content)]) as drafts:
            (row,) = drafts.rows
            own = {"conversation": conversation, "message": message}
            row = msgspec.structs.replace(row, **own, public_id=public_id or row.public_id)
            return await self._store.add_attachment(row, drafts.place)

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

    async def _draft(self, draft: Path, new: NewAttachment, most: int) -> Attachment:
        """Write a file to the disk; return what is known of it."""
        declared = declared_type(new.media_type)
        digest, size, head = hashlib.sha256(), 0, b""
        handle = await trio.to_thread.run_sync(os.open, draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        content = _pieces(new.content)
        with os.fdopen(handle, "wb") as file:
            async with aclosing(content):
                async for piece in content:
                    size += len(piece)
                    if size > most:
                        raise Malformed(f"attachment: expected {most} bytes or less")
                    head = (head + piece[:HEAD_BYTES])[:HEAD_BYTES]
                    digest.update(piece)
                    await trio.to_thread.run_sync(file.write, piece)
            if not size:
                raise Malformed("attachment: expected 1 byte or more, got none")
            await trio.to_thread.run_sync(_to_disk, file)
        return Attachment(
            public_id=secrets.token_urlsafe(PUBLIC_ID_BYTES),
            conversation=0,
            message=None,
            sha256=digest.hexdigest(),
            size_bytes=size,
            media_type=media_type(head, declared),
            file_name=new.file_name,
            at_ms=0,
        )

    def _place_all(self, drafts: Sequence[tuple[Path, Attachment]]) -> None:
        """Give drafts their names; called again it finds them there. The drafts stay until all is done."""
        for draft, row in drafts:
            with suppress(FileExistsError):
                (self._folder / row.sha256).hardlink_to(draft)
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
            elif path.name.startswith(INCOMING):
                with suppress(FileNotFoundError):
                    if path.stat().st_mtime < long_ago:
                        path.unlink()
        return files

    def _remove(self, digest: str) -> None:
        (self._folder / digest).unlink(missing_ok=True)


async def _remove_draft(draft: Path) -> None:
    with trio.CancelScope(shield=True):
        await trio.to_thread.run_sync(partial(draft.unlink, missing_ok=True))


async def _pieces(content: bytes | AsyncIterable[bytes]) -> AsyncGenerator[bytes]:
    if isinstance(content, bytes):
        await trio.lowlevel.checkpoint()
        yield content
        return
    try:
        async for piece in content:
            yield piece
    finally:
        if isinstance(content, AsyncGenerator):
            await content.aclose()


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

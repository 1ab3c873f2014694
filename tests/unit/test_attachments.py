"""Attachments: whole and durable or not there, once per content, for who may read the conversation."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from functools import partial
from pathlib import Path

import pytest
import trio
import trio.testing
from sqlalchemy import URL

from engine.attachments import Attachments
from engine.channel_attachments import AttachmentDamaged, NewAttachment, NoSuchAttachment
from engine.errors import Malformed
from engine.file_types import headers, media_type
from engine.store import Attachment, Message, Store

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


async def pieces(content: bytes, size: int = 10) -> AsyncGenerator[bytes]:
    for start in range(0, len(content), size):
        await trio.lowlevel.checkpoint()
        yield content[start : start + size]


async def everybody(conversation: int) -> bool:
    await trio.lowlevel.checkpoint()
    return True


@pytest.fixture
async def store(where: Path | URL) -> AsyncIterator[Store]:
    async with Store(where, now_ms=lambda: 1_000) as store:
        yield store


@pytest.fixture
async def conversation(store: Store) -> int:
    return (await store.conversation_for("webchat", "1", queue="cards")).id


@pytest.fixture
def attachments(store: Store, tmp_path: Path) -> Attachments:
    return Attachments(tmp_path / "attachments", store, max_bytes=200_000)


def files(tmp_path: Path) -> list[str]:
    folder = tmp_path / "attachments"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


async def take(served: AsyncIterator[bytes], got: list[bytes]) -> None:
    async for piece in served:
        got.append(piece)


async def read(attachments: Attachments, public_id: str) -> bytes:
    _, content = await attachments.get(public_id, everybody)
    return b"".join([piece async for piece in content])


async def test_what_was_put_in_is_got_out(
    attachments: Attachments, conversation: int, tmp_path: Path
) -> None:
    content = PNG + os.urandom(150_000)
    made = await attachments.put(conversation, pieces(content, 7_000), "护照.png")
    assert (made.sha256, made.size_bytes) == (hashlib.sha256(content).hexdigest(), len(content))
    assert (made.media_type, made.file_name, made.at_ms) == ("image/png", "护照.png", 1_000)
    assert files(tmp_path) == [made.sha256]
    assert (tmp_path / "attachments" / made.sha256).stat().st_mode & 0o777 == 0o600
    assert await read(attachments, made.public_id) == content
    assert headers(made)["Content-Disposition"] == "inline; filename*=UTF-8''%E6%8A%A4%E7%85%A7.png"


async def test_the_same_bytes_are_kept_once(
    attachments: Attachments, store: Store, conversation: int, tmp_path: Path
) -> None:
    async with trio.open_nursery() as nursery:
        for number in range(5):
            nursery.start_soon(attachments.put, conversation, pieces(PNG), f"{number}.png")
    found = await store.attachments(conversation)
    assert len({one.public_id for one in found}) == 5
    assert files(tmp_path) == [hashlib.sha256(PNG).hexdigest()]


async def test_a_repeat_by_its_own_id_is_the_same_attachment(
    attachments: Attachments, store: Store, conversation: int, tmp_path: Path
) -> None:
    first = await attachments.put(conversation, pieces(PNG), "a.png", public_id="random-1")
    again = await attachments.put(conversation, pieces(b"other"), "b.png", public_id="random-1")
    assert again == first
    assert await store.attachments(conversation) == [first]
    assert files(tmp_path) == [first.sha256], "what the repeat brought is nobody's"


@pytest.mark.parametrize(
    ("content", "name", "fault"),
    [
        (b"x" * 200_001, "a", "attachment: expected 200000 bytes or less"),
        (b"", "a", "attachment: expected 1 byte or more"),
        (b"x", "../../etc/passwd", "file_name: expected 1..255 printable characters without /"),
        (b"x", "..", "file_name"),
        (b"x", "a\\b", "file_name"),
        (b"x", "a\nb", "file_name"),
        (b"x", "", "file_name"),
        (b"x", "\u202egpj.exe", "file_name"),
        (b"x", "y" * 256, "file_name"),
    ],
)
async def test_what_is_refused_leaves_nothing(
    attachments: Attachments,
    store: Store,
    conversation: int,
    tmp_path: Path,
    content: bytes,
    name: str,
    fault: str,
) -> None:
    async with aclosing(pieces(content, 5_000)) as given:
        with pytest.raises(Malformed, match=fault):
            await attachments.put(conversation, given, name)
    assert files(tmp_path) == []
    assert await store.attachments(conversation) == []


async def test_no_conversation_and_another_s_message_are_refused(
    attachments: Attachments, store: Store, conversation: int, tmp_path: Path
) -> None:
    other = await store.conversation_for("webchat", "2", queue="cards")
    message = await store.add_message(other.id, "customer", "x", "m-1")
    with pytest.raises(Malformed, match="conversation: there is no 99"):
        await attachments.put(99, pieces(PNG), "a.png")
    with pytest.raises(Malformed, match=f"message: there is no {message.id} in conversation {conversation}"):
        await attachments.put(conversation, pieces(PNG), "a.png", message=message.id)
    assert files(tmp_path) == []
    made = await attachments.put(other.id, pieces(PNG), "a.png", message=message.id)
    assert made.message == message.id


async def test_an_upload_that_breaks_off_leaves_nothing(
    attachments: Attachments, conversation: int, tmp_path: Path
) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield PNG
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await attachments.put(conversation, broken(), "a.png")

    async def endless() -> AsyncIterator[bytes]:
        yield PNG
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(attachments.put, conversation, endless(), "a.png")
        await trio.testing.wait_all_tasks_blocked()
        while not files(tmp_path):
            await trio.sleep(0.01)
        nursery.cancel_scope.cancel()
    assert files(tmp_path) == []


async def test_the_answer_is_the_same_for_another_s_and_for_none(
    attachments: Attachments, conversation: int
) -> None:
    made = await attachments.put(conversation, pieces(PNG), "a.png")
    asked = []

    async def nobody(of: int) -> bool:
        await trio.lowlevel.checkpoint()
        asked.append(of)
        return False

    told = []
    for public_id in (made.public_id, "guess"):
        with pytest.raises(NoSuchAttachment) as error:
            await attachments.get(public_id, nobody)
        told.append(str(error.value))
    assert told[0] == told[1]
    assert asked == [conversation]


@pytest.mark.parametrize("size", [100, 100_000])
async def test_a_damaged_file_is_not_served_to_its_end(
    attachments: Attachments, conversation: int, tmp_path: Path, size: int
) -> None:
    content = os.urandom(size)
    made = await attachments.put(conversation, pieces(content, 5_000), "a.bin")
    path = tmp_path / "attachments" / made.sha256
    damaged = bytearray(content)
    damaged[size // 2] ^= 1
    path.write_bytes(damaged)
    _, served = await attachments.get(made.public_id, everybody)
    got: list[bytes] = []
    with pytest.raises(AttachmentDamaged, match=f"attachments/{made.sha256}: it is not what it was"):
        await take(served, got)
    assert len(b"".join(got)) < size
    path.unlink()
    with pytest.raises(AttachmentDamaged, match="it is gone; restore it"):
        await attachments.get(made.public_id, everybody)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"GIF87a", "image/gif"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x10\x00\x00\nWEBPVP8 ", "image/webp"),
        (b"RIFF\x10\x00\x00\x00WAVEfmt ", "application/octet-stream"),
        (b"<svg xmlns='http", "application/octet-stream"),
        (b"<html><script>", "application/octet-stream"),
        (b"%PDF-1.7", "application/octet-stream"),
        (b" \x89PNG\r\n\x1a\n", "application/octet-stream"),
        (b"GIF8", "application/octet-stream"),
    ],
)
def test_the_type_is_what_the_first_bytes_say(head: bytes, kind: str) -> None:
    assert media_type(head[:16]) == kind
    row = Attachment("p", 1, None, "0" * 64, 1, kind, 'a".html', 0)
    shown = headers(row)
    assert shown["X-Content-Type-Options"] == "nosniff"
    assert shown["Content-Type"] == kind
    where = "inline" if kind.startswith("image/") else "attachment"
    assert shown["Content-Disposition"] == f"{where}; filename*=UTF-8''a%22.html"


@pytest.mark.parametrize(
    ("head", "declared", "kind"),
    [
        (PNG, "text/html", "image/png"),
        (b"%PDF-1.7", "application/pdf", "application/pdf"),
        (b"<script>", "image/png", "application/octet-stream"),
        (b"<svg>", "image/svg+xml", "image/svg+xml"),
        (b"<script>", "text/html", "text/html"),
    ],
)
def test_what_a_sender_declares_is_shown_to_nobody(head: bytes, declared: str, kind: str) -> None:
    assert media_type(head, declared) == kind
    served = headers(Attachment("p", 1, None, "0" * 64, 1, kind, "a", 0))
    is_image = kind == "image/png"
    assert served["Content-Type"] == (kind if is_image else "application/octet-stream")
    assert served["Content-Disposition"].startswith("inline" if is_image else "attachment")


async def message_of(
    store: Store, attachments: Attachments, conversation: int, *news: NewAttachment
) -> Message:
    async with attachments.drafted(news) as drafts:
        return await store.add_message(
            conversation, "customer", "", "m-1", attachments=drafts.rows, place_files=drafts.place
        )


async def test_a_message_and_its_files_are_stored_together_and_once(
    attachments: Attachments, store: Store, conversation: int, tmp_path: Path
) -> None:
    news = [NewAttachment("a.png", PNG), NewAttachment("b.pdf", pieces(b"%PDF-1.7"), "Application/PDF; x=1")]
    message = await message_of(store, attachments, conversation, *news)
    assert [(one.file_name, one.media_type, one.message) for one in message.attachments] == [
        ("a.png", "image/png", message.id),
        ("b.pdf", "application/pdf", message.id),
    ]
    assert (await store.messages(conversation)) == [message]
    assert await store.attachments(conversation) == list(message.attachments)
    again = await message_of(store, attachments, conversation, NewAttachment("other.png", PNG + b"other"))
    assert again == message, "a repeat is what it was, whatever it brings"
    assert files(tmp_path) == sorted(one.sha256 for one in message.attachments)
    assert (
        b"".join([await read(attachments, one.public_id) for one in message.attachments]) == PNG + b"%PDF-1.7"
    )
    await store.attach_contact(conversation, 7)
    preview = (await store.previews([7]))[7]
    assert (preview.first, preview.last_position) == ("a.png", 1), "a card names the file that came"


@pytest.mark.parametrize(
    ("news", "fault"),
    [
        ([NewAttachment("a", b"x" * 200_001)], "attachment: expected 200000 bytes or less"),
        ([NewAttachment("a", b"x"), NewAttachment("b", b"")], "attachment: expected 1 byte or more"),
        ([NewAttachment("a", b"x"), NewAttachment("b/c", b"x")], "file_name"),
        ([NewAttachment("a", b"x", "a picture")], "media_type: expected a type"),
        ([NewAttachment("a", b"x")] * 11, "attachments: expected at most 10"),
    ],
)
async def test_one_bad_file_and_nothing_is_stored(
    attachments: Attachments,
    store: Store,
    conversation: int,
    tmp_path: Path,
    news: list[NewAttachment],
    fault: str,
) -> None:
    with pytest.raises(Malformed, match=fault):
        await message_of(store, attachments, conversation, *news)
    assert await store.messages(conversation) == []
    assert files(tmp_path) == []


async def test_a_message_whose_rows_fail_leaves_nothing_to_see(
    attachments: Attachments, store: Store, conversation: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.store.attachments.IN_CONVERSATION", 2)
    for number in range(3):
        async with attachments.drafted([NewAttachment("a.png", PNG)]) as drafts:
            add = partial(store.add_message, attachments=drafts.rows, place_files=drafts.place)
            if number < 2:
                await add(conversation, "customer", "", f"m-{number}")
            else:
                with pytest.raises(Malformed, match="attachments: expected at most 2 in a conversation"):
                    await add(conversation, "customer", "", f"m-{number}")
    assert len(await store.messages(conversation)) == 2
    with pytest.raises(Malformed, match="text: expected 1"):
        await store.add_message(conversation, "customer", "", "m-9")


async def test_a_site_may_take_none(store: Store, tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="attachments: none are taken here"):
        async with Attachments(tmp_path, store, max_bytes=0).drafted([NewAttachment("a", b"x")]):
            pass


async def test_files_that_nobody_speaks_of_are_swept(
    attachments: Attachments, conversation: int, tmp_path: Path
) -> None:
    made = await attachments.put(conversation, pieces(PNG), "a.png")
    folder = tmp_path / "attachments"
    for number in range(450):
        (folder / f"{number:064x}").write_bytes(b"orphan")
    (folder / "incoming-old").write_bytes(b"half")
    os.utime(folder / "incoming-old", (0, 0))
    (folder / "incoming-now").write_bytes(b"half")
    (folder / "notes.txt").write_bytes(b"somebody's own")
    assert await attachments.sweep() == 450
    assert files(tmp_path) == sorted([made.sha256, "incoming-now", "notes.txt"])


async def test_a_sweep_never_takes_what_is_being_put(where: Path | URL, tmp_path: Path) -> None:
    """The same bytes come and are swept over and over, by two edges: whoever was acknowledged can read."""
    async with Store(where) as one, Store(where) as two:
        conversation = (await one.conversation_for("webchat", "1", queue="cards")).id
        here, there = (Attachments(tmp_path / "attachments", store) for store in (one, two))
        done = False

        async def sweep() -> None:
            while not done:
                await there.sweep()
                await there.sweep([hashlib.sha256(PNG).hexdigest()])

        async with trio.open_nursery() as nursery:
            nursery.start_soon(sweep)
            for number in range(15):
                await here.put(conversation, pieces(PNG), f"{number}.png")
                for attachment in await one.attachments(conversation):
                    assert await read(there, attachment.public_id) == PNG
                await one._transact(_forget_rows)
            done = True


def _forget_rows(connection: object) -> None:
    from sqlalchemy import delete

    from engine.store.schema import attachments

    connection.execute(delete(attachments))  # type: ignore[attr-defined]

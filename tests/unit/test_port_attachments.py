"""Files through the port: in with a message, out with an effect, within limits, to the right channel."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
import trio.testing

from engine.channel import Capabilities, MessageOut, NewAttachment, NoSuchAttachment
from engine.errors import Malformed, UnknownContact
from engine.port import ServicePort
from engine.port_limits import AT_ONCE
from engine.service import Service
from engine.store import Store
from engine.testing.fixtures import SMALL_SITE, small_service
from tests.unit.test_overflow import NO_TOKENS
from tests.unit.test_port_effects import take

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
LIMIT = 1_000


@asynccontextmanager
async def ports(
    folder: Path, *, takes: int = LIMIT, text: str = SMALL_SITE
) -> AsyncIterator[tuple[Service, ServicePort, ServicePort]]:
    """A site with a real store, and two hosted channels that take files."""
    async with (
        Store(folder / "store.sqlite") as store,
        small_service(folder, store=store, text=text) as service,
    ):
        made = []
        for channel in ("chat", "voice"):
            port = ServicePort(service, service.site.channels[channel], NO_TOKENS, NO_TOKENS)  # type: ignore[arg-type]
            port.adopt(Capabilities(max_attachment_bytes=takes))
            await port.resume()
            made.append(port)
        yield service, *made  # type: ignore[misc]


async def engaged(service: Service, port: ServicePort, name: str = "one") -> int:
    ann = service.desk("ann")
    await ann.sign_in()
    contact = (await port.arrive(name, queue="cards")).contact
    await ann.accept(ann.state().offers[0].offer)
    return contact


async def read(port: ServicePort, contact: int, file: str) -> bytes:
    _, content = await port.attachment(contact, file)
    return b"".join([piece async for piece in content])


async def test_in_with_a_message_and_read_again(tmp_path: Path) -> None:
    async with ports(tmp_path) as (_, chat, voice):
        contact = (await chat.arrive("one", queue="cards")).contact
        news = [NewAttachment("a.png", PNG), NewAttachment("b.pdf", b"%PDF", "application/pdf")]
        first = await chat.message(contact, "both", "m1", attachments=news)
        assert [(one.file_name, one.media_type, one.is_shown) for one in first.attachments] == [
            ("a.png", "image/png", True),
            ("b.pdf", "application/pdf", False),
        ]
        assert await chat.message(contact, "other words", "m1", attachments=news[:1]) == first
        assert await chat.message(contact, "other words", "m1") == first
        assert list(await chat.history(contact)) == [first]
        picture = first.attachments[0]
        assert await read(chat, contact, picture.id) == PNG
        other = (await chat.arrive("two", queue="cards")).contact
        for port, of, file in (
            (chat, other, picture.id),
            (voice, contact, picture.id),
            (chat, contact, "no-such"),
            (chat, 999, picture.id),
        ):
            with pytest.raises(NoSuchAttachment):
                await port.attachment(of, file)


async def test_an_agents_files_are_part_of_the_effect_and_come_again_after_a_restart(tmp_path: Path) -> None:
    async with ports(tmp_path) as (service, chat, _):
        contact = await engaged(service, chat)
        ann = service.desk("ann")
        new = NewAttachment("offer.pdf", b"%PDF")
        await ann.say(contact, "", "a1", attachments=[new])
        await ann.say(contact, "", "a1", attachments=[new])
        await ann.say(contact, "that is it", "a2")
        found = [one for one in await take(chat, 5) if isinstance(one, MessageOut)]
        assert [(one.text, [file.file_name for file in one.attachments]) for one in found] == [
            ("", ["offer.pdf"]),
            ("that is it", []),
        ]
    async with ports(tmp_path) as (_, chat, _):
        again = [one for one in await take(chat, 5) if isinstance(one, MessageOut)]
        assert again == found
        assert await read(chat, contact, again[0].attachments[0].id) == b"%PDF"


@pytest.mark.parametrize(
    ("new", "fault"),
    [
        (NewAttachment("a", b"x" * (LIMIT + 1)), f"attachment: expected {LIMIT} bytes or less"),
        (NewAttachment("a/b", b"x"), "file_name: expected"),
        (NewAttachment("a", b""), "attachment: expected 1 byte or more"),
        (NewAttachment("a", b"x", "nonsense"), "media_type: expected"),
    ],
)
async def test_what_is_wrong_is_named_either_way(tmp_path: Path, new: NewAttachment, fault: str) -> None:
    async with ports(tmp_path) as (service, chat, _):
        contact = await engaged(service, chat)
        with pytest.raises(Malformed, match=fault):
            await chat.message(contact, "text", "m1", attachments=[new])
        with pytest.raises(Malformed, match=fault):
            await service.desk("ann").say(contact, "text", "a1", attachments=[new])
        with pytest.raises(Malformed, match="text: expected 1"):
            await chat.message(contact, "", "m2")
        with pytest.raises(UnknownContact):
            await chat.message(999, "", "m1", attachments=[NewAttachment("a", b"x")])
        assert list(await chat.history(contact)) == []
        assert list((service.site.data / "attachments").iterdir()) == []


@pytest.mark.parametrize(("takes", "site_mb"), [(0, 20), (LIMIT, 0)])
async def test_a_channel_or_a_site_without_files(tmp_path: Path, takes: int, site_mb: int) -> None:
    text = f"{SMALL_SITE}\n[store]\nattachment_mb = {site_mb}\n"
    async with ports(tmp_path, takes=takes, text=text) as (service, chat, _):
        assert chat.max_attachment_bytes == 0
        contact = await engaged(service, chat)
        new = NewAttachment("a", b"x")
        with pytest.raises(Malformed, match="attachments: none are taken here"):
            await chat.message(contact, "", "m1", attachments=[new])
        with pytest.raises(Malformed, match="attachments: none are taken here"):
            await service.desk("ann").say(contact, "", "a1", attachments=[new])


async def test_the_smaller_limit_holds(tmp_path: Path) -> None:
    text = f"{SMALL_SITE}\n[store]\nattachment_mb = 1\n"
    async with ports(tmp_path, takes=5 << 20, text=text) as (_, chat, _):
        assert chat.max_attachment_bytes == 1 << 20


async def test_slow_files_keep_no_other_call_waiting(tmp_path: Path) -> None:
    """More of them than calls are carried out together, and none comes to its end."""
    finish = trio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"x"
        await finish.wait()

    async with ports(tmp_path) as (_, chat, _):
        contact = (await chat.arrive("one", queue="cards")).contact

        async def send(number: int) -> None:
            await chat.message(contact, "", f"f{number}", attachments=[NewAttachment("a", slow())])

        async with trio.open_nursery() as nursery:
            for number in range(AT_ONCE + 1):
                nursery.start_soon(send, number)
            await trio.testing.wait_all_tasks_blocked(0.05)
            with trio.fail_after(5):
                assert (await chat.message(contact, "meanwhile", "m1")).position == 1
            finish.set()
        assert len(await chat.history(contact)) == AT_ONCE + 2


async def test_who_gives_up_in_the_midst_leaves_nothing(tmp_path: Path) -> None:
    async with ports(tmp_path) as (service, chat, _):
        contact = (await chat.arrive("one", queue="cards")).contact

        async def breaks() -> AsyncIterator[bytes]:
            yield b"x"
            raise OSError("the line is gone")

        with pytest.raises(OSError, match="the line is gone"):
            await chat.message(contact, "", "m1", attachments=[NewAttachment("a", breaks())])
        with trio.move_on_after(0.05):
            await chat.message(contact, "", "m1", attachments=[NewAttachment("a", _never())])
        assert list((service.site.data / "attachments").iterdir()) == []
        assert list(await chat.history(contact)) == []


async def _never() -> AsyncIterator[bytes]:
    yield b"x"
    await trio.sleep_forever()

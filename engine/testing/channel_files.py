"""The check of the channel kit for channels that take files."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeAlias

from engine.channel import NewAttachment
from engine.testing.channel_checks import engaged, messages
from engine.testing.kit_site import ChannelDriver, CustomerFiles, KitSite
from engine.testing.rules import require_same

File: TypeAlias = tuple[str, bytes]
NAME, OTHERS_NAME = "护照 1.png", "offer & terms.pdf"
CONTENT = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
OTHERS_CONTENT = b"%PDF-1.7 " + bytes(reversed(range(256))) * 40


async def files_reach_the_other_side(site: KitSite, driver: ChannelDriver, files: CustomerFiles) -> None:
    """Each way, with their names and bytes, however often they are delivered."""
    contact = await engaged(site, driver, "one")
    for _ in range(2):
        await files.sends("one", NAME, CONTENT, "f1")
    _require_files("what the agent gets", [(NAME, CONTENT)], await _of_customer(site, contact))
    for name, content in ((OTHERS_NAME, OTHERS_CONTENT), (NAME, CONTENT)):
        for _ in range(2):
            new = NewAttachment(name, content)
            await site.ann.say(contact, "", name, attachments=[new])
    expected = [(OTHERS_NAME, OTHERS_CONTENT), (NAME, CONTENT)]
    _require_files("what 'one' gets", expected, await files.seen("one", len(expected)))


def _require_files(what: str, expected: Sequence[File], seen: Sequence[File]) -> None:
    require_same(what, [_told(one) for one in expected], [_told(one) for one in seen], "carries_files")


def _told(file: File) -> str:
    name, content = file
    return f"{name} ({len(content)} bytes, sha256 {hashlib.sha256(content).hexdigest()[:8]})"


async def _of_customer(site: KitSite, contact: int) -> list[File]:
    conversations = site.service.conversations
    assert conversations is not None
    found = []
    for message in await messages(site, contact):
        for file in message.attachments if message.sender == "customer" else ():
            _, content = await conversations.attachment(contact, file.public_id)
            found.append((file.file_name, b"".join([piece async for piece in content])))
    return found

"""A channel's way to files: those that come with its customers' messages, and those of its conversations."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager

from engine.attachments import Drafts
from engine.channel import AttachedFile, Capabilities, NewAttachment, StoredMessage
from engine.conversations import Conversations
from engine.message_store import Attachment, Message


class PortFiles:
    """What one channel may do with files.

    Args:
        conversations: of the running service.
        channel: the channel's name.
    """

    def __init__(self, conversations: Conversations, channel: str) -> None:
        self._conversations = conversations
        self._channel = channel

    def adopt(self, capabilities: Capabilities) -> None:
        """Take the channel's own limit, which agents' files to its customers are held to as well."""
        self._conversations.takes[self._channel] = capabilities.max_attachment_bytes

    @property
    def max_bytes(self) -> int:
        """The largest file either way; 0 = none are taken."""
        return self._conversations.takes_bytes(self._channel)

    def drafted(self, news: Sequence[NewAttachment]) -> AbstractAsyncContextManager[Drafts]:
        """Have the files of a customer's message on the disk in this block."""
        return self._conversations.attachments.drafted(news, self.max_bytes)

    async def read(self, contact: int, attachment_id: str) -> tuple[AttachedFile, AsyncIterator[bytes]]:
        """Return a file of a contact's conversation, and its bytes."""
        row, content = await self._conversations.attachment(contact, attachment_id, self._channel)
        return _attached(row), content


def attached_files(message: Message) -> tuple[AttachedFile, ...]:
    """Return what of a message's files a channel sees."""
    return tuple(_attached(one) for one in message.attachments)


def stored(message: Message) -> StoredMessage:
    """Return what of a message a channel sees."""
    return StoredMessage(
        message.id,
        message.position,
        message.sender,
        message.external_id,
        message.text,
        message.at,
        attached_files(message),
    )


def _attached(row: Attachment) -> AttachedFile:
    return AttachedFile(row.public_id, row.file_name, row.media_type, row.size_bytes)

"""The files of chats: a customer's comes in by HTTP and is a message; all go out to their own customer."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Final

import structlog
import trio

from channels.webchat import protocol
from channels.webchat.chats import Chat, Chats
from channels.webchat.failures import NotTaken, admit, busy, malformed, over
from channels.webchat.limits import Buckets
from channels.webchat.options import Options
from engine.channel import (
    AttachedFile,
    AttachmentDamaged,
    NewAttachment,
    NoSuchAttachment,
    Port,
    StoredMessage,
)
from engine.errors import BadToken, Busy, Malformed, UnknownContact

AT_ONCE: Final = 32
"""Files that all customers of a channel may be sending together; one more is told to try again."""
AT_ONCE_EACH: Final = 2
FETCHED_PER_MINUTE: Final = 600
FETCHED_AT_ONCE: Final = 200
"""As many as a conversation has: a page that is opened again asks for all of its pictures."""
AGAIN_MS: Final = 2_000
SEND_WITHIN_S: Final = 600.0
_ID: Final = re.compile(protocol.ID)
_log: Final = structlog.get_logger(__name__)


class ChatFiles:
    """Takes files from customers' pages and gives them out.

    Args:
        options: the channel's options.
        port: the way to the engine.
        chats: the chats that are open.
    """

    def __init__(self, options: Options, port: Port, chats: Chats) -> None:
        self._port = port
        self._chats = chats
        self._sent = Buckets(options.files_per_minute, options.files_per_minute / 2)
        self._fetched = Buckets(FETCHED_PER_MINUTE, FETCHED_AT_ONCE)
        self._sending: Counter[str] = Counter()

    @property
    def max_bytes(self) -> int:
        """The largest file; 0 = none are taken."""
        return self._port.max_attachment_bytes

    def chat_of(self, token: str, chat: str) -> Chat:
        """Return a visitor's own chat, which a page of his has open.

        Raises:
            NotTaken: it is not his, or is not open.
        """
        try:
            visitor = self._port.verify(token)
        except BadToken:
            raise NotTaken(protocol.Failure(code="bad_token", text="say hello for a new token")) from None
        found = self._chats.of(visitor, chat)
        if found is None:
            raise NotTaken(protocol.Failure(code="no_chat", text="start the chat first", field="chat"))
        return found

    async def take(
        self, chat: Chat, external_id: str, name: str, media_type: str, content: AsyncIterable[bytes]
    ) -> StoredMessage:
        """Store a customer's file as a message of its own; a repeat of `external_id` is the same message.

        Args:
            chat: the customer's chat.
            external_id: the page's random id for the message.
            name: the file's.
            media_type: what the browser says it is.
            content: its bytes.

        Raises:
            NotTaken: too often, too large, too slow, the engine is busy, or the chat is over.
        """
        if not _ID.fullmatch(external_id):
            raise NotTaken(
                protocol.Failure(
                    code="malformed",
                    text="external_id: expected 8..64 of A-Z a-z 0-9 _ -",
                    field="external_id",
                )
            )
        admit(self._sent, chat.visitor, "files", external_id)
        if chat.is_over:
            raise NotTaken(over(external_id))
        with self._turn(chat.visitor, external_id), trio.move_on_after(SEND_WITHIN_S):
            try:
                new = NewAttachment(name, content, media_type)
                return await self._port.message(chat.contact, "", external_id, attachments=[new])
            except UnknownContact:
                raise NotTaken(over(external_id)) from None
            except Busy as error:
                raise NotTaken(busy(error, external_id)) from None
            except Malformed as error:
                raise NotTaken(malformed(error, external_id)) from None
        raise NotTaken(
            protocol.Failure(code="too_slow", text="the file took too long", external_id=external_id)
        )

    async def give(self, chat: Chat, file: str) -> tuple[AttachedFile, AsyncIterator[bytes]]:
        """Return a file of a chat and its bytes.

        Raises:
            NotTaken: the chat has none of this id, it is damaged, or too many are asked for.
        """
        admit(self._fetched, chat.visitor, "files")
        try:
            return await self._port.attachment(chat.contact, file)
        except NoSuchAttachment:
            raise NotTaken(protocol.Failure(code="no_file", text="there is no such file here")) from None
        except AttachmentDamaged as error:
            _log.error("a file cannot be given out", contact=chat.contact, why=str(error))
            raise NotTaken(protocol.Failure(code="damaged", text="the file cannot be read")) from None

    @contextmanager
    def _turn(self, visitor: str, external_id: str) -> Iterator[None]:
        if self._sending.total() >= AT_ONCE or self._sending[visitor] >= AT_ONCE_EACH:
            raise NotTaken(
                protocol.Failure(
                    code="busy",
                    text="too many files are on their way",
                    external_id=external_id,
                    retry_after_ms=AGAIN_MS,
                )
            )
        self._sending[visitor] += 1
        try:
            yield
        finally:
            self._sending[visitor] -= 1
            if not self._sending[visitor]:
                del self._sending[visitor]

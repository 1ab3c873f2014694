"""Files that come with messages, as a channel hands them in and gets them; part of the contract.

`engine.channel`, the contract, gives all of it.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Sequence
from typing import Final

import msgspec

from engine.errors import Malformed, PaiduiError
from engine.file_types import SHOWN_TYPES

__all__ = [
    "IN_MESSAGE",
    "AttachedFile",
    "AttachmentDamaged",
    "NewAttachment",
    "NoSuchAttachment",
    "check_attachments",
]

IN_MESSAGE: Final = 10
"""The most files of one message."""


class NoSuchAttachment(PaiduiError):
    """There is none, or it is not for whoever asks: the answer is the same."""

    def __init__(self) -> None:
        """Says nothing about why."""
        super().__init__("attachment: there is none of this id")


class AttachmentDamaged(PaiduiError):
    """The file is gone or other than it was; the text names it."""


class NewAttachment(msgspec.Struct, frozen=True):
    """A file that comes with a message.

    Attributes:
        file_name: what its sender calls it, 1..255 characters, no path; shown, never opened.
        content: its bytes: all, or in pieces of any size as they come.
        media_type: what its sender says it is, "" = nothing; what its first bytes say holds.
    """

    file_name: str
    content: bytes | AsyncIterable[bytes]
    media_type: str = ""


class AttachedFile(msgspec.Struct, frozen=True):
    """A stored file.

    Attributes:
        id: random; safe to show to the conversation's own customer.
        file_name: what its sender calls it; any printable characters, never a path.
        media_type: by its first bytes where they tell (PNG, JPEG, GIF, WebP), else what its sender said,
            else "application/octet-stream".
    """

    id: str
    file_name: str
    media_type: str
    size_bytes: int

    @property
    def is_shown(self) -> bool:
        """Whether it is a picture that a page may show in place; whatever else is a download."""
        return self.media_type in SHOWN_TYPES


def check_attachments(news: Sequence[NewAttachment], most_bytes: int) -> None:
    """Refuse what need not be read to be refused.

    Args:
        news: what comes with one message.
        most_bytes: of one file; 0 = none are taken.

    Raises:
        Malformed: names the field.
    """
    if news and not most_bytes:
        raise Malformed("attachments: none are taken here")
    if len(news) > IN_MESSAGE:
        raise Malformed(f"attachments: expected at most {IN_MESSAGE} with a message, got {len(news)}")

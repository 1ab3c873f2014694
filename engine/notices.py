"""Notices: what the bus carries besides events; ids only, never a text, never journaled."""

from __future__ import annotations

import msgspec


class MessageNotice(msgspec.Struct, frozen=True):
    """A message was stored; readers fetch it from the store.

    Attributes:
        seq: the last batch before it.
        channel: the contact's channel, its number.
        agents: who serves the contact, then who is in it beside; nobody while it waits.
        sender: "customer", "agent" or "system".
        position: the message's place in its conversation.
    """

    seq: int
    contact: int
    channel: int
    agents: tuple[int, ...]
    sender: str
    conversation: int
    message_id: int
    position: int


class TypingNotice(msgspec.Struct, frozen=True):
    """Somebody is typing, or has stopped; `agents` and `sender` as in `MessageNotice`."""

    contact: int
    channel: int
    agents: tuple[int, ...]
    sender: str
    on: bool


Notice = MessageNotice | TypingNotice
NOTICE_BYTES = 256
"""What a notice counts for in a bounded queue."""

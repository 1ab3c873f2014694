"""Notices as frames between core and edge, and back."""

from __future__ import annotations

import msgspec

from engine.messages.between import MessageTold, TypingTold
from engine.notices import MessageNotice, Notice, TypingNotice


def told(notice: Notice, seq: int) -> MessageTold | TypingTold:
    """Return the frame for a notice that came after batch `seq`."""
    fields = msgspec.structs.asdict(notice) | {"seq": seq}
    return MessageTold(**fields) if isinstance(notice, MessageNotice) else TypingTold(**fields)


def notice_of(frame: MessageTold | TypingTold, seq: int) -> Notice:
    """Return the notice of a frame; each process has its own place for it among its batches."""
    fields = msgspec.structs.asdict(frame)
    del fields["version"], fields["seq"]
    return MessageNotice(seq, **fields) if isinstance(frame, MessageTold) else TypingNotice(**fields)

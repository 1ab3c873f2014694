"""On what terms a contact comes: whose place it takes, from when it waits, by when it has to be answered."""

from __future__ import annotations

from typing import Final

import msgspec

from engine.errors import Malformed

MAX_AHEAD_MS: Final = 400 * 86_400_000
"""How far ahead a contact can be scheduled: as long as the journal's segments are kept."""
_US_PER_MS: Final = 1_000


class Terms(msgspec.Struct, frozen=True, omit_defaults=True):
    """What holds for one arrival; 0 = nothing is said.

    Attributes:
        place: the earlier contact whose place it takes.
        not_before_ms: it is not to wait earlier, Unix milliseconds.
        reply_by_ms: until when its channel allows a reply, Unix milliseconds.
    """

    place: int = 0
    not_before_ms: int = 0
    reply_by_ms: int = 0


NO_TERMS: Final = Terms()


def check_terms(terms: Terms, now_us: int) -> None:
    """Refuse times that the core would refuse, by the names that the port gives them.

    Raises:
        Malformed: a time is too early or too far ahead; the text names it.
    """
    now_ms = now_us // _US_PER_MS
    for field, at_ms in (("not_before_ms", terms.not_before_ms), ("reply_by_ms", terms.reply_by_ms)):
        if not 0 <= at_ms <= now_ms + MAX_AHEAD_MS:
            raise Malformed(f"{field}: expected at most {now_ms + MAX_AHEAD_MS}, 400 days ahead, got {at_ms}")
    if terms.reply_by_ms and terms.reply_by_ms * _US_PER_MS <= now_us:
        raise Malformed(f"reply_by_ms: expected a time after {now_ms}, now, got {terms.reply_by_ms}")
    if terms.place and terms.not_before_ms * _US_PER_MS > now_us:
        raise Malformed("not_before_ms: who is not to wait yet takes no place; leave one of the two out")

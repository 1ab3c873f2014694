"""Whom a contact would like to have, and whom not, in the configuration's names."""

from __future__ import annotations

import msgspec


class Wishes(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whom a contact would like to have, beside what it requires; names are the configuration's.

    Attributes:
        prefers: skill -> weight 1..100, at most 8: of several agents the one with the highest sum of
            weight times level comes first.
        preferred: at most 8 agents, such as the one who served this customer last; while one of them
            is there, nobody else gets the contact.
        preferred_wait_ms: how long the contact waits for them, at most a day.
        excludes: at most 16 agents who never get the contact.
        beyond_capacity: the preferred agents get it for that time whatever they have in hand: neither
            their units nor exclusive channels are asked. Refused where nobody is preferred.
    """

    prefers: dict[str, int] = msgspec.field(default_factory=dict)
    preferred: tuple[str, ...] = ()
    preferred_wait_ms: int = 0
    excludes: tuple[str, ...] = ()
    beyond_capacity: bool = False


NO_WISHES = Wishes()

"""Places that are kept: the ticket by which a customer who has left stands where they stood.

A ticket is a token of this site that names the contact. Whether that contact's place can still be taken is
the core's to say, once, in the journal: here it is asked before anything is stored.
"""

from __future__ import annotations

import re
from typing import Any, Final, Protocol

from engine.errors import BadPlace, BadTicket, BadToken, PlaceUsed
from engine.views import ContactState

PURPOSE: Final = "place"
WAITS: Final = frozenset({"waiting", "offered", "connecting"})
"""Who has a place and may leave it."""
LEFT: Final = frozenset({"abandoned", "withdrawn", "overflowed"})
"""Whose place can be taken: they ended before anyone was engaged, and had waited."""
_NUMBER: Final = re.compile(r"[1-9]\d{0,15}")


class Signing(Protocol):
    """What is needed of `engine.auth.Tokens`."""

    def issue(self, typ: str, sub: str, ttl_s: float, **claims: Any) -> str:
        """Return a token."""
        ...

    def verify(self, token: str, typ: str) -> dict[str, Any]:
        """Return its claims; raise `BadToken`."""
        ...


class Contacts(Protocol):
    """What is needed of the service."""

    def contact_state(self, contact: int) -> ContactState | None:
        """Return where a contact is, or how it ended."""
        ...


def place_ticket(contacts: Contacts, tokens: Signing, contact: int, ttl_s: float, now_us: int) -> str:
    """Return the ticket for the place of a contact that waits, or has just left.

    Args:
        contacts: where it is.
        tokens: the site's.
        contact: whose place.
        ttl_s: until the ticket expires.
        now_us: the service's time.

    Raises:
        BadPlace: it has none: it is engaged, scheduled, served, blocked, or not remembered.
        PlaceUsed: the place has been taken.
    """
    state = contacts.contact_state(contact)
    if state is None or state.state not in WAITS:
        check_place(state, contact, now_us)
    return tokens.issue(PURPOSE, str(contact), ttl_s)


def contact_of(tokens: Signing, ticket: str) -> int:
    """Return the contact that a ticket names.

    Raises:
        BadTicket: forged, expired, another site's, or no place ticket at all; see its `reason`.
    """
    try:
        contact = str(tokens.verify(ticket, PURPOSE)["sub"])
    except BadToken as error:
        raise BadTicket(error.reason) from None
    if not _NUMBER.fullmatch(contact):
        raise BadTicket("malformed")
    return int(contact)


def check_place(state: ContactState | None, contact: int, now_us: int) -> None:
    """Refuse a place that the core would refuse, with its own refusals.

    Raises:
        BadPlace: no such contact is remembered, it is live, was served or blocked, or was scheduled.
        PlaceUsed: the place has been taken.
    """
    if state is None or state.state not in LEFT or (state.enqueued_at_us or 0) > now_us:
        raise BadPlace(contact)
    if state.place_used:
        raise PlaceUsed(contact)

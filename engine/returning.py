"""Frames for who comes back: what a plugin's contacts and an edge's agents are doing now.

They follow `welcome` and `attach` in order with the events: nothing earlier comes after them.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from engine.messages.control import Control


class LiveContactLine(NamedTuple):
    """A live contact; state 0 waiting, 1 offered, 2 connecting, 3 engaged, 4 scheduled; agent 0 = nobody."""

    contact: int
    state: int
    agent: int
    key: bytes


class OfferLine(NamedTuple):
    """An open offer; `deadline` in Unix microseconds."""

    offer: int
    contact: int
    channel: int
    queue: int
    deadline: int


class HeldLine(NamedTuple):
    """A contact in an agent's hand; state 2 connecting, 3 engaged."""

    contact: int
    channel: int
    queue: int
    state: int
    on_hold: bool
    parked: bool
    participants: list[int]


class WrapUpLine(NamedTuple):
    """A wrap-up; `deadline` in Unix microseconds."""

    contact: int
    channel: int
    deadline: int


class InvitationLine(NamedTuple):
    """An open invitation into a contact that `agent` serves; `deadline` in Unix microseconds."""

    offer: int
    contact: int
    channel: int
    queue: int
    agent: int
    deadline: int


class JoinedLine(NamedTuple):
    """A contact that the agent is in and that `agent` serves."""

    contact: int
    channel: int
    queue: int
    agent: int


class DeskLine(NamedTuple):
    """An agent's desk; presence 0 signed out, 1 not ready, 2 ready."""

    agent: int
    presence: int
    signing_out: bool
    locked: bool
    offers: list[OfferLine]
    contacts: list[HeldLine]
    wrap_ups: list[WrapUpLine]
    invitations: list[InvitationLine]
    joined: list[JoinedLine]


class Desks(Control, frozen=True, tag=142, kw_only=True):
    """Server, after `attach`: what those agents have in hand; at most 500 a frame."""

    desks: list[DeskLine]


class Contacts(Control, frozen=True, tag=143, kw_only=True):
    """Server, to a plugin after `welcome`: its live contacts; at most 500 a frame, one frame at least."""

    contacts: list[LiveContactLine]


_decoder = msgspec.msgpack.Decoder(Desks | Contacts)
_HEADS = (b"\x93\xcc\x8e", b"\x93\xcc\x8f")


def decode_returning(body: bytes | memoryview) -> Desks | Contacts | None:
    """Return the message of a body of these two kinds, None for any other kind."""
    return _decoder.decode(body) if bytes(body[:3]) in _HEADS else None

"""What the gateway encodes and counts by itself: refusals, good-byes, the state that a return begins with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from engine.model import Closing, Refusal, Welcome, encode_body, encode_frame
from engine.returning import (
    Contacts,
    DeskLine,
    Desks,
    HeldLine,
    InvitationLine,
    JoinedLine,
    LiveContactLine,
    OfferLine,
    WrapUpLine,
)
from engine.router import Desk, Router

AGENTS_PER_FRAME = 500
CONTACTS_PER_FRAME = 500
CLOSING_CODES = (
    "protocol_error",
    "version",
    "bad_token",
    "too_many_connections",
    "too_many_from_address",
    "too_old",
    "slow_reader",
    "silent",
    "draining",
)
"""Why the gateway ends a connection."""

_ARRIVE_KIND = 3
_LENGTH_BYTES = 4


def split_arrivals(first_request_no: int, frames: bytes) -> Iterator[tuple[bool, int, bytes, int]]:
    """Cut scanned command frames where arrivals and others meet.

    Yields:
        Whether they are arrivals, the first one's request number, the frames, how many.
    """
    start = at = count = 0
    arrivals: bool | None = None
    while at < len(frames):
        end = at + _LENGTH_BYTES + int.from_bytes(frames[at : at + _LENGTH_BYTES], "big")
        is_arrival = _kind(frames, at + _LENGTH_BYTES) == _ARRIVE_KIND
        if arrivals is not None and is_arrival != arrivals:
            yield arrivals, first_request_no, frames[start:at], count
            first_request_no += count
            start, count = at, 0
        arrivals = is_arrival
        count += 1
        at = end
    if arrivals is not None:
        yield arrivals, first_request_no, frames[start:], count


def first_frames_bytes(frames: bytes, count: int) -> int:
    """Return how many bytes the first `count` frames have."""
    at = 0
    for _ in range(count):
        at += _LENGTH_BYTES + int.from_bytes(frames[at : at + _LENGTH_BYTES], "big")
    return at


def refusal_frame(request_no: int | None, code: str, text: str, retry_after_ms: int = 0) -> bytes:
    """Return an encoded `refused`."""
    return encode_frame(Refusal(request_no=request_no, code=code, text=text, retry_after_ms=retry_after_ms))


def closing(code: str, text: str, seq: int) -> bytes:
    """Return an encoded `closing`."""
    assert code in CLOSING_CODES
    return encode_frame(Closing(code=code, text=text, seq=seq))


def welcome_frame(welcome: Welcome) -> bytes:
    """Return an encoded `welcome`; without `agreed` for who has said no versions: it may not know it."""
    if welcome.agreed is not None:
        return encode_frame(welcome)
    body = msgspec.msgpack.encode(msgspec.msgpack.decode(encode_body(welcome))[:-1])
    return len(body).to_bytes(_LENGTH_BYTES, "big") + body


def contacts_frames(contacts: Sequence[tuple[int, int, int, bytes]]) -> list[bytes]:
    """Return `contacts` frames of a channel's live contacts; an empty list is a frame, too."""
    lines = [LiveContactLine(*contact) for contact in contacts]
    return [
        encode_frame(Contacts(contacts=lines[at : at + CONTACTS_PER_FRAME]))
        for at in range(0, max(len(lines), 1), CONTACTS_PER_FRAME)
    ]


def desks_frames(router: Router, agents: Sequence[int]) -> list[bytes]:
    """Return `desks` frames of these agents; unknown ones are left out."""
    lines = [_desk_line(agent, desk) for agent in agents if (desk := router.desk(agent)) is not None]
    return [
        encode_frame(Desks(desks=lines[at : at + AGENTS_PER_FRAME]))
        for at in range(0, len(lines), AGENTS_PER_FRAME)
    ]


def _desk_line(agent: int, desk: Desk) -> DeskLine:
    return DeskLine(
        agent,
        desk.presence,
        desk.signing_out,
        desk.locked,
        [OfferLine(*offer[:5]) for offer in desk.offers],
        [HeldLine(*contact[:4], *contact[6:]) for contact in desk.contacts],
        [WrapUpLine(*wrap_up) for wrap_up in desk.wrap_ups],
        [InvitationLine(*invitation) for invitation in desk.invitations],
        [JoinedLine(*joined[:4]) for joined in desk.joined],
    )


def _kind(frames: bytes, at: int) -> int:
    """The kind of the body at `at`: an array's head of 1, 3 or 5 bytes, then the smallest integer."""
    head_bytes = {0xDC: 3, 0xDD: 5}.get(frames[at], 1)
    return frames[at + head_bytes]

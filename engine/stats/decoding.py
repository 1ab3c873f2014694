"""Event frames of a batch, decoded in one call."""

from __future__ import annotations

from typing import Final

import msgspec

from engine.model import AnyEvent, Event

_LENGTH_BYTES: Final = 4
_ARRAY32: Final = b"\xdd"
"""MessagePack: an array whose count follows as u32, big-endian."""
_decoder: Final = msgspec.msgpack.Decoder(list[AnyEvent])


def decode_frames(frames: bytes) -> list[Event]:
    """Decode concatenated event frames.

    The bodies are put together as one MessagePack array, because a call per event would cost more
    than the decoding itself.
    """
    bodies = []
    at = 0
    end = len(frames)
    while at < end:
        start = at + _LENGTH_BYTES
        at = start + int.from_bytes(frames[at:start], "big")
        bodies.append(frames[start:at])
    header = _ARRAY32 + len(bodies).to_bytes(_LENGTH_BYTES, "big")
    return _decoder.decode(header + b"".join(bodies))

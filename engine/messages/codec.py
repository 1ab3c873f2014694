"""Frames: a length (u32, big-endian) and a body, the MessagePack array of one message."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeVar, Union, cast

import msgspec

from engine.errors import Malformed
from engine.messages.commands import Command
from engine.messages.control import Control
from engine.messages.demand import Need, read_need
from engine.messages.event_base import Event
from engine.messages.frame import Frame

MAX_FRAME_BYTES: Final = 64 * 1024
"""The longest body that a client may send, `configure` aside."""
MAX_CONFIGURE_BYTES: Final = 16 * 1024 * 1024
"""The longest body of `configure`, and of anything that the server sends."""
LENGTH_BYTES: Final = 4

_F = TypeVar("_F", bound=Frame)


def kind_of(frame: Frame | type[Frame]) -> int:
    """The number of a message's kind on the wire."""
    return cast(int, frame.__struct_config__.tag)


def _by_kind(base: type[_F]) -> dict[int, type[_F]]:
    return {kind_of(one): one for one in base.__subclasses__()}


COMMANDS: Final[dict[int, type[Command]]] = _by_kind(Command)
"""Kind -> class, of everything that can be asked."""
EVENTS: Final[dict[int, type[Event]]] = _by_kind(Event)
"""Kind -> class, of everything that can have happened."""
CONTROLS: Final[dict[int, type[Control]]] = _by_kind(Control)
"""Kind -> class, of everything that client and server say about a connection."""


def _read(kind: type, value: Any) -> Any:
    """What is no msgspec type: needs are as short as they can be."""
    if kind is Need:
        return read_need(value)
    raise NotImplementedError(kind)


_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Frame] = msgspec.msgpack.Decoder(
    cast(Any, Union[(*COMMANDS.values(), *EVENTS.values(), *CONTROLS.values())]), dec_hook=_read
)


def encode_body(message: Frame) -> bytes:
    """The message as a MessagePack array `[kind, version, fields...]`, without a length."""
    return _encoder.encode(message)


def encode_frame(message: Frame) -> bytes:
    """The message as it goes over the wire: length and body."""
    body = _encoder.encode(message)
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def decode_body(body: bytes | memoryview) -> Frame:
    """The message that a body holds.

    Raises:
        Malformed: the bytes are not MessagePack, or not a message of a known kind and version.
    """
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(str(error)) from error


def split_frames(frames: bytes) -> Iterator[bytes]:
    """The bodies of whole frames that stand one after the other.

    Raises:
        Malformed: the last frame is cut off.
    """
    at = 0
    while at < len(frames):
        start = at + LENGTH_BYTES
        at = start + int.from_bytes(frames[at:start], "big")
        if at > len(frames) or start > len(frames):
            raise Malformed("the last frame is cut off")
        yield frames[start:at]

"""Commands to MessagePack and events from it, written with the plain msgpack package.

So the agreement test also holds the engine's codec against an independent one.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from typing import Any, get_type_hints

import msgpack  # type: ignore[import-untyped]

from tests.oracle import events as ev
from tests.oracle.commands import KINDS, Arrive, Command
from tests.oracle.config import Need

VERSION = 1
_CLASSES: dict[int, type[ev.Event]] = {kind: event for event, kind in ev.KINDS.items()}
_ENUMS: dict[int, dict[int, type[IntEnum]]] = {
    kind: {
        place: hint
        for place, hint in enumerate(get_type_hints(event).values())
        if isinstance(hint, type) and issubclass(hint, IntEnum)
    }
    for event, kind in ev.KINDS.items()
}


def plain(value: Any) -> Any:
    """Return named tuples as lists and enumerations as their numbers, all the way down.

    A need that is not negated says so by silence, and an arrival that it is for now.
    """
    if isinstance(value, Arrive) and not (value.place or value.not_before or value.reply_by):
        value = tuple(value)[:-3]
    if isinstance(value, Need) and not value.negated:
        return [value.skill, value.level]
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return int(value) if isinstance(value, IntEnum) else value


def command_body(command: Command) -> bytes:
    """Return a command's MessagePack array, without a length."""
    packed: bytes = msgpack.packb([KINDS[type(command)], VERSION, *plain(command)], use_bin_type=True)
    return packed


def command_frame(at: int, command: Command | None) -> bytes:
    """Return a command as a command file holds it: time, length, body; None is nothing but the time."""
    body = b"" if command is None else command_body(command)
    return at.to_bytes(8) + len(body).to_bytes(4) + body


def event_fields(event: ev.Event) -> list[Any]:
    """Return an event as the array that goes over the wire."""
    return [ev.KINDS[type(event)], VERSION, *plain(event)]


def event_frame(event: ev.Event) -> bytes:
    """Return an event as it goes over the wire: length and body."""
    body: bytes = msgpack.packb(event_fields(event), use_bin_type=True)
    return len(body).to_bytes(4) + body


def read_events(frames: bytes) -> list[ev.Event]:
    """Return the events of concatenated frames."""
    return [to_event(fields) for fields in read_arrays(frames)]


def read_arrays(frames: bytes) -> Iterator[list[Any]]:
    """Yield the array of each frame."""
    start = 0
    while start < len(frames):
        end = start + 4 + int.from_bytes(frames[start : start + 4])
        yield msgpack.unpackb(frames[start + 4 : end], raw=False)
        start = end


def read_event(body: bytes) -> ev.Event:
    """Return the event of a body."""
    return to_event(msgpack.unpackb(body, raw=False))


def to_event(fields: list[Any]) -> ev.Event:
    """Return the event that an array of the wire says."""
    kind, version, *values = fields
    if version != VERSION:
        raise ValueError(f"version {version}")
    for place, enum in _ENUMS[kind].items():
        values[place] = enum(values[place])
    return _CLASSES[kind](*(tuple(value) if isinstance(value, list) else value for value in values))

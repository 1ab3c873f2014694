"""The tables of docs/*/protocol.md as the code has them: kinds, names, fields, types, who may send what.

Types and what may be missing are asked of the core by trying. `python -m tests.protocol_tables` prints
every table, to paste into the pages; what stands behind the third column there is the page's own.
"""

from __future__ import annotations

import re
import typing
from enum import IntEnum
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

import msgpack
import msgspec

from engine import model, returning
from engine.errors import REFUSALS
from engine.gateway_frames import CLOSING_CODES
from engine.gateway_sign_ins import TEXTS
from engine.router import DecodeError, Intake, recode

ENUMS: Final = (
    model.QueuedCause,
    model.BlockedCause,
    model.WithdrawnCause,
    model.PreferenceOverCause,
    model.EndedBy,
    model.ChoiceCause,
    model.InvitationEnd,
    model.HoursState,
    model.ReleasedBy,
    model.OverflowWhen,
    model.OverflowTo,
)
CONTROLS: Final = {**model.CONTROLS, 142: returning.Desks, 143: returning.Contacts}
LINES: Final = (
    returning.LiveContactLine,
    returning.DeskLine,
    returning.OfferLine,
    returning.HeldLine,
    returning.WrapUpLine,
    returning.InvitationLine,
    returning.JoinedLine,
)
WIDTHS: Final = {2**8 - 1: "u8", 2**16 - 1: "u16", 2**32 - 1: "u32", 2**64 - 1: "u64"}
SPECIAL: Final = {
    ("arrive", "key"): "bin 16",
    ("arrived", "key"): "bin 16",
    ("configured", "hash"): "bin 32",
    ("welcome", "names"): "map: kind → map: name → u32",
    ("welcome", "targets"): "map: name → [str, map]",
    ("welcome", "arrival_key"): "bin 32 or nil",
    ("ack", "results"): "list of [u64, u32, u32, u64]",
    ("events", "events"): "list of [u32, event]",
    ("refused", "request_no"): "u64 or nil",
    ("hello", "resume_seq"): "u64 or nil",
    ("hello", "versions"): "[u32, u32] or nil",
    ("welcome", "agreed"): "u32",
    ("attach", "access"): "list of str or nil",
    ("configure", "config"): "config",
    ("lease_lost", "contacts"): "list of u64",
    ("live_contact_line", "key"): "bin 16",
}
SMALL: Final = {"state", "presence"}
U32: Final = {"agent", "agents", "channel", "queue", "participants", "credit_commands", "credit_bytes"}
"""Of frames that the core does not read: what is a number of the configuration, or small."""


def snake(text: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text).lower()


def frame_name(frame: type) -> str:
    name = snake(frame.__name__)
    return {
        "restarted_event": "restarted",
        "connect_failed_event": "connect_failed",
        "lease_lost_event": "lease_lost",
        "refusal": "refused",
    }.get(name, name)


def fields_of(frame: type) -> list[str]:
    """Field names in the order of the wire, behind kind and version."""
    names = frame._fields if hasattr(frame, "_fields") else frame.__struct_fields__
    return [name for name in names if name != "version"]


def sample(kind: Any) -> Any:
    """A value that a type takes."""
    origin, arguments = get_origin(kind), get_args(kind)
    if isinstance(kind, type) and issubclass(kind, IntEnum):
        return kind(1)
    if origin in {Union, UnionType}:
        return sample(arguments[0])
    if origin in {tuple, list} or kind in {tuple, list}:
        return origin() if origin else kind()
    return {int: 1, bool: True, bytes: bytes(16), str: "x"}[kind]


def an_example(frame: type[Any]) -> list[Any]:
    """A message of the core's, whole, as a MessagePack array."""
    if frame is model.Configure:
        message: Any = model.Configure(config=model.Config())
    else:
        hints = get_type_hints(frame)
        values = {name: sample(hints[name]) for name in fields_of(frame)}
        if frame is model.Configured:
            values["hash"] = bytes(32)
        message = frame(**values)
    return msgpack.unpackb(model.encode_body(message), strict_map_key=False)


def passes(body: list[Any]) -> bool:
    try:
        recode(msgpack.packb(body))
    except (DecodeError, OverflowError):
        return False
    return True


def width(body: list[Any], place: int) -> str:
    """How large an integer the core takes at a place."""
    for most, word in reversed(WIDTHS.items()):
        changed = [*body[:place], most, *body[place + 1 :]]
        if passes(changed):
            return word
    raise AssertionError(f"{body}: no integer fits at {place}")


def type_of(frame: type[Any], name: str, hint: Any) -> str:
    """What a field is, in the words of the page."""
    owner = frame_name(frame)
    if (owner, name) in SPECIAL:
        return SPECIAL[owner, name]
    text = re.sub(r"engine\.\w+\.?\w*\.", "", str(hint))
    if isinstance(hint, type) and issubclass(hint, IntEnum):
        return snake(hint.__name__)
    if hint is int:
        if issubclass(frame, model.Command | model.Event):
            return width(an_example(frame), 2 + fields_of(frame).index(name))
        return "u8" if name in SMALL else "u32" if name in U32 else "u64"
    if get_origin(hint) in {Union, UnionType}:
        return f"{type_of(frame, name, get_args(hint)[0])} or nil"
    if name == "requires":
        return "requirement"
    if (line := re.search(r"(\w+Line)\b", text)) is not None:
        return f"list of {snake(line[1])}"
    if "SkillWeight" in text:
        return "list of [skill u32, weight u32]"
    if get_origin(hint) in {tuple, list}:
        return "list of u32"
    return {bool: "bool", str: "str", bytes: "bin 16"}[hint]


def optional(frame: type[Any]) -> int:
    """How many fields at the end may be missing."""
    if not issubclass(frame, model.Command | model.Event):
        defaults = [one for one in msgspec.structs.fields(frame) if one.name != "version"]
        return sum(1 for one in defaults if not one.required)
    body, missing = an_example(frame), 0
    while len(body) > 2 and passes(body[: len(body) - 1]):
        body, missing = body[:-1], missing + 1
    return missing


def fields_cell(frame: type[Any]) -> str:
    hints = get_type_hints(frame)
    names = fields_of(frame)
    may_miss = optional(frame) if issubclass(frame, msgspec.Struct) else 0
    cells = []
    for place, name in enumerate(names):
        mark = "?" if place >= len(names) - may_miss else ""
        cells.append(f"`{name}`{mark} {type_of(frame, name, hints[name])}")
    return " · ".join(cells) or "–"


def senders(frame: type[Any]) -> str:
    """Which connections may send a command, as the core's reader has it."""
    may = []
    for kind, channel in (("plugin", 1), ("edge", None)):
        intake = Intake(kind, channel)  # type: ignore[arg-type]
        intake.attach([1])
        body = msgpack.packb(an_example(frame))
        runs, _, _, _ = intake.feed(len(body).to_bytes(4, "big") + body)
        may += [kind] if runs else []
    return ", ".join([*may, "admin"])


def rows(table: str) -> list[list[str]]:
    """The generated columns of a table."""
    if table == "commands":
        return [[str(k), f"`{frame_name(f)}`", fields_cell(f), senders(f)] for k, f in model.COMMANDS.items()]
    if table == "events":
        kinds = sorted(model.EVENTS.items())
        return [[str(kind), f"`{frame_name(one)}`", fields_cell(one)] for kind, one in kinds]
    if table == "control":
        kinds = sorted(CONTROLS.items())
        return [[str(kind), f"`{frame_name(one)}`", fields_cell(one)] for kind, one in kinds]
    if table == "lines":
        return [[f"`{frame_name(one)}`", fields_cell(one)] for one in LINES]
    if table == "enums":
        values = [" · ".join(f"{value.value} {value.name.lower()}" for value in one) for one in ENUMS]
        return [[f"`{snake(one.__name__)}`", text] for one, text in zip(ENUMS, values, strict=True)]
    if table == "codes":
        refusals = sorted(REFUSALS.items())
        return [
            [str(code), f"`{one.name}`", f"`{one.field}`" if one.field else "–"] for code, one in refusals
        ]
    assert table in {"closing", "detached"}
    return [[f"`{code}`"] for code in (CLOSING_CODES if table == "closing" else TEXTS)]


TABLES: Final = ("commands", "events", "control", "lines", "enums", "codes", "closing", "detached")


def gloss(table: str, place: int) -> str:
    """The first sentence of the code's own description, for a page's first version."""
    of = {
        "commands": list(model.COMMANDS.values()),
        "events": [one for _, one in sorted(model.EVENTS.items())],
        "control": [one for _, one in sorted(CONTROLS.items())],
        "lines": LINES,
        "codes": [one for _, one in sorted(REFUSALS.items())],
    }
    if table not in of:
        return ""
    return (typing.cast(Any, of[table][place]).__doc__ or "").splitlines()[0]


if __name__ == "__main__":
    for table in TABLES:
        print(f"\n<!-- {table} -->")
        for place, row in enumerate(rows(table)):
            print(f"| {' | '.join([*row, gloss(table, place)])} |")

"""Python's messages and Rust's are the same bytes: every kind, every field, every code."""

from __future__ import annotations

import random
import re
import types
import typing
from collections.abc import Iterator
from enum import IntEnum
from typing import Any

import msgpack
import msgspec
import pytest

from engine import errors, model
from engine.messages.between import Between
from engine.router import CODES, KINDS, DecodeError, recode

BYTES = {"key": 16, "command_id": 16, "hash": 32}
LIMITS = {"tier": 0xFF, "step": 0xFF, "level": 0xFF, "by": 0xFF, "priority": 0xFF}
IDS = "contact|offer|choice|place|number|config|position|threshold|seed"
TIMES = "at|deadline|enqueued_at|not_before|reply_by|until"
WIDE = re.compile(rf"_us$|^({IDS}|{TIMES})$")
MESSAGES = {**model.COMMANDS, **model.EVENTS}


def some(kind: Any, field: str, rng: random.Random) -> Any:
    """A random value of a field's type."""
    if isinstance(kind, type) and issubclass(kind, IntEnum):
        return rng.choice(list(kind))
    if kind is model.SkillWeight:
        return model.SkillWeight(rng.getrandbits(32), rng.getrandbits(8))
    if kind is model.Need:
        return model.Need(rng.getrandbits(32), rng.getrandbits(8), rng.random() < 0.3)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return filled(kind, rng)
    if typing.get_origin(kind) is tuple:
        return tuple(some(typing.get_args(kind)[0], field, rng) for _ in range(rng.choice([0, 1, 3, 20])))
    if typing.get_origin(kind) is types.UnionType:
        return rng.choice([None, some(typing.get_args(kind)[0], field, rng)])
    if kind is bytes:
        return rng.randbytes(BYTES.get(field, rng.choice([0, 5, 300, 70_000])))
    if kind is bool:
        return rng.random() < 0.5
    bits = 64 if WIDE.search(field) else LIMITS.get(field, 0xFFFF_FFFF).bit_length()
    return rng.getrandbits(rng.randint(0, bits))


def filled(struct: type[msgspec.Struct], rng: random.Random) -> Any:
    """A message with random fields."""
    hints = typing.get_type_hints(struct)
    names = [name for name in struct.__struct_fields__ if name != "version"]
    return struct(**{name: some(hints[name], name, rng) for name in names})


@pytest.mark.parametrize("kind", MESSAGES.values(), ids=lambda one: f"{model.kind_of(one)}-{one.__name__}")
def test_python_and_rust_write_the_same_bytes(kind: type[model.Frame]) -> None:
    rng = random.Random(model.kind_of(kind))
    for _ in range(30):
        message = filled(kind, rng)
        body = model.encode_body(message)
        assert recode(body) == body
        assert model.decode_body(body) == message


def plain(value: Any) -> Any:
    """A message as the lists and numbers that any MessagePack library sees."""
    if isinstance(value, msgspec.Struct):
        config = value.__struct_config__
        fields = [plain(getattr(value, name)) for name in value.__struct_fields__]
        return fields if config.tag is None else [config.tag, *fields]
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return int(value) if isinstance(value, IntEnum) else value


@pytest.mark.parametrize("kind", MESSAGES.values(), ids=lambda one: one.__name__)
def test_an_independent_decoder_reads_them(kind: type[model.Frame]) -> None:
    rng = random.Random(1)
    for _ in range(20):
        message = filled(kind, rng)
        body = model.encode_body(message)
        assert msgpack.unpackb(body, raw=False) == plain(message)
        assert msgpack.packb(plain(message), use_bin_type=True) == body, "the shortest format, like everybody"


def snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def test_kinds_names_and_fields_are_the_same() -> None:
    mine = {
        number: (
            snake(one.__name__.removesuffix("Event")),
            [f for f in one.__struct_fields__ if f != "version"],
        )
        for number, one in MESSAGES.items()
    }
    assert mine == {number: (name, fields) for number, name, fields in KINDS}


def test_kinds_stand_in_their_ranges() -> None:
    assert list(model.COMMANDS) == list(range(1, 31))
    assert sorted(model.EVENTS) == list(range(64, 115))
    # 142 and 143 are those of `engine.returning`.
    assert list(model.CONTROLS) == [*range(128, 142), 144]
    assert sorted(model.kind_of(one) for one in Between.__subclasses__()) == list(range(160, 171))


def test_refusals_are_the_same() -> None:
    assert {code: refusal.name for code, refusal in errors.REFUSALS.items()} == dict(CODES)
    fields = {field for one in model.COMMANDS.values() for field in one.__struct_fields__}
    for refusal in errors.REFUSALS.values():
        assert refusal.field is None or refusal.field in fields


def enum_fields() -> Iterator[tuple[type[msgspec.Struct], str, type[IntEnum]]]:
    structs: list[type[msgspec.Struct]] = [
        *MESSAGES.values(),
        model.Config,
        model.QueueConfig,
        model.Overflow,
    ]
    for struct in structs:
        for field, kind in typing.get_type_hints(struct).items():
            if isinstance(kind, type) and issubclass(kind, IntEnum):
                yield struct, field, kind


@pytest.mark.parametrize(("struct", "field", "enum"), list(enum_fields()))
def test_enums_have_as_many_members(struct: type[msgspec.Struct], field: str, enum: type[IntEnum]) -> None:
    lowest, highest = min(enum), max(enum)
    assert list(enum) == list(range(lowest, highest + 1))
    message = filled(struct, random.Random(2))
    wrong = msgspec.structs.replace(message, **{field: highest + 1})
    if isinstance(wrong, model.Overflow):
        wrong = model.QueueConfig(id=1, overflow=(wrong,))
    if isinstance(wrong, model.QueueConfig):
        wrong = model.Config(queues=(wrong,))
    whole = model.Configure(config=wrong) if isinstance(wrong, model.Config) else wrong
    expected = rf"\.{field}: expected an integer {lowest}\.\.{highest}, got {highest + 1}$"
    with pytest.raises(DecodeError, match=expected):
        recode(model.encode_body(whole))


def test_every_enum_is_covered() -> None:
    assert {enum for _, _, enum in enum_fields()} == {
        model.Order,
        model.Strategy,
        model.QueuedCause,
        model.BlockedCause,
        model.WithdrawnCause,
        model.EndedBy,
        model.PreferenceOverCause,
        model.InvitationEnd,
        model.HoursState,
        model.OverflowWhen,
        model.OverflowTo,
        model.ChoiceCause,
        model.ReleasedBy,
    }

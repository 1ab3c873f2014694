"""Bytes that are no message: both sides refuse them, and say where."""

from __future__ import annotations

import random
from typing import Any

import msgpack
import pytest

from engine import model
from engine.errors import Malformed
from engine.router import DecodeError, recode

KEY = bytes(16)
INTEGER = "an integer 0..4294967295"

# What Rust says is what a plugin's author reads in the refusal.
CORPUS: list[tuple[str, Any, str]] = [
    ("string for integer", [3, 1, "1", KEY, 1, 0, 1, []], f"arrive.channel: expected {INTEGER}, got str"),
    ("float", [3, 1, 1, KEY, 1, 0, 1.0, []], f"arrive.weight: expected {INTEGER}, got float"),
    ("NaN", [3, 1, 1, KEY, 1, 0, float("nan"), []], f"arrive.weight: expected {INTEGER}, got float"),
    ("negative", [3, 1, 1, KEY, 1, 0, -1, []], f"arrive.weight: expected {INTEGER}, got a negative integer"),
    ("too large", [3, 1, 1, KEY, 1, 0, 2**32, []], f"arrive.weight: expected {INTEGER}, got 4294967296"),
    ("nil", [3, 1, 1, KEY, None, 0, 1, []], f"arrive.queue: expected {INTEGER}, got nil"),
    ("short key", [3, 1, 1, KEY[1:], 1, 0, 1, []], "arrive.key: expected 16 bytes, got 15"),
    ("text key", [3, 1, 1, "0" * 16, 1, 0, 1, []], "arrive.key: expected a byte string, got str"),
    ("too few", [3, 1, 1, KEY, 1, 0, 1], "arrive.requires: is missing"),
    ("too many", [4, 1, 1, 1, 1], "abandon: 1 fields too many"),
    (
        "flat requires",
        [3, 1, 1, KEY, 1, 0, 1, [[1, 50]]],
        "arrive.requires[0][0]: expected an array, got an integer",
    ),
    (
        "level",
        [3, 1, 1, KEY, 1, 0, 1, [[[1, 500]]]],
        "arrive.requires[0][0].level: expected an integer 0..255, got 500",
    ),
    (
        "NOT by number",
        [3, 1, 1, KEY, 1, 0, 1, [[[1, 50, 1]]]],
        "arrive.requires[0][0].negated: expected a boolean, got an integer",
    ),
    ("integer for boolean", [7, 1, 5, 1], "sign_in.ready: expected a boolean, got an integer"),
    ("boolean for integer", [9, 1, True], f"ready.agent: expected {INTEGER}, got bool"),
    ("short id", [9, 1, 5, b"x"], "ready.command_id: expected 16 bytes, got 1"),
    ("version", [9, 2, 5], "ready.version: expected 1, got 2"),
    ("no version", [9], "ready.version: is missing"),
    ("unknown kind", [63, 1], "kind 63 is no command"),
    ("unknown event", [127, 1, 0], "kind 127 is no event"),
    ("empty", [], "expected [kind, version, ...], got an empty array"),
    ("map", {"kind": 3}, "expected an array, got map"),
    ("order", [1, 1, [4, *([0] * 18)]], "configure.config.order: expected an integer 0..3, got 4"),
    ("config's arity", [1, 1, [0]], "configure.config: expected 19 items, got 1"),
]


# Python's types know no widths and have defaults; Rust, before the journal, is the stricter reader.
RUST_ALONE = {"negative", "too large", "short key", "level", "short id", "too few", "config's arity"}


@pytest.mark.parametrize(("name", "message", "text"), CORPUS, ids=[row[0] for row in CORPUS])
def test_a_fault_names_kind_and_field(name: str, message: Any, text: str) -> None:
    body = msgpack.packb(message)
    with pytest.raises(DecodeError) as caught:
        recode(body)
    assert str(caught.value) == text
    if name in RUST_ALONE:
        assert model.decode_body(body)
    else:
        with pytest.raises(Malformed):
            model.decode_body(body)


LENGTHS = {
    "array of 2^32 items": b"\x98\x03\x01\x01\xc4\x10" + KEY + b"\x01\x00\x01\xdd\xff\xff\xff\xff",
    "byte string of 4 GiB": b"\x98\x03\x01\x01\xc6\xff\xff\xff\xff",
    "message of 2^32 fields": b"\xdd\xff\xff\xff\xff\x03\x01",
    "cut integer": b"\x94\x04\x01\xcf\x00\x00",
}


@pytest.mark.parametrize("body", LENGTHS.values(), ids=LENGTHS)
def test_a_length_is_only_a_claim(body: bytes) -> None:
    with pytest.raises(DecodeError, match="expected"):
        recode(body)
    with pytest.raises(Malformed):
        model.decode_body(body)


@pytest.mark.parametrize("opening", [b"\x91", b"\x81\x01", b"\xdd\x00\x00\x00\x01"])
def test_depth_bombs_cost_nothing(opening: bytes) -> None:
    bomb = opening * (model.MAX_FRAME_BYTES // len(opening))
    for body in (bomb, b"\x93\x01\x01" + bomb, b"\x98\x03\x01\x01" + bomb):
        with pytest.raises(DecodeError):
            recode(body)
        with pytest.raises(Malformed):
            model.decode_body(body)


def test_every_cut_of_every_message_is_refused() -> None:
    messages: list[model.Frame] = [
        model.Configure(config=model.Config(agents=(model.AgentConfig(1),))),
        model.Arrive(
            channel=1, key=KEY, queue=1, requires=((model.Need(1, 50), model.Need(2, 30, negated=True)),)
        ),
        model.SignIn(agent=300, command_id=KEY),
        model.OfferMade(at=2**50, offer=1, contact=1, channel=1, queue=1, agent=1, deadline=2**50, config=3),
    ]
    for message in messages:
        body = model.encode_body(message)
        for cut in range(len(body)):
            with pytest.raises(DecodeError):
                recode(body[:cut])
            with pytest.raises(Malformed):
                model.decode_body(body[:cut])
        with pytest.raises(DecodeError, match="1 bytes follow the message"):
            recode(body + b"\x00")


def test_noise_is_refused_or_means_something() -> None:
    rng = random.Random(7)
    for _ in range(20_000):
        noise = rng.randbytes(rng.randint(0, 30))
        body = (
            noise if rng.random() < 0.3 else bytes([0x90 | rng.randint(0, 9), rng.randint(0, 90), 1]) + noise
        )
        try:
            canonical = recode(body)
        except DecodeError:
            continue
        assert recode(canonical) == canonical
        model.decode_body(canonical)


def test_frames_that_are_cut_off() -> None:
    whole = model.encode_frame(model.Restarted())
    assert list(model.split_frames(whole * 3)) == [whole[4:]] * 3
    for cut in range(1, len(whole)):
        with pytest.raises(Malformed, match="cut off"):
            list(model.split_frames(whole + whole[:cut]))

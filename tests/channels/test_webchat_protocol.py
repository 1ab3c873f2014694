"""What a page may say to a web chat, and how a fault is named."""

from __future__ import annotations

import json

import pytest

from channels.webchat import create, protocol
from channels.webchat.app import page_files, same_origin
from channels.webchat.limits import Bucket, Buckets
from engine.channel import StoredMessage
from engine.errors import ConfigError


def test_messages_are_typed() -> None:
    start = protocol.decode(
        '{"type":"start","chat":"0123456789abcdef","queue":"cards","name":"王芳","after":3}'
    )
    assert start == protocol.Start(chat="0123456789abcdef", queue="cards", name="王芳", after=3)
    assert protocol.decode('{"type":"hello"}') == protocol.Hello()
    assert protocol.decode('{"type":"end"}') == protocol.End()


@pytest.mark.parametrize(
    ("frame", "field", "expected"),
    [
        ('{"type":"say","external_id":"abcdefgh","text":7}', "text", "expected `str`, got `int`"),
        ('{"type":"say","external_id":"abcdefgh","text":""}', "text", "length >= 1"),
        ('{"type":"say","external_id":"abcdefgh","text":" \\n "}', "text", "only blanks"),
        ('{"type":"say","external_id":"../x","text":"hi"}', "external_id", "matching regex"),
        ('{"type":"say","external_id":"abcdefgh"}', "", "missing required field `text`"),
        ('{"type":"say","external_id":"abcdefgh","text":"x","contact":3}', "", "unknown field `contact`"),
        ('{"type":"start","chat":"abcdefgh","queue":"cards","after":-1}', "after", ">= 0"),
        ('{"type":"steal"}', "type", "steal"),
        ("{", "", "truncated"),
        ("[]", "", "expected `object`"),
        ('{"type":"end"}' + "x", "", "trailing"),
        ("[" * 100_000, "", "at most 65536 bytes"),
        ("[" * 60_000, "", "expected `object`"),
        ('{"type":"say","external_id":"abcdefgh","text":"' + "界" * 22_000 + '"}', "", "at most 65536 bytes"),
        ('{"type":"say","external_id":"abcdefgh","text":"' + "a" * 4_001 + '"}', "text", "length <= 4000"),
    ],
)
def test_a_fault_is_named(frame: str, field: str, expected: str) -> None:
    with pytest.raises(protocol.BadMessage) as caught:
        protocol.decode(frame)
    assert caught.value.field == field
    assert expected in str(caught.value)


def test_binary_frames_are_none_of_ours() -> None:
    with pytest.raises(protocol.BadMessage, match="binary"):
        protocol.decode(b'{"type":"end"}')


def test_the_page_sees_no_number_of_the_engine() -> None:
    stored = StoredMessage(4711, 3, "agent", "x-1", "<b>hi</b>", 1_700_000_000_000)
    frame = protocol.encode(protocol.Messages(chat="abcdefgh", messages=protocol.page_messages([stored])))
    assert json.loads(frame) == {
        "type": "messages",
        "chat": "abcdefgh",
        "messages": [
            {
                "position": 3,
                "sender": "agent",
                "text": "<b>hi</b>",
                "at_ms": 1_700_000_000_000,
                "external_id": "x-1",
            }
        ],
    }


def test_absent_fields_are_left_out_and_a_zero_is_not() -> None:
    waiting = protocol.ChatState(chat="abcdefgh", state="waiting", position=0)
    assert json.loads(protocol.encode(waiting)) == {
        "type": "chat",
        "chat": "abcdefgh",
        "state": "waiting",
        "position": 0,
    }


def test_a_chat_belongs_to_its_visitor() -> None:
    name = protocol.external_id("f00d", "abcdefgh")
    assert protocol.split_external_id(name) == ("f00d", "abcdefgh")
    assert protocol.split_external_id("somebody-else") is None
    assert protocol.split_external_id(".abcdefgh") is None
    assert protocol.split_external_id("f00d.x") is None


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"abandon_after_s": "soon"}, "abandon_after_s: expected `float`, got `str`"),
        ({"abandon_after_s": 0}, "abandon_after_s: expected `float` > 0"),
        ({"abandon": 60}, "abandon: unknown; web chat has prefix, title, queues, abandon_after_s, "),
        ({"prefix": "chat/"}, "prefix: expected `str` matching regex"),
        ({"queues": ["cards", 3]}, "queues[1]: expected `str`, got `int`"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, object], error: str) -> None:
    with pytest.raises(ConfigError) as caught:
        create(options)
    assert str(caught.value).startswith(error)


def test_only_this_site_s_pages_may_open_the_socket() -> None:
    assert same_origin("http://chat.example:8700", "chat.example:8700")
    assert same_origin("https://Chat.Example", "chat.example")
    assert not same_origin("http://evil.example", "chat.example:8700")
    assert not same_origin("http://chat.example", "chat.example:8700")
    assert not same_origin("null", "chat.example:8700")
    assert not same_origin(None, "chat.example:8700")
    assert not same_origin("http://chat.example:8700", None)


def test_the_page_is_complete_and_loads_nothing_from_elsewhere() -> None:
    files = page_files()
    assert {
        "index.html",
        "base.css",
        "chat.css",
        "chat.js",
        "link.js",
        "memory.js",
        "texts.js",
        "view.js",
    } <= set(files)
    for name, file in files.items():
        text = file.body.decode()
        for unsafe in ("innerHTML", "style=", "onclick="):
            assert unsafe not in text, f"{name} has {unsafe}"
        assert "http" not in text.replace("http://www.w3.org/2000/svg", "").replace("https:", ""), name


def test_a_bucket_refills_with_time() -> None:
    bucket = Bucket(per_minute=60, burst=2, now_s=0)
    assert [bucket.take(0), bucket.take(0)] == [0, 0]
    assert bucket.take(0) == pytest.approx(1.0)
    assert bucket.take(0.25) == pytest.approx(0.75)
    assert bucket.take(1.0) == 0
    assert bucket.take(1.0) > 0
    assert [bucket.take(1000), bucket.take(1000)] == [0, 0]
    assert bucket.take(1000) > 0


def test_buckets_are_bounded_and_keep_who_came_last() -> None:
    buckets = Buckets(per_minute=1, burst=1, capacity=2)
    assert buckets.take("a", 0) == 0
    assert buckets.take("b", 0) == 0
    assert buckets.take("a", 0) > 0
    assert buckets.take("c", 0) == 0
    assert buckets.take("a", 0) > 0
    assert buckets.take("b", 0) == 0


def test_a_long_history_comes_in_frames_that_a_reader_takes() -> None:
    stored = [
        StoredMessage(number, number, "agent", f"a{number}", "你" * 4_000, 0) for number in range(1, 40)
    ]
    frames = list(protocol.frames_of("chat-one-0001", stored))
    assert [one.position for frame in frames for one in frame.messages] == list(range(1, 40))
    assert max(len(protocol.encode(frame)) for frame in frames) < 72 * 1024
    assert len(frames) < len(stored), "and not one by one"
    assert list(protocol.frames_of("chat-one-0001", [])) == []

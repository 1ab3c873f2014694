"""The virtual-time driver from Python: columns in, columns out."""

from __future__ import annotations

from array import array
from typing import Any

import pytest

from engine.model import (
    AgentConfig,
    ChannelConfig,
    ChannelUnits,
    Config,
    Configure,
    QueueConfig,
    Restarted,
    SkillLevel,
    encode_body,
)
from engine.router import DecodeError, simulate

CONFIG = Config(
    channels=(ChannelConfig(1, exclusive=True),),
    skills=(1,),
    queues=(QueueConfig(1),),
    agents=(AgentConfig(1, skills=(SkillLevel(1, 50),), capacity=(ChannelUnits(1, 1),)),),
)
SECOND = 1_000_000


def columns(**changed: Any) -> dict[str, Any]:
    """One agent, three contacts of ten seconds; the third hangs up after four."""
    return {
        "config": encode_body(Configure(config=CONFIG)),
        "arrive_us": [1 * SECOND, 2 * SECOND, 3 * SECOND],
        "queue": [1, 1, 1],
        "service_us": [10 * SECOND, -1, 10 * SECOND],
        "patience_us": [-1, -1, 4 * SECOND],
        "head_start_us": [0, 0, 0],
        "channel": [1, 1, 1],
        "weight": [1, 1, 1],
        "duty_agent": [1],
        "duty_sign_in_us": [0],
        "duty_sign_out_us": [-1],
        "reached_talk_us": 5 * SECOND,
        **changed,
    }


def rows(**changed: Any) -> list[tuple[int, int, int]]:
    outcomes, waits, agents, _ = simulate(**columns(**changed))
    return list(zip(outcomes, array("Q", waits), array("I", agents), strict=True))


def test_a_small_day() -> None:
    assert rows() == [(0, 0, 1), (0, 9 * SECOND, 1), (1, 4 * SECOND, 0)]
    *_, metrics = simulate(**columns())
    assert metrics["commands"] > 6
    assert metrics["events"] > metrics["commands"]
    assert metrics.keys() >= {"commands", "events", "ended_at_us", "state_hash"}


def test_lists_and_buffers_are_the_same() -> None:
    packed = {name: array("q", value) for name, value in columns().items() if isinstance(value, list)}
    assert rows(**packed) == rows()
    assert rows(queue=(1, 1, 1)) == rows()


def test_what_a_contact_needs_beyond_its_queue() -> None:
    assert rows(requires=[[], [(1, 90)], []])[1] == (3, 0, 0), "nobody is that good"


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"weight": [1, 1]}, "weight has 2 items, arrive_us has 3"),
        ({"weight": [1, -1, 1]}, r"weight\[1\] is -1: out of range"),
        ({"service_us": [-2, 1, 1]}, r"service_us\[0\] is -2: out of range"),
        ({"queue": [1, 2**32, 1]}, r"queue\[1\] is 4294967296: out of range"),
        ({"duty_sign_in_us": []}, "duty_sign_in_us has 0 items, duty_agent has 1"),
        ({"duty_sign_out_us": [-1, -1]}, "duty_sign_out_us has 2 items, duty_agent has 1"),
        ({"requires": [[]]}, "requires has 1 items, arrive_us has 3"),
        ({"config": encode_body(Restarted())}, "config is not a configure body"),
    ],
)
def test_columns_that_do_not_fit(changed: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        simulate(**columns(**changed))


def test_other_bytes_are_no_configuration() -> None:
    with pytest.raises(DecodeError):
        simulate(**columns(config=b"x"))

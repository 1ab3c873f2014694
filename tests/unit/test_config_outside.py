"""Queues with a strategy from outside: what the file says, and what `paidui check-config` says of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.cli import main
from engine.config import read_site
from engine.config_compile import compile_config
from engine.config_types import OutsideSection
from engine.errors import ConfigError
from engine.model import Strategy
from engine.names import Names

HEAD = '[site]\nname = "one"\n[queues.q]\n'
FUNCTION = 'strategy = "outside"\nfunction = "tests.unit.own_strategies:last_one"\n'


def errors_of(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read_site(text, Path("/"))
    return caught.value.errors


def test_what_the_keys_say_goes_to_the_core() -> None:
    site = read_site(HEAD + FUNCTION + 'fallback = "random"\nchoice_timeout_ms = 50\n', Path("/"))
    assert site.queues["q"].outside == OutsideSection("tests.unit.own_strategies:last_one", "random", 50)
    (queue,) = compile_config(site, Names())[0].queues
    assert (queue.strategy, queue.fallback) == (Strategy.OUTSIDE, Strategy.RANDOM)
    assert queue.choice_timeout_us == 50_000


def test_defaults() -> None:
    site = read_site(HEAD + FUNCTION, Path("/"))
    outside = site.queues["q"].outside
    assert outside is not None
    assert (outside.fallback, outside.choice_timeout_ms) == ("longest_idle", 200)
    assert read_site(HEAD, Path("/")).queues["q"].outside is None


@pytest.mark.parametrize(
    ("keys", "error"),
    [
        ('strategy = "outside"', "queues.q.function: is missing; name the function that is asked"),
        ('strategy = "outside"\nfunction = "a.b"', 'queues.q.function: expected "package.module:name"'),
        ('strategy = "outside"\nfunction = "a b:c"', 'queues.q.function: expected "package.module:name"'),
        (FUNCTION + 'fallback = "outside"', "queues.q.fallback: expected "),
        (FUNCTION + "choice_timeout_ms = 0", "queues.q.choice_timeout_ms: expected 1..10000, got 0"),
        (FUNCTION + "choice_timeout_ms = 10001", "queues.q.choice_timeout_ms: expected 1..10000"),
        ('function = "a:b"', "queues.q.function: says nothing; the queue's strategy is not"),
        ('fallback = "random"', "queues.q.fallback: says nothing"),
        ("choice_timeout_ms = 5", "queues.q.choice_timeout_ms: says nothing"),
    ],
)
def test_every_error_is_named(keys: str, error: str) -> None:
    (found,) = errors_of(HEAD + keys)
    assert found.startswith(error)


def test_there_are_not_too_many_processes() -> None:
    queues = "".join(f"[queues.q{number}]\n{FUNCTION}" for number in range(66))
    first, second = errors_of('[site]\nname = "one"\n' + queues)
    assert first == 'queues.q64.strategy: at most 64 queues can have "outside"'
    assert second.startswith("queues.q65")


@pytest.mark.parametrize(
    ("function", "text"),
    [
        ("last_one", "good; site one"),
        ("no_such", "queues.q.function: tests.unit.own_strategies:no_such: AttributeError"),
        ("not_a_function", "expected a function, got int"),
    ],
)
def test_check_config_imports_the_function(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], function: str, text: str
) -> None:
    file = tmp_path / "site.toml"
    file.write_text(HEAD + FUNCTION.replace("last_one", function), "utf-8")
    main(["check-config", str(file)])
    told = capsys.readouterr()
    assert text in told.out + told.err

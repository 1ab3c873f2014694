"""Every scenario, word for word, from the oracle and from the router."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.oracle import commands as cmd
from tests.oracle import events as ev
from tests.oracle import mutants_direct
from tests.oracle.mutants_leases import MUTANTS_OF_LEASES
from tests.oracle.oracle import Oracle
from tests.oracle.oracle_executor import OracleExecutor
from tests.oracle.refusal import Code
from tests.scenario_commands import parse_command
from tests.scenario_text import Block, Executor, Player, parse, render, snake
from tests.scenario_write import command_lines
from tests.storm import Storm, perform

FOLDER = Path(__file__).parents[1] / "scenarios"
SCENARIOS = sorted(path.stem for path in FOLDER.glob("*.txt"))
# No text has a million contacts or a thousand channels; test_agreement.py has the limits of configurations.
NOT_IN_TEXT = {
    *(Code.TOO_MANY_CONTACTS, Code.TOO_MANY_CHANNELS, Code.TOO_MANY_SKILLS),
    *(Code.TOO_MANY_QUEUES, Code.TOO_MANY_AGENTS),
}


def oracle() -> Executor:
    return OracleExecutor()


def router() -> Executor:
    """The router in bytes; without the extension this fails, and must."""
    from tests.oracle.router_executor import RouterExecutor

    return RouterExecutor()


def typed_router() -> Executor:
    """The router through messages and exceptions."""
    from tests.oracle.router_executor import TypedExecutor

    return TypedExecutor()


def blocks_of(name: str) -> list[Block]:
    return parse((FOLDER / f"{name}.txt").read_text("utf-8"))


@pytest.mark.parametrize("executor", [oracle, router, typed_router])
@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(name: str, executor: Callable[[], Executor]) -> None:
    player = Player(executor())
    for block in blocks_of(name):
        played = player.play(block)
        assert played.expected == block.expected, f"{name}.txt:{block.line}: {block.source[0]}"


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_says_what_it_shows_and_ends_with_the_hash(name: str) -> None:
    blocks = blocks_of(name)
    assert blocks[0].comments, "the first block begins with what the file shows"
    assert blocks[-1].source == ("state_hash",)
    assert render(blocks) == (FOLDER / f"{name}.txt").read_text("utf-8"), (
        "blocks as `make scenarios` writes them"
    )


def test_a_wrong_expectation_is_noticed() -> None:
    blocks = blocks_of("late_accept")
    player = Player(oracle())
    wrong = Block(1, (), blocks[0].source, ("ok", "0 configured hash=ff"))
    assert player.play(wrong).expected != wrong.expected


@pytest.mark.parametrize("mutant", mutants_direct.MUTANTS + mutants_direct.RARE, ids=lambda one: one.__name__)
def test_a_planted_bug_is_found_in_its_scenario(mutant: type[Oracle]) -> None:
    player = Player(OracleExecutor(mutant()))
    assert any(player.play(block) != block for block in blocks_of("direct_beyond_capacity"))


@pytest.mark.parametrize("mutant", MUTANTS_OF_LEASES, ids=lambda one: one.__name__)
def test_a_planted_bug_of_leases_is_found_in_a_scenario(mutant: type[Oracle]) -> None:
    names = [name for name in SCENARIOS if name.startswith("lease_lost")]
    players = {name: Player(OracleExecutor(mutant())) for name in names}
    assert any(players[name].play(block) != block for name in names for block in blocks_of(name))


def test_all_that_can_be_asked_happen_and_be_refused_is_shown() -> None:
    words = {
        word
        for name in SCENARIOS
        for block in blocks_of(name)
        for line in (*block.source[:1], *block.expected)
        for word in line.split()
    }
    kinds = [snake(kind.__name__) for kind in (*cmd.KINDS, *ev.KINDS)]
    codes = [code.name.lower() for code in Code if code not in NOT_IN_TEXT]
    assert [name for name in (*kinds, *codes) if name not in words] == []


def test_commands_are_written_as_they_are_read() -> None:
    storm, executor = Storm(5), OracleExecutor()
    for _ in range(600):
        step = storm.next(executor.oracle)
        storm.seen(perform(executor, step).events)
        if step.command is not None:
            first, *below = command_lines(step.at, step.command)
            again = parse_command(first.split()[1:], below)
            assert _without_names(again) == _without_names(step.command)


def _without_names(command: cmd.Command) -> cmd.Command:
    if isinstance(command, cmd.Configure):
        return cmd.Configure(command.config._replace(names=b""))
    return command


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("ready agent=1\n", "expected a command and a line of ----"),
        ("----\nok\n", "expected a command and a line of ----"),
        ("fly agent=1\n----\n", "fly"),
        ("ready agent=1 wings=2\n----\n", "wings"),
        ("ready\n----\n", "agent"),
        ("@1.0001 ready agent=1\n----\n", "three decimals"),
        ("configure\n  wings 2\n----\n", "not a line of a configuration"),
    ],
)
def test_what_is_not_understood_is_named(text: str, fault: str) -> None:
    player = Player(oracle())
    with pytest.raises(ValueError, match=fault):
        [player.play(block) for block in parse(text)]

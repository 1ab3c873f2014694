"""The router and the oracle agree, command by command: results, events, hashes, everything that can be read.

AGREEMENT_COMMANDS (default 30,000) says how many random commands are tried; `make torture` tries a million.
A failure prints a shortened scenario; put it into tests/scenarios once it is understood.
"""

from __future__ import annotations

import itertools
import os
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.router import Router
from tests.oracle import Code, Refusal, mutants, mutants_demand, mutants_direct, wire
from tests.oracle import commands as cmd
from tests.oracle import events as ev
from tests.oracle.agreement import Candidate, as_scenario, replay, shortened, storm
from tests.oracle.config import (
    NO_LIMIT,
    AgentConfig,
    ChannelConfig,
    ChannelUnits,
    Config,
    Order,
    QueueConfig,
    Strategy,
)
from tests.oracle.mutants_demand import OnlyTheFirstAlternative
from tests.oracle.oracle import Oracle
from tests.oracle.oracle_executor import OracleExecutor
from tests.oracle.router_executor import RouterExecutor
from tests.oracle.state import MAX_HOPS
from tests.scenario_text import Outcome
from tests.storm import Step, Storm, perform
from tests.storm_config import HEAVY, QUIET, SMALL, WIDE, Scale
from tests.storm_reach import DIRECT, Reaching, all_fields, all_ways, told, ways
from tests.storm_record import link, record

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = int(os.environ.get("AGREEMENT_COMMANDS", "30000"))
COMMANDS_A_SEED = 3_000
SEEDS = range(1, -(-COMMANDS // COMMANDS_A_SEED) + 1)
WIDE_COMMANDS = 1_500 if COMMANDS > 30_000 else 1_000
WIDE_SEEDS = range(1, -(-COMMANDS // 30_000) + 1)
SAMPLED = 8


def router() -> Candidate:
    return RouterExecutor()


@pytest.mark.slow  # thousands of commands, each of them compared
@pytest.mark.parametrize("seed", SEEDS)
def test_the_router_agrees_with_the_oracle(seed: int) -> None:
    agree(seed, COMMANDS_A_SEED, SMALL)


@pytest.mark.slow  # thousands of commands, each of them compared
@pytest.mark.parametrize("seed", SEEDS)
def test_the_router_agrees_on_a_quiet_floor(seed: int) -> None:
    agree(seed, COMMANDS_A_SEED, QUIET)


@pytest.mark.slow  # thousands of commands, each of them compared
@pytest.mark.parametrize("seed", SEEDS)
def test_the_router_agrees_where_contacts_are_heavy(seed: int) -> None:
    agree(seed, COMMANDS_A_SEED, HEAVY)


@pytest.mark.slow  # hundreds of agents and contacts, all pairs looked at
@pytest.mark.parametrize("seed", WIDE_SEEDS)
def test_the_router_agrees_on_a_wide_floor(seed: int) -> None:
    agree(seed, WIDE_COMMANDS, WIDE)


def agree(seed: int, commands: int, scale: Scale) -> None:
    """Fail with a shortened scenario where router and oracle differ."""
    steps, difference = storm(seed, commands, router(), scale)
    if difference is not None:
        short = shortened(steps, router)
        pytest.fail(f"step {len(steps)} of seed {seed}\n{replay(short, router())}\n\n{as_scenario(short)}")


def planted() -> list[Any]:
    """Every planted bug for `make torture`, every eighth for the default suite: all take half an hour."""
    every = mutants.MUTANTS + mutants_demand.MUTANTS + mutants_direct.MUTANTS
    rare = [() if place % SAMPLED == 0 else pytest.mark.torture for place in range(len(every))]
    return [pytest.param(one, id=one.__name__, marks=marks) for one, marks in zip(every, rare, strict=True)]


@pytest.mark.slow  # as many commands as a bug may take to show
@pytest.mark.parametrize("mutant", planted())
def test_a_planted_bug_is_found(mutant: type[Oracle]) -> None:
    storms = ((seed, scale) for seed in range(1, 31) for scale in (SMALL, QUIET, HEAVY))
    found = (storm(seed, COMMANDS_A_SEED, OracleExecutor(mutant()), scale)[1] for seed, scale in storms)
    assert any(found), f"nobody would notice: {mutant.__doc__}"


def test_without_a_bug_nothing_is_found() -> None:
    assert storm(1, 300, OracleExecutor())[1] is None


@pytest.mark.slow  # tries many shorter versions of a storm
def test_a_failure_is_shortened_to_a_scenario() -> None:
    def candidate() -> Candidate:
        return OracleExecutor(OnlyTheFirstAlternative())

    steps, difference = storm(1, COMMANDS_A_SEED, candidate())
    assert difference is not None
    short = shortened(steps, candidate, attempts=300)
    assert len(short) < len(steps) / 4
    assert replay(short, candidate()) is not None
    assert as_scenario(short).count("----") == len(short)


def test_the_router_takes_a_command_file() -> None:
    recording, router, chain = record(4, 1_000), Router(), 0
    start = 0
    while start < len(recording.frames):
        at, length = struct.unpack_from(">QI", recording.frames, start)
        body = recording.frames[start + 12 : (start := start + 12 + length)]
        code, value, frames = router.apply_raw(at, body) if body else (0, 0, router.advance(at))
        outcome = Outcome(Code(code) if code else None, value, wire.read_events(frames))
        chain = link(chain, outcome, router.state_hash())
    assert chain == recording.chain


@pytest.mark.slow  # cargo builds the player where it has not yet
def test_the_rust_crates_alone_come_to_the_same_chain(tmp_path: Path) -> None:
    recording = record(6, COMMANDS if COMMANDS > 30_000 else 2_000)
    file = tmp_path / "storm.bin"
    file.write_bytes(recording.frames)
    player = ["cargo", "run", "-q", "--release", "--locked", "-p", "router_wire", "--example", "storm", file]
    done = subprocess.run(player, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"{recording.chain:016x}"


@pytest.mark.slow  # a storm once more, in batches
def test_a_batch_is_its_commands_one_after_the_other() -> None:
    blowing, single, batched = Storm(8), OracleExecutor(), Router()
    forward = (step for step in _steps(blowing, single, COMMANDS_A_SEED))
    for seq, (at, group) in enumerate(itertools.groupby(forward, key=lambda pair: pair[0].at), 1):
        steps, outcomes = zip(*group, strict=True)
        bodies = [wire.command_body(step.command) for step in steps if step.command is not None]
        frames = b"".join(len(body).to_bytes(4) + body for body in bodies)
        batch = batched.apply_batch(seq, at, [(0, 0, frames)])
        asked = [outcome for step, outcome in zip(steps, outcomes, strict=True) if step.command is not None]
        assert batch.results() == [(outcome.refused or 0, outcome.value) for outcome in asked]
        assert wire.read_events(batch.events) == [event for outcome in outcomes for event in outcome.events]
    assert batched.state_hash() == single.state_hash()


def _steps(blowing: Storm, executor: OracleExecutor, count: int) -> Iterator[tuple[Step, Outcome]]:
    """Yield steps that a batch can hold: a service's clock never goes back."""
    for _ in range(count):
        step = blowing.next(executor.oracle)
        # A restart is the first thing in its batch, and time passes between batches only.
        begins = step.command is None or isinstance(step.command, cmd.Restarted)
        earliest = executor.oracle.now + begins
        step = step._replace(at=max(step.at, earliest))
        outcome = perform(executor, step)
        blowing.seen(outcome.events)
        yield step, outcome


@pytest.mark.slow  # a storm long enough to reach the rare cases
def test_the_storm_reaches_everything() -> None:
    kinds, codes, strategies = set[type](), set[Code](), set[Strategy]()
    fields, causes, hops, direct = set[str](), set[str](), set[int](), set[str]()
    withdrawn_by = set[ev.EndedBy]()
    for seed in SEEDS[:10]:
        blowing, executor = Storm(seed), OracleExecutor(Reaching(direct))
        for _ in range(COMMANDS_A_SEED):
            step = blowing.next(executor.oracle)
            outcome = perform(executor, step)
            blowing.seen(outcome.events)
            codes |= {outcome.refused} if outcome.refused else set()
            kinds |= {type(step.command), *map(type, outcome.events)}
            fields |= set() if outcome.refused else set(told(step.command))
            causes |= {way for one in outcome.events for way in ways(one)}
            hops |= {contact.hops for contact in executor.oracle.contacts.values()}
            withdrawn_by |= {one.by for one in outcome.events if isinstance(one, ev.Withdrawn)}
            offered = {event.queue for event in outcome.events if isinstance(event, ev.OfferMade)}
            queues = executor.oracle.queues.values()
            strategies |= {queue.strategy for queue in queues if queue.id in offered}
    too_many = {code for code in Code if code.name.startswith("TOO_MANY")}
    assert set(Code) - codes == too_many, "of the codes"
    assert {*cmd.KINDS, *ev.KINDS, type(None)} - kinds == set(), "of the commands and events"
    assert strategies == set(Strategy)
    assert all_fields() - fields == set(), "of the fields that may be left out"
    assert all_ways() - causes == set(), "of the reasons for what happens"
    assert hops == set(range(MAX_HOPS + 1))
    assert withdrawn_by == {ev.EndedBy.DEADLINE, ev.EndedBy.SUPERVISOR, ev.EndedBy.ENGINE}
    assert set(DIRECT) - direct == set(), "of what goes beyond an agent's capacity"


EMPTY = Config(Order.LONGEST, 3, 1, NO_LIMIT, 1, 1, 0, 0, 0, *[()] * 8, b"", bytes(32))
CHANNEL, QUEUE = ChannelConfig(1, False, True, 1), QueueConfig(1, (), 0, NO_LIMIT, 1, 0)


@pytest.mark.parametrize(
    ("field", "entries"),
    [
        ("channels", tuple(CHANNEL._replace(id=number) for number in range(1, 1_002))),
        ("skills", tuple(range(1, 10_002))),
        ("queues", tuple(QUEUE._replace(id=number) for number in range(1, 10_002))),
        ("agents", tuple(AgentConfig(number, (), ()) for number in range(1, 200_002))),
    ],
)
@pytest.mark.parametrize("surplus", [0, 1])
def test_limits_of_a_configuration(field: str, entries: tuple[object, ...], surplus: int) -> None:
    values = {field: entries[: len(entries) - 1 + surplus]}
    step = Step(1, cmd.Configure(EMPTY._replace(**values)))  # type: ignore[arg-type]
    ours, theirs = perform(OracleExecutor(), step), perform(router(), step)
    assert ours == theirs
    assert ours.refused == (Code[f"TOO_MANY_{field.upper()}"] if surplus else None)


def test_a_choice_names_64_agents_at_most() -> None:
    queue = QUEUE._replace(strategy=Strategy.OUTSIDE, fallback=Strategy.TOP_DOWN)
    agents = tuple(AgentConfig(number, (), (ChannelUnits(1, 1),)) for number in range(70, 0, -1))
    config = EMPTY._replace(channels=(CHANNEL,), queues=(queue,), agents=agents)
    commands = [cmd.Configure(config), *(cmd.SignIn(one.id) for one in agents), cmd.Arrive(1, bytes(16), 1)]
    for executor in (OracleExecutor(), router()):
        *_, last = [perform(executor, Step(1, command)).events for command in commands]
        assert isinstance(last[-1], ev.ChoiceWanted)
        assert last[-1].agents == tuple(range(70, 6, -1))


def test_an_oracle_with_small_limits_refuses_what_is_too_much() -> None:
    small = Oracle(Oracle().limits._replace(max_contacts=1, max_remembered_offers=1))
    config = Config(
        *(Order.LONGEST, 3, 1, NO_LIMIT, 1, 1, 0, 0, 0, ()),
        *((CHANNEL,), (), (), (), (QUEUE,), (), (), b"", bytes(32)),
    )
    small.apply(1, cmd.Configure(config))
    small.apply(1, cmd.Arrive(1, bytes(16), 1))
    with pytest.raises(Refusal, match="too_many_contacts 1"):
        small.apply(1, cmd.Arrive(1, bytes([1] * 16), 1))

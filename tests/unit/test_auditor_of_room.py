"""The auditor of room finds offers to agents who have none, and nothing else."""

from __future__ import annotations

import pytest

from tests.oracle.auditor_capacity import Capacity
from tests.oracle.mutants_direct import ForGood, HoldsNothing, NoRoomIsNeeded
from tests.oracle.mutants_in_hand import ParkedWrapUpHolds
from tests.oracle.oracle import Oracle
from tests.oracle.oracle_executor import OracleExecutor
from tests.storm import Storm, perform

COMMANDS_A_SEED = 3_000


def beyond_capacity(oracle: type[Oracle]) -> int:
    """Audit the room of every offer in a few storms; return how many needed none."""
    beyond = 0
    for seed in range(1, 7):
        blowing, executor, capacity = Storm(seed), OracleExecutor(oracle()), Capacity()
        for _ in range(COMMANDS_A_SEED):
            step = blowing.next(executor.oracle)
            outcome = perform(executor, step)
            blowing.seen(outcome.events)
            capacity.feed(step.command, outcome.events)
        beyond += capacity.beyond
    return beyond


@pytest.mark.slow  # storms long enough to fill hands
@pytest.mark.parametrize("oracle", [Oracle, ParkedWrapUpHolds])
def test_whoever_offers_too_little_is_not_the_auditors_of_room(oracle: type[Oracle]) -> None:
    assert beyond_capacity(oracle) > 50


@pytest.mark.slow  # storms long enough to fill hands
@pytest.mark.parametrize("oracle", [ForGood, HoldsNothing, NoRoomIsNeeded])
def test_whoever_offers_too_much_is_caught_without_a_comparison(oracle: type[Oracle]) -> None:
    with pytest.raises(AssertionError, match="no room beside"):
        beyond_capacity(oracle)

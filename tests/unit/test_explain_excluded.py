"""An exclusion is what it is told to be: take it out of the arrival, and the replay decides otherwise.

Nobody can take an exclusion back, so the stated fix cannot be applied where the contact stands; what can be
done is to let it arrive once more without it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random

import msgspec
import pytest

from engine.explain import Explained
from engine.model import Arrive, Arrived, Configure, encode_body
from engine.router import Router
from tests.unit.explain_cases import STEPS
from tests.unit.explain_storm import WAITING, Moment, configured, is_offered, others, storm, tell, without

ENOUGH = 15


def arrived(moment: Moment, command: Arrive, agent: int) -> tuple[Router, int] | None:
    """Let a contact arrive where only this agent can take anything; None where it is none, or waits not."""
    router = moment.router()
    if router.config() is None or moment.at < router.now:
        return None
    router.advance(moment.at)
    router.apply(router.now, Configure(config=without(configured(router), others(configured(router), agent))))
    router.apply_raw(moment.at, encode_body(command))
    contacts = [event.contact for event in router.events if isinstance(event, Arrived)]
    return (router, contacts[0]) if contacts else None


def without_exclusion(command: Arrive, agent: int) -> Arrive:
    return msgspec.structs.replace(command, excludes=tuple(one for one in command.excludes if one != agent))


def excluded(seed: int) -> Iterator[tuple[Moment, Arrive, int, Explained]]:
    """Yield arrivals of a storm that wait and exclude an agent, with what is said of the two."""
    random = Random(seed)
    for moment, oracle in storm(seed, STEPS, calm=True):
        command = moment.command
        if not isinstance(command, Arrive) or not set(command.excludes) & set(oracle.agents):
            continue
        agent = random.choice(sorted(set(command.excludes) & set(oracle.agents)))
        if agent in command.preferred:
            continue  # then it ends the preference, too, and more than itself is changed without it
        if (found := arrived(moment, command, agent)) is None:
            continue
        router, contact = found
        line = router.contact(contact)
        # In another queue it overflowed because nobody but the excluded one is there.
        if line is not None and (line.state, line.queue) == (WAITING, command.queue):
            yield moment, command, agent, tell(router, contact, agent)


@pytest.mark.slow  # a few dozen storms
def test_without_the_exclusion_it_goes_there_if_nothing_else_is_told_to_fail() -> None:
    seen = Counter[bool]()
    for seed in range(100, 300):
        for moment, command, agent, told in excluded(seed):
            failing = [reason.predicate for reason in told.failing]
            assert "not_excluded" in failing
            assert [fix.action for fix in told.fixes if fix.predicate == "not_excluded"] == ["pass_on"]
            again = arrived(moment, without_exclusion(command, agent), agent)
            assert again is not None
            router, contact = again
            assert is_offered(router, contact, agent) == (failing == ["not_excluded"]), told
            if len(failing) > 1:
                left = {reason.predicate for reason in tell(router, contact, agent).failing}
                assert left == set(failing) - {"not_excluded"}, told
            seen[len(failing) == 1] += 1
        if min(seen[True], seen[False]) >= ENOUGH:
            return
    pytest.fail(f"storms do not bring enough of both: {seen}")

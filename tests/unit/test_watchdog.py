"""The invariants' check: a pair that stays undecided is found, and a sound router is not slowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.config import read_site
from engine.config_compile import compile_config
from engine.model import Arrive, Configure, SignIn, encode_frame
from engine.names import Names
from engine.router import Router
from engine.testing.fixtures import SMALL_SITE
from engine.watchdog import CHECK_SHARE, InvariantBroken, InvariantCheck, stacks

AT_US = 1_000_000


@pytest.fixture
def waiting(tmp_path: Path) -> tuple[Router, bytes]:
    """A router where a contact waits, and the frame by which an agent comes for it."""
    config, names = compile_config(read_site(SMALL_SITE, tmp_path), Names())
    router = Router()
    router.apply(AT_US, Configure(config=config))
    queue, channel = names.id("queue", "loans"), names.id("channel", "chat")
    router.apply(AT_US, Arrive(channel=channel, key=bytes(16), queue=queue))
    sign_in = encode_frame(SignIn(agent=names.id("agent", "bob"), command_id=bytes(16)))
    return router, sign_in


class Clock:
    """Seconds that a test sets, or that each look takes."""

    def __init__(self, step_s: float = 0.0) -> None:
        self.now_s = 0.0
        self.step_s = step_s

    def __call__(self) -> float:
        self.now_s += self.step_s
        return self.now_s


def test_a_pair_that_stays_undecided_is_found(waiting: tuple[Router, bytes]) -> None:
    """The planted bug: a router that has let the agent in and has not matched."""
    router, sign_in = waiting
    undecided = router.before_offer(AT_US + 1, sign_in, 1)
    assert undecided is not None
    assert InvariantCheck(60, Clock()).look(router, 7)
    with pytest.raises(InvariantBroken, match=r"^batch 7: .*an eligible pair is offered"):
        InvariantCheck(60, Clock()).look(undecided, 7)


def test_it_looks_now_and_then(waiting: tuple[Router, bytes]) -> None:
    clock = Clock()
    check = InvariantCheck(60, clock)
    looked = []
    for now_s in (0, 1, 59, 60, 61, 119, 120):
        clock.now_s = now_s
        looked.append(check.look(waiting[0], 1))
    assert looked == [True, False, False, True, False, False, True]
    assert not InvariantCheck(0, clock).look(waiting[0], 1)


def test_a_long_look_makes_the_next_one_later(waiting: tuple[Router, bytes]) -> None:
    clock = Clock(step_s=10)  # each look at the clock: one look at the router takes 10 s
    check = InvariantCheck(1, clock)
    assert check.look(waiting[0], 1)
    clock.step_s = 0
    clock.now_s = 10 + 10 / CHECK_SHARE - 1
    assert not check.look(waiting[0], 1)
    clock.now_s += 1
    assert check.look(waiting[0], 1)


def test_a_site_that_would_take_too_long_is_left_alone(
    waiting: tuple[Router, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.watchdog.MOST_PAIRS", 1)
    assert not InvariantCheck(60, Clock()).look(waiting[0], 1)


def test_a_router_without_configuration_has_nothing_to_check() -> None:
    assert not InvariantCheck(60, Clock()).look(Router(), 0)


def test_stacks_show_where_and_never_what() -> None:
    secret = "a customer's words"
    assert any("test_stacks_show_where" in line for line in stacks())
    assert secret not in "\n".join(stacks())

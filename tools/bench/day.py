"""A day of 800 agents and 43,000 calls on virtual time: played inside Rust, and driven from Python."""

from __future__ import annotations

import os
import time
from array import array
from collections.abc import Callable

from engine.model import Configure, encode_body
from engine.router import simulate
from loadtest.drive_virtual import build_config, simulate_scenario
from loadtest.plan import PlannedContact, plan_contacts
from loadtest.scenario import Scenario, load_scenario
from tools.bench.table import show, title

REPEATS = 3
METHOD = """\
Inside Rust: one call from Python with the columns ready, calls accepted at once. Driven from Python: an
agent thinks, answers, talks and wraps up in Python, and every command and event crosses the binding."""
TALK_WHEN_UNKNOWN_US = 0  # every call of the plan has its talk


def run(quick: bool) -> None:
    """Prints how long the day takes: the least of three runs, which is what neighbours disturb least."""
    title("a day of 800 agents and 43,000 calls, on virtual time")
    scenario = load_scenario("day_of_800")
    contacts = list(plan_contacts(scenario, scenario.duration_s))
    print(f"{scenario.agents} agents, {len(contacts):,} calls in 24 h. {METHOD}", flush=True)
    rows = [
        ["inside Rust", *_timed(lambda: _inside_rust(scenario, contacts))],
        ["driven from Python", *_timed(lambda: _from_python(scenario), 1 if quick else REPEATS)],
    ]
    show(["the day", "processor", "clock", "every run by the clock", "what happened"], rows)
    load = f"{os.getloadavg()[0]:.2f}"
    print(f"targets: 1 s inside Rust, 5 s driven from Python; load average {load}", flush=True)


def _timed(play: Callable[[], str], repeats: int = REPEATS) -> list[str]:
    """Plays some times: the least processor time, the least and every time by the clock, what happened."""
    processor, clock, said = [], [], ""
    for _ in range(repeats):
        begun, busy = time.perf_counter(), time.process_time()
        said = play()
        processor.append(time.process_time() - busy)
        clock.append(time.perf_counter() - begun)
    every = ", ".join(f"{each:.2f}" for each in clock)
    return [f"{min(processor):.2f} s", f"{min(clock):.2f} s", every, said]


def _inside_rust(scenario: Scenario, contacts: list[PlannedContact]) -> str:
    count, agents = len(contacts), scenario.agents
    outcomes, _, _, metrics = simulate(
        encode_body(Configure(config=build_config(scenario))),
        arrive_us=array("q", [contact.at_us for contact in contacts]),
        queue=array("q", [contact.queue + 1 for contact in contacts]),
        service_us=array("q", [contact.talk_us for contact in contacts]),
        patience_us=array("q", [-1 if c.patience_us is None else c.patience_us for c in contacts]),
        head_start_us=array("q", [contact.head_start_us for contact in contacts]),
        channel=array("q", [1]) * count,
        weight=array("q", [1]) * count,
        duty_agent=array("q", range(1, agents + 1)),
        duty_sign_in_us=array("q", [0]) * agents,
        duty_sign_out_us=array("q", [-1]) * agents,
        reached_talk_us=TALK_WHEN_UNKNOWN_US,
    )
    return f"{outcomes.count(0):,} served; {metrics}"


def _from_python(scenario: Scenario) -> str:
    _, site = simulate_scenario(scenario)
    return f"{site.commands:,} commands, {site.events:,} events"

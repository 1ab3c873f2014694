"""Strategies from outside through the running service: who is chosen, and that nothing they do harms."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import structlog
import trio

from engine import strategy_process
from engine.bus import ForAll
from engine.clock import SystemClock
from engine.model import Abandon, Arrive, ChoiceCause, ChoiceOver, ChoiceWanted, OfferMade
from engine.service import Service
from engine.strategy_process import Faults, StrategyProcess
from engine.subscription import Subscription
from engine.testing.fixtures import SMALL_SITE, small_service

HERE = "tests.unit.own_strategies"
pytestmark = pytest.mark.slow  # each starts a process, which takes its time


def text_of(function: str, timeout_ms: int = 3_000, more: str = "") -> str:
    """The small site, in which loans asks a function and falls back on the first in the file."""
    keys = (
        f'strategy = "outside"\nfunction = "{HERE}:{function}"\nfallback = "top_down"\n'
        f"choice_timeout_ms = {timeout_ms}"
    )
    site = SMALL_SITE.replace("[queues.loans]", f"[queues.loans]\n{keys}")
    return site.replace("capacity = { chat = 1, voice = 1 }", "capacity = { chat = 2, voice = 1 }") + more


class Stage:
    """A service with both agents ready, and what has happened."""

    def __init__(self, service: Service, events: Subscription) -> None:
        self.service = service
        self.events = events
        self.next_key = 0

    async def arrives(self) -> int:
        names = self.service.names
        self.next_key += 1
        return await self.service.command(
            Arrive(
                channel=names.id("channel", "chat"),
                key=self.next_key.to_bytes(16, "big"),
                queue=names.id("queue", "loans"),
            )
        )

    async def decided(self) -> tuple[str, ChoiceCause]:
        """Whom the next choice went to, and why."""
        over: ChoiceOver | None = None
        with trio.fail_after(20):
            async for _, _, events in self.events:
                for _, event in events:
                    if isinstance(event, ChoiceOver):
                        over = event
                    elif isinstance(event, OfferMade) and over is not None:
                        assert (event.agent, event.contact) == (over.agent, over.contact)
                        return self.service.names.name("agent", event.agent), over.cause
        raise AssertionError("nothing was decided")

    async def served(self) -> tuple[str, ChoiceCause]:
        """One contact from its arrival to its end; whom it was offered to."""
        contact = await self.arrives()
        decided = await self.decided()
        await self.service.command(Abandon(channel=self.service.names.id("channel", "chat"), contact=contact))
        return decided


@asynccontextmanager
async def stage(folder: Path, text: str) -> AsyncIterator[Stage]:
    async with small_service(folder, clock=SystemClock(), text=text) as service:
        for agent in ("ann", "bob"):
            await service.desk(agent).sign_in()
        with service.subscribe(ForAll()) as events:
            assert service.outside is not None
            await until(lambda: running(service).pid is not None)
            yield Stage(service, events)


def running(service: Service) -> StrategyProcess:
    assert service.outside is not None
    return service.outside.processes["loans"]


async def until(is_so: Callable[[], bool]) -> None:
    with trio.fail_after(20):
        while not is_so():
            await trio.sleep(0.01)


@pytest.fixture
def log() -> list[dict[str, object]]:
    with structlog.testing.capture_logs() as entries:
        yield entries  # type: ignore[misc]


async def test_its_choice_counts(tmp_path: Path) -> None:
    async with stage(tmp_path, text_of("last_one")) as play:
        assert await play.served() == ("bob", ChoiceCause.CHOSEN)
        assert await play.served() == ("bob", ChoiceCause.CHOSEN)


async def test_it_keeps_in_mind_what_it_likes(tmp_path: Path) -> None:
    async with stage(tmp_path, text_of("by_turns")) as play:
        assert [(await play.served())[0] for _ in range(4)] == ["ann", "bob", "ann", "bob"]


async def test_it_is_told_of_the_contact_and_its_candidates(tmp_path: Path) -> None:
    async with stage(tmp_path, text_of("nobody")) as play:
        wanted: list[ChoiceWanted] = []
        with play.service.subscribe(ForAll()) as events:
            contact = await play.arrives()
            async for _, _, batch in events:
                wanted += [event for _, event in batch if isinstance(event, ChoiceWanted)]
                if wanted:
                    break
        assert play.service.outside is not None
        choice = play.service.outside._choice(wanted[0])
        assert choice is not None
        assert (choice.contact, choice.channel, choice.queue) == (contact, "chat", "loans")
        assert choice.deadline_us - choice.at_us == 3_000_000
        assert choice.waited_us == 0
        ann = choice.candidates[0]
        assert (ann.name, ann.skills, ann.units) == ("ann", {"cards": 50}, 2)
        assert [one.name for one in choice.candidates] == ["ann", "bob"]


async def test_what_it_leaves_goes_to_the_fallback_at_once(tmp_path: Path) -> None:
    async with stage(tmp_path, text_of("nobody")) as play:
        assert await play.served() == ("ann", ChoiceCause.LEFT_TO_FALLBACK)


async def test_a_slow_one_holds_nobody_up(tmp_path: Path, log: list[dict[str, object]]) -> None:
    async with stage(tmp_path, text_of("slow", 50)) as play:
        for _ in range(3):
            assert await play.served() == ("ann", ChoiceCause.DEADLINE)
        await until(lambda: any(entry.get("time_out") for entry in log))
        assert running(play.service).starts == 1, "slow is not dead"


async def test_one_that_never_answers_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: list[dict[str, object]]
) -> None:
    monkeypatch.setattr(strategy_process, "HANGS_AFTER_S", 0.2)
    async with stage(tmp_path, text_of("hangs", 50)) as play:
        first = running(play.service).pid
        assert await play.served() == ("ann", ChoiceCause.DEADLINE)
        await until(lambda: running(play.service).pid not in (None, first))
        assert await play.served() == ("ann", ChoiceCause.DEADLINE)


async def test_one_that_raises_is_told_once_a_minute(tmp_path: Path, log: list[dict[str, object]]) -> None:
    async with stage(tmp_path, text_of("raises")) as play:
        for _ in range(5):
            assert await play.served() == ("ann", ChoiceCause.LEFT_TO_FALLBACK)
        told = [entry for entry in log if entry.get("queue") == "loans"]
        assert [(entry["raised"], entry["last"]) for entry in told] == [(1, "KeyError: 'regulars'")]
        assert running(play.service).starts == 1


async def test_nonsense_is_left_to_the_fallback(tmp_path: Path, log: list[dict[str, object]]) -> None:
    async with stage(tmp_path, text_of("nonsense")) as play:
        for _ in range(2):
            assert await play.served() == ("ann", ChoiceCause.LEFT_TO_FALLBACK)
        (told,) = (entry for entry in log if entry.get("queue") == "loans")
        assert (told["nonsense"], told["last"]) == (1, "expected a name, got int")


async def test_one_that_kills_its_process_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: list[dict[str, object]]
) -> None:
    monkeypatch.setenv("OWN_STRATEGY_FLAG", str(tmp_path / "died"))
    async with stage(tmp_path, text_of("dies", 10_000)) as play:
        began = trio.current_time()
        assert await play.served() == ("ann", ChoiceCause.LEFT_TO_FALLBACK)
        assert trio.current_time() - began < 5, "nobody waits for the deadline"
        assert [entry["process_ended"] for entry in log if entry.get("queue") == "loans"] == [1]
        await until(lambda: running(play.service).pid is not None)
        assert await play.served() == ("bob", ChoiceCause.CHOSEN)
        assert running(play.service).starts == 2


async def test_a_process_that_is_killed_while_idle_is_started_again(tmp_path: Path) -> None:
    async with stage(tmp_path, text_of("last_one")) as play:
        pid = running(play.service).pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await until(lambda: running(play.service).pid is None)
        assert await play.served() == ("ann", ChoiceCause.LEFT_TO_FALLBACK), "not running: at once"
        await until(lambda: running(play.service).pid is not None)
        assert await play.served() == ("bob", ChoiceCause.CHOSEN)


@pytest.mark.parametrize(
    ("function", "text"),
    [
        ("no_such", "AttributeError"),
        ("not_a_function", "expected a function, got int"),
    ],
)
async def test_a_function_that_is_not_there_is_named_and_harmless(
    tmp_path: Path, log: list[dict[str, object]], function: str, text: str
) -> None:
    async with small_service(tmp_path, clock=SystemClock(), text=text_of(function)) as service:
        await service.desk("ann").sign_in()
        await until(lambda: any(text in str(entry.get("last")) for entry in log))
        with service.subscribe(ForAll()) as events:
            play = Stage(service, events)
            assert await play.served() == ("ann", ChoiceCause.LEFT_TO_FALLBACK)


async def test_no_more_than_some_wait_for_an_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strategy_process, "QUEUED_CHOICES", 1)
    more = "".join(f"[agents.a{number}]\ncapacity = {{ chat = 2 }}\n" for number in range(6))
    async with stage(tmp_path, text_of("slow", 2_000, more)) as play:
        for _ in range(4):
            await play.arrives()
        causes = [(await play.decided())[1] for _ in range(4)]
        # One is asked, one waits; what came behind them is decided before both.
        assert causes[:2] == [ChoiceCause.LEFT_TO_FALLBACK] * 2
        assert causes[2:] == [ChoiceCause.CHOSEN] * 2


async def test_what_a_restart_finds_waits_for_no_process(tmp_path: Path) -> None:
    async with stage(tmp_path, text_of("hangs", 10_000)) as play:
        contact = await play.arrives()
    began = trio.current_time()
    async with stage(tmp_path, text_of("last_one", 10_000)) as play:
        await until(lambda: [one.contact for one in play.service.desk("ann").state().offers] == [contact])
        assert trio.current_time() - began < 8, "the process was starting: the fallback decided at once"
        assert await play.served() == ("bob", ChoiceCause.CHOSEN), "and is asked from then on"


async def test_faults_are_told_at_once_and_then_once_a_minute(autojump_clock: trio.testing.MockClock) -> None:
    told: list[dict[str, object]] = []
    faults = Faults("loans", lambda _, **values: told.append(values))
    for _ in range(3):
        faults.note("raised", "KeyError: 1")
    assert told == [{"queue": "loans", "last": "KeyError: 1", "raised": 1}]
    await trio.sleep(strategy_process.LOG_EVERY_S)
    faults.note("time_out")
    assert told[1:] == [{"queue": "loans", "last": "KeyError: 1", "raised": 2, "time_out": 1}]
    faults.tell()
    assert len(told) == 2, "nothing new"

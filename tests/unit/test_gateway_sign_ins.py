"""An edge acts for agents whose sign-ins it has shown, and no longer than these last."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trio
import trio.testing
from structlog.testing import capture_logs

from engine.errors import Busy
from engine.gateway_sign_ins import CHECK_EVERY_S, UNCHECKED_FOR_S
from engine.logins import SIGN_IN_TTL_S, Logins
from engine.model import (
    Ack,
    AgentReady,
    AgentSignedIn,
    Attach,
    Detach,
    Detached,
    Events,
    Frame,
    Message,
    Ready,
    Refusal,
    SignIn,
    encode_frame,
)
from engine.returning import Desks
from engine.service import Service
from engine.store import Store
from engine.testing.fixtures import MemoryStore
from engine.wire_client import Client, NotTaken, connect
from tests.unit.gateway_site import TOKENS, served, token, wait_for

MockClock = trio.testing.MockClock
PASSWORD = "correct horse"


class Site(NamedTuple):
    service: Service
    address: str
    store: Store
    logins: Logins
    now_ms: list[int]

    def agent(self, name: str) -> int:
        return self.service.names.id("agent", name)

    async def access(self, login: str) -> str:
        return (await self.logins.login(login, PASSWORD, "10.0.0.1")).access


@asynccontextmanager
async def site(folder: Path) -> AsyncIterator[Site]:
    now_ms = [int(time.time() * 1_000)]
    async with Store(folder / "store.sqlite", now_ms=lambda: now_ms[0]) as store:
        logins = Logins(store, TOKENS, b"r" * 32, now_ms=lambda: now_ms[0])
        for agent in ("ann", "bob"):
            await logins.add_user(agent, name=agent, password=PASSWORD, agent=agent)
        await logins.add_user("sue", name="Sue", password=PASSWORD, role="supervisor")
        async with served(folder, store=store) as (service, address):
            yield Site(service, address, store, logins, now_ms)


def console(address: str, **options: Any) -> Any:
    """A connection whose token is not for any agent."""
    return connect(address, token("edge", any_agent=False), "console", **options)


async def next_of(client: Client, *kinds: type[Frame]) -> Any:
    """The first frame of these kinds; without a limit of time, as time stands still in some tests."""
    while True:
        for frame in await client.incoming():
            if isinstance(frame, kinds):
                return frame


async def settled() -> None:
    for _ in range(3):
        await trio.testing.wait_all_tasks_blocked(0.02)


async def test_a_sign_in_opens_its_own_desk(tmp_path: Path) -> None:
    async with site(tmp_path) as one, console(one.address) as desk:
        bob, access = one.agent("bob"), await one.access("bob")
        await desk.send_control(Attach(agents=[bob], access=[access]))
        assert [line.agent for line in (await wait_for(desk, Desks)).desks] == [bob]
        await desk.request(SignIn(agent=bob))
        assert (await wait_for(desk, AgentSignedIn)).agent == bob
        assert one.service.leases.agents.is_held(bob)
        with pytest.raises(NotTaken, match="not attached"):
            await desk.request(SignIn(agent=one.agent("ann")))
        await desk.send_control(Detach(agents=[bob]))
        with pytest.raises(NotTaken, match=f"not_allowed: agent {bob} is not attached"):
            await desk.request(Ready(agent=bob))


def expired() -> str:
    return TOKENS.issue("agent", "1", -1, agent="bob", sign_in="s")


@pytest.mark.parametrize(
    ("access", "code"),
    [
        (None, "no_access"),
        ([], "no_access"),
        (["bob", "bob"], "no_access"),
        (["nonsense"], "bad_access"),
        ([expired()], "bad_access"),
        ([TOKENS.issue("edge", "1", 86_400, agent="bob", sign_in="s")], "bad_access"),
        ([TOKENS.issue("agent", "1", 86_400, agent="bob")], "bad_access"),
        ([TOKENS.issue("agent", "1", 86_400, agent="bob", sign_in="nobody's")], "over"),
        (["ann"], "other_agent"),
        (["sue"], "other_agent"),
    ],
)
async def test_nobody_else_is_attached(tmp_path: Path, access: list[str] | None, code: str) -> None:
    async with site(tmp_path) as one, console(one.address) as desk:
        bob = one.agent("bob")
        people = {login: await one.access(login) for login in ("ann", "bob", "sue")}
        shown = None if access is None else [people.get(each, each) for each in access]
        await desk.send_control(Attach(agents=[bob], access=shown))
        detached = await wait_for(desk, Detached)
        assert (detached.agents, detached.code) == ([bob], code)
        assert detached.text
        assert not one.service.leases.agents.is_held(bob)
        with pytest.raises(NotTaken, match="not_allowed"):
            await desk.request(SignIn(agent=bob))


async def test_each_agent_is_looked_at_for_itself(tmp_path: Path) -> None:
    async with site(tmp_path) as one, console(one.address) as desk:
        ann, bob = one.agent("ann"), one.agent("bob")
        access = [await one.access("ann"), "nonsense", await one.access("ann")]
        await desk.send_control(Attach(agents=[ann, bob, 99], access=access))
        refused: list[Detached] = []
        with trio.fail_after(5):
            while len(refused) < 2:
                refused += [frame for frame in await desk.incoming() if isinstance(frame, Detached)]
        codes = {(*frame.agents, frame.code) for frame in refused}
        assert codes == {(bob, "bad_access"), (99, "other_agent")}
        await desk.request(SignIn(agent=ann))


async def test_who_is_named_twice_and_once_in_vain_is_not_attached(tmp_path: Path) -> None:
    async with site(tmp_path) as one, console(one.address) as desk:
        bob, access = one.agent("bob"), await one.access("bob")
        for shown in ([access, "nonsense"], ["nonsense", access]):
            await desk.send_control(Attach(agents=[bob, bob], access=shown))
            assert (await wait_for(desk, Detached)).agents == [bob]
            with pytest.raises(NotTaken, match="not_allowed"):
                await desk.request(SignIn(agent=bob))
        assert not one.service.leases.agents.is_held(bob)


async def test_commands_may_stand_right_behind_an_attach(tmp_path: Path) -> None:
    async with site(tmp_path) as one, console(one.address) as desk:
        bob, access = one.agent("bob"), await one.access("bob")
        attach = encode_frame(Attach(agents=[bob], access=[access]))
        refused = encode_frame(Attach(agents=[bob], access=["nonsense"]))
        ready, sign_in = encode_frame(Ready(agent=bob)), encode_frame(SignIn(agent=bob))
        detach = encode_frame(Detach(agents=[bob]))
        stream = [ready, attach, sign_in, detach, ready, attach, ready, refused, ready, b"\0\0"]
        assert await desk.send(b"".join(stream), 5) == 0
        answers: dict[int | None, str] = {}
        with trio.fail_after(5):
            while len(answers) < 5:
                for frame in await desk.incoming():
                    if isinstance(frame, Ack):
                        answers |= {result[0]: str(result[2]) for result in frame.results}
                    elif isinstance(frame, Refusal):
                        answers[frame.request_no] = frame.code
        came = [answers[number] for number in range(5)]
        assert came == ["not_allowed", "0", "not_allowed", "0", "not_allowed"]
        await desk.send(attach[2:], 0)
        await desk.request(Ready(agent=bob))


@pytest.mark.parametrize("end", ["revoke", "disable", "a day"])
async def test_who_is_signed_out_loses_the_agent_within_the_bound(
    tmp_path: Path, mock_clock: MockClock, end: str
) -> None:
    async with site(tmp_path) as one, console(one.address) as desk, console(one.address) as other:
        ann, bob = one.agent("ann"), one.agent("bob")
        grant = await one.logins.login("bob", PASSWORD, "10.0.0.1")
        await desk.send_control(Attach(agents=[bob], access=[grant.access]))
        await next_of(desk, Desks)
        await other.send_control(Attach(agents=[ann], access=[await one.access("ann")]))
        await next_of(other, Desks)
        await desk.request(SignIn(agent=bob, ready=False))
        mock_clock.jump(CHECK_EVERY_S)
        await settled()
        await desk.request(Ready(agent=bob))
        if end == "revoke":  # as another process would
            await one.store.revoke_sign_in(grant.identity.sign_in, "logout")
        elif end == "disable":
            await one.store.disable_user(grant.identity.user_id)
        else:
            one.now_ms[0] += SIGN_IN_TTL_S * 1_000
        assert one.service.leases.agents.is_held(bob)
        with capture_logs() as logged:
            mock_clock.jump(CHECK_EVERY_S)
            detached = await next_of(desk, Detached)
        assert (detached.agents, detached.code) == ([bob], "over")
        assert not one.service.leases.agents.is_held(bob)
        assert one.service.leases.agents.is_held(ann) or end == "a day", "the other one's is its own"
        assert ("console", [bob]) in [(line["edge"], line["agents"]) for line in logged if "edge" in line]
        with pytest.raises(NotTaken, match=f"not_allowed: agent {bob} is not attached"):
            await desk.request(Ready(agent=bob))
        await desk.send_control(Message(contact=1, external_id="m", text="am I still here?"))
        assert (await next_of(desk, Refusal)).code == "unknown_contact"
        mock_clock.jump(one.service.site.routing.agent_lease_s)
        await settled()
        assert one.service.desk_state("bob").presence == "signed_out", "its lease has run"


async def test_events_stop_with_the_sign_in(tmp_path: Path, mock_clock: MockClock) -> None:
    async with site(tmp_path) as one, console(one.address) as desk:
        bob = one.agent("bob")
        grant = await one.logins.login("bob", PASSWORD, "10.0.0.1")
        await desk.send_control(Attach(agents=[bob], access=[grant.access]))
        await next_of(desk, Desks)
        await one.store.revoke_sign_in(grant.identity.sign_in, "logout")
        mock_clock.jump(CHECK_EVERY_S)
        await next_of(desk, Detached)
        await one.service.desk("bob").sign_in()
        await desk.send_control(Attach(agents=[bob], access=[await one.access("bob")]))
        assert isinstance(await next_of(desk, Desks), Desks)
        assert desk.seq == desk.welcome.seq, "none has come, and none comes late"


async def test_the_next_sign_in_takes_the_place_of_the_last(tmp_path: Path, mock_clock: MockClock) -> None:
    async with site(tmp_path) as one, console(one.address) as desk:
        bob = one.agent("bob")
        first, second = [await one.logins.login("bob", PASSWORD, "10.0.0.1") for _ in range(2)]
        for grant in (first, second):
            await desk.send_control(Attach(agents=[bob], access=[grant.access]))
            await next_of(desk, Desks)
        await one.store.revoke_sign_in(first.identity.sign_in, "logout")
        mock_clock.jump(CHECK_EVERY_S)
        await settled()
        await desk.request(SignIn(agent=bob))
        await desk.send_control(Attach(agents=[bob], access=[first.access]))
        assert (await next_of(desk, Detached)).code == "over"
        with pytest.raises(NotTaken, match="not_allowed"):
            await desk.request(Ready(agent=bob))


async def test_what_is_resumed_waits_for_the_sign_in(tmp_path: Path) -> None:
    async with site(tmp_path) as one:
        ann, bob = one.agent("ann"), one.agent("bob")
        before = one.service.seq
        for name in ("ann", "bob"):
            await one.service.desk(name).sign_in()
        async with console(one.address, resume_seq=before) as desk:
            access = [await one.access("ann"), await one.access("bob")]
            await desk.send_control(Attach(agents=[ann, bob], access=[access[1], access[1]]))
            seen: list[Frame] = []
            with trio.fail_after(5):
                while not any(isinstance(frame, Desks) for frame in seen):
                    seen += await desk.incoming()
            told = [event for one in seen if isinstance(one, Events) for _, event in one.events]
            assert {event.agent for event in told if isinstance(event, AgentReady)} == {bob}
            assert [line.agent for line in seen[-1].desks] == [bob]


class Silent(MemoryStore):
    """A store that answers until it does not."""

    answers = True

    async def agents_signed_in(self, sign_ins: Sequence[str]) -> dict[str, str]:
        found = await super().agents_signed_in(sign_ins)
        if not self.answers:
            raise Busy(1_000)
        return found


async def test_a_store_that_does_not_answer_is_believed_for_a_minute(
    tmp_path: Path, mock_clock: MockClock
) -> None:
    store = Silent()
    store.sign_ins["s"] = "bob"
    access = TOKENS.issue("agent", "1", 60, agent="bob", sign_in="s")
    async with served(tmp_path, store=store) as (service, address), console(address) as desk:
        bob = service.names.id("agent", "bob")
        store.answers = False
        await desk.send_control(Attach(agents=[bob], access=[access]))
        assert (await next_of(desk, Detached)).code == "unchecked"
        store.answers = True
        await desk.send_control(Attach(agents=[bob], access=[access]))
        await next_of(desk, Desks)
        mock_clock.jump(CHECK_EVERY_S)
        await settled()
        store.answers = False
        for _ in range(int(UNCHECKED_FOR_S / CHECK_EVERY_S) - 1):
            mock_clock.jump(CHECK_EVERY_S)
            await settled()
        assert service.leases.agents.is_held(bob)
        mock_clock.jump(CHECK_EVERY_S)
        assert (await next_of(desk, Detached)).code == "unchecked"
        assert not service.leases.agents.is_held(bob)


async def test_a_token_for_any_agent_needs_none(tmp_path: Path) -> None:
    async with site(tmp_path) as one, connect(one.address, token("edge"), "bridge") as desk:
        ann, bob = one.agent("ann"), one.agent("bob")
        await desk.send_control(Attach(agents=[bob]), Attach(agents=[ann], access=["nonsense"]))
        for agent in (ann, bob):
            await desk.request(SignIn(agent=agent))


async def test_many_sign_ins_are_asked_about_at_once(tmp_path: Path) -> None:
    async with site(tmp_path) as one:
        mine = [(await one.logins.login("bob", PASSWORD, "10.0.0.1")).identity.sign_in for _ in range(3)]
        asked = [*mine, *(f"nobody's {number}" for number in range(1_200))]
        assert await one.store.agents_signed_in(asked) == dict.fromkeys(mine, "bob")
        await one.store.revoke_sign_in(mine[0], "logout")
        assert await one.store.agents_signed_in(asked) == dict.fromkeys(mine[1:], "bob")
        assert await one.store.agents_signed_in([]) == {}

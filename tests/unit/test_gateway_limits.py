"""The gateway's bounds: credit, sockets, keep-alive; who is beyond one is told so by name."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Any

import pytest
import trio
from structlog.testing import capture_logs
from trio.testing import MockClock, wait_all_tasks_blocked

from engine.gateway_connection import PING_EVERY_S, RECEIVE_BYTES, SILENT_FOR_S
from engine.gateway_frames import desks_frames
from engine.gateway_limits import RESERVED_FILES, Doors, room_for_sockets
from engine.gateway_submit import CREDIT_BYTES, CREDIT_COMMANDS
from engine.journal import Appending, NewBatch
from engine.model import Ack, Attach, Closing, Hello, Ping, Pong, Welcome, encode_frame
from engine.service import Service
from engine.testing.fixtures import SMALL_SITE
from engine.wire_client import Disconnected, decode_frames
from tests.unit.gateway_site import arrive, edge, plugin, raw, served, served_gateway, token

MOST_IN_A_READ = RECEIVE_BYTES // 7 + 1


def stall(service: Service) -> trio.Event:
    """Let no batch be committed until the event is set, as a slow disk would."""
    go_on, begin = trio.Event(), service._writer.begin

    class Stalled(Appending):
        def __init__(self, batch: NewBatch) -> None:
            self._batch = batch
            # Else no connection reads again before the commit is over: here the credit alone has to hold.
            service.pace.committing = False

        async def wait(self) -> int:
            await go_on.wait()
            return await begin(self._batch).wait()

    service._writer.begin = Stalled  # type: ignore[method-assign]
    return go_on


async def test_the_welcome_says_the_credit(tmp_path: Path) -> None:
    async with served(tmp_path) as (_, address), plugin(address) as voice:
        assert (voice.welcome.credit_commands, voice.welcome.credit_bytes) == (CREDIT_COMMANDS, CREDIT_BYTES)


async def test_who_has_used_up_its_credit_is_not_read_and_loses_nothing(tmp_path: Path) -> None:
    total = 6 * CREDIT_COMMANDS
    async with (
        served_gateway(tmp_path) as (service, gateway, address),
        plugin(address) as flood,
        plugin(address) as other,
        trio.open_nursery() as nursery,
    ):
        go_on = stall(service)
        frames = b"".join(encode_frame(arrive(flood, number)) for number in range(total))
        nursery.start_soon(flood.send, frames, total)
        await wait_all_tasks_blocked(0.02)
        line = max(gateway.lines(), key=lambda one: one.commands)
        assert CREDIT_COMMANDS <= line.commands <= CREDIT_COMMANDS + MOST_IN_A_READ
        assert line.size <= CREDIT_BYTES + RECEIVE_BYTES + 64 * 1024
        assert line.held == 1
        assert service._inbox.waiting_bytes < 2 * CREDIT_BYTES, "the rest waits in its own socket"
        answered = trio.Event()

        async def ask() -> None:
            await other.request(arrive(other, total))
            answered.set()

        nursery.start_soon(ask)
        await wait_all_tasks_blocked(0.02)
        assert service._inbox._common[-1].commands == 1, "the other one's is in already"
        go_on.set()
        acked: list[int] = []
        with trio.fail_after(30):
            while len(acked) < total:
                for frame in await flood.incoming():
                    if isinstance(frame, Ack):
                        acked += [result[0] for result in frame.results]
            await answered.wait()
        assert acked == list(range(total)), "all, once, in order"
        assert sum(one.commands + one.size for one in gateway.lines()) == 0, "all credit is given back"
        assert max(one.held for one in gateway.lines()) >= 2


async def test_who_is_not_read_is_not_called_silent(tmp_path: Path, mock_clock: MockClock) -> None:
    async with served(tmp_path) as (service, address), plugin(address, listen=False) as voice:
        go_on = stall(service)
        total = 2 * CREDIT_COMMANDS
        frames = b"".join(encode_frame(arrive(voice, number)) for number in range(total))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(voice.send, frames, total)
            await settle()
            for _ in range(10):
                mock_clock.jump(PING_EVERY_S)
                await settle()
            go_on.set()
        await voice.request(arrive(voice, total))


async def settle() -> None:
    """Until everybody has nothing to do but wait; sockets of this machine take no virtual time."""
    for _ in range(3):
        await wait_all_tasks_blocked(0.005)


async def hear(stream: trio.SocketStream, heard: list[Any]) -> None:
    rest = b""
    async for data in stream:
        frames, rest = decode_frames(rest + bytes(data))
        heard += frames


async def test_silence_is_asked_about_and_then_ended(tmp_path: Path, mock_clock: MockClock) -> None:
    async with served(tmp_path) as (_, address):
        host, port = address.split(":")
        async with await trio.open_tcp_stream(host, int(port)) as stream:
            await stream.send_all(encode_frame(Hello(token=token("edge"), name="mute")))
            heard: list[Any] = []
            jumps = 0
            async with trio.open_nursery() as nursery:
                nursery.start_soon(hear, stream, heard)
                while not any(isinstance(one, Closing) for one in heard):
                    mock_clock.jump(PING_EVERY_S / 3)
                    jumps += 1
                    await settle()
                nursery.cancel_scope.cancel()
            assert isinstance(heard[0], Welcome)
            assert len([one for one in heard if isinstance(one, Ping)]) == 2
            assert heard[-1].code == "silent"
            assert SILENT_FOR_S <= jumps * PING_EVERY_S / 3 <= SILENT_FOR_S + PING_EVERY_S / 3


async def test_who_answers_pings_or_speaks_is_kept(tmp_path: Path, mock_clock: MockClock) -> None:
    async with served_gateway(tmp_path) as (_, gateway, address):
        host, port = address.split(":")
        async with edge(address), await trio.open_tcp_stream(host, int(port)) as stream:
            await stream.send_all(encode_frame(Hello(token=token("edge"), name="talkative")))
            await settle()
            await stream.receive_some()
            for number in range(20):
                mock_clock.jump(PING_EVERY_S - 1)
                await stream.send_all(encode_frame(Ping(n=number)))
                await settle()
                assert decode_frames(bytes(await stream.receive_some()))[0] == [Pong(n=number)], "never asked"
            assert len(gateway.lines()) == 2, "the other one has answered every ping"


async def test_the_one_above_each_limit_is_told_so(tmp_path: Path) -> None:
    text = SMALL_SITE.replace("[gateway]", "[gateway]\nmax_connections = 3\nmax_from_address = 2")
    async with served_gateway(tmp_path, text=text) as (_, gateway, address):
        async with edge(address):
            async with edge(address):
                hello = encode_frame(Hello(token=token("edge"), name="one too many"))
                (last,) = await raw(address, hello)
                assert (last.code, "2 connections from 127.0.0.1" in last.text) == (
                    "too_many_from_address",
                    True,
                )
                async with edge(tmp_path / "gateway.sock"), edge_refused(address) as refused:
                    assert refused.code == "too_many_connections"
                    assert "3 connections are open" in str(refused)
            while gateway.doors.connections > 1:
                await trio.sleep(0)
            async with edge(address) as again:
                assert again.welcome.site == "small"
        assert gateway.doors.turned_away == {"too_many_from_address": 1, "too_many_connections": 1}


class edge_refused:
    """A context in which an edge was not let in."""

    def __init__(self, address: str) -> None:
        self.address = address

    async def __aenter__(self) -> Disconnected:
        with pytest.raises(Disconnected) as caught:
            async with edge(self.address):
                pass
        return caught.value

    async def __aexit__(self, *_: object) -> None:
        pass


def test_doors_forget_addresses() -> None:
    doors = Doors(2, 1)
    assert doors.enter("a") is None
    assert doors.enter(None) is None
    refused = doors.enter("b")
    assert refused is not None
    assert refused.code == "too_many_connections"
    doors.leave("a")
    doors.leave(None)
    assert doors.connections == 0
    assert not doors._inside


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The process's limit of open files, as the test wants it to be; `setrlimit` is appended."""
    told = [(1_024, 4_096)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: told[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, limit: told.append(limit))
    return told


def test_the_limit_of_open_files_is_raised_as_far_as_it_goes(limits: list[tuple[int, int]]) -> None:
    assert room_for_sockets(500) == 500
    assert len(limits) == 1, "enough as it is"
    assert room_for_sockets(3_000) == 3_000
    assert limits[-1] == (4_096, 4_096)
    assert room_for_sockets(10_000) == 4_096 - RESERVED_FILES
    limits.append((1_024, resource.RLIM_INFINITY))
    assert room_for_sockets(10_000) == 10_000
    assert limits[-1] == (10_000 + RESERVED_FILES, resource.RLIM_INFINITY)


async def test_too_few_open_files_are_named(tmp_path: Path, limits: list[tuple[int, int]]) -> None:
    with capture_logs() as logged:
        async with served_gateway(tmp_path) as (_, gateway, _):
            assert gateway.doors.most == 4_096 - RESERVED_FILES
    (line,) = [one for one in logged if one["log_level"] != "info"]
    assert line["max_connections"] == 10_000
    assert line["held"] == 4_096 - RESERVED_FILES
    assert line["hard_limit_of_open_files_needed"] == 10_000 + RESERVED_FILES


async def test_state_that_nobody_reads_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.gateway_connection.STATE_BYTES", 100_000)
    async with served_gateway(tmp_path) as (service, gateway, address):
        host, port = address.split(":")
        both = [service.names.id("agent", name) for name in ("ann", "bob")]
        attach = encode_frame(Attach(agents=both * 5_000))
        one_state = sum(map(len, desks_frames(service.router, both * 5_000)))
        async with await trio.open_tcp_stream(host, int(port)) as stream:
            await stream.send_all(encode_frame(Hello(token=token("edge"), name="greedy")))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(stream.send_all, attach * 2_000)
                await settle()
                (connection,) = gateway._open
                assert 0 < connection._state_bytes <= 100_000 + one_state
                assert nursery.child_tasks, "the rest waits in its own socket"
                nursery.cancel_scope.cancel()


async def test_an_edge_has_no_more_agents_than_a_site_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.gateway_connection.MAX_ATTACHED", 10)
    async with served(tmp_path) as (_, address):
        hello = encode_frame(Hello(token=token("edge"), name="everybody"))
        messages = await raw(address, hello, encode_frame(Attach(agents=list(range(1, 12)))))
        assert messages[-1].code == "protocol_error"
        assert "attach.agents: more than 10 are attached" in messages[-1].text

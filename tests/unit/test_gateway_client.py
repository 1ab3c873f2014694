"""A client that knows the page of the protocol and nothing else lives whole lives on a real gateway."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

from engine.testing.fixtures import MemoryStore
from tests import gateway_client as page
from tests.gateway_client import Closed, GatewayClient
from tests.unit.gateway_site import TOKENS, served, token

CLIENT = Path(page.__file__)
ARRIVED, QUEUED, OFFER_MADE, CONNECTING, ENGAGED, ABANDONED, ENDED = 66, 67, 69, 74, 75, 77, 78
WRAP_UP_STARTED, WRAP_UP_ENDED = 87, 88
NO_REQUIREMENTS: list[Any] = []
OPENED: list[GatewayClient] = []


def tcp(address: str) -> tuple[str, int]:
    host, port = address.split(":")
    return host, int(port)


def play_and_close(play: Callable[[Any], None], address: Any) -> None:
    try:
        play(address)
    finally:
        while OPENED:
            OPENED.pop().socket.close()


async def in_a_thread(folder: Path, play: Callable[[Any], None], **options: Any) -> None:
    """Run a blocking client's play against a gateway."""
    async with served(folder, **options) as (_, address):
        with trio.fail_after(60):
            await trio.to_thread.run_sync(partial(play_and_close, play, tcp(address)))


def plugin(address: Any, resume_seq: int | None = None) -> GatewayClient:
    OPENED.append(GatewayClient(address, token("plugin", channel="voice"), resume_seq))
    return OPENED[-1]


def edge(address: Any, resume_seq: int | None = None) -> GatewayClient:
    OPENED.append(GatewayClient(address, token("edge"), resume_seq))
    return OPENED[-1]


def arrive(client: GatewayClient, external_id: str) -> int:
    channel, queue = client.names["channel"]["voice"], client.names["queue"]["loans"]
    key = client.arrival_key("line", external_id)
    return client.command(page.ARRIVE, channel, key, queue, 0, 1, NO_REQUIREMENTS)


def agent_at_work(address: Any) -> tuple[GatewayClient, int]:
    desk = edge(address)
    bob: int = desk.names["agent"]["bob"]
    desk.send(page.ATTACH, [bob])
    (lines,) = desk.other(page.DESKS)
    assert lines[0][:2] == [bob, 0], "signed out"
    assert desk.answer(desk.command(page.SIGN_IN, bob, True)) == ("ack", 0, 0)
    return desk, bob


def test_it_needs_nothing_but_the_standard_library_and_is_short() -> None:
    text = CLIENT.read_text("utf-8")
    modules = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""] if isinstance(node, ast.ImportFrom) else [n.name for n in node.names]
        )
    }
    assert modules <= sys.stdlib_module_names
    assert text.count("\n") <= 150


def whole_life(address: Any) -> None:
    voice = plugin(address)
    assert voice.other(page.CONTACTS) == [[]]
    desk, bob = agent_at_work(address)
    channel = voice.names["channel"]["voice"]
    _, code, contact = voice.answer(arrive(voice, "call-1"))
    assert code == 0
    assert voice.event(ARRIVED)[1:3] == [contact, channel]
    offer = desk.event(OFFER_MADE)
    assert offer[2] == contact
    assert desk.answer(desk.command(page.ACCEPT, bob, offer[1])) == ("ack", 0, 0)
    assert voice.event(CONNECTING)[1] == contact
    assert voice.answer(voice.command(page.CONNECTED, channel, contact)) == ("ack", 0, 0)
    assert desk.event(ENGAGED)[1] == contact
    voice.send(page.MESSAGE, contact, "m1", "你好")
    assert voice.other(page.MESSAGE_STORED)[:2] == [contact, "m1"]
    desk.send(page.MESSAGE, contact, "a1", "how can I help?")
    assert voice.other(page.MESSAGE_OUT)[2] == "how can I help?"
    desk.answer(desk.command(page.END, bob, contact))
    assert voice.event(ENDED)[1] == contact
    assert desk.event(WRAP_UP_STARTED)[2] == contact
    desk.answer(desk.command(page.END_WRAP_UP, bob, contact))
    assert desk.event(WRAP_UP_ENDED)[2] == contact
    _, _, leaver = voice.answer(arrive(voice, "call-2"))
    voice.answer(voice.command(page.ABANDON, channel, leaver))
    assert voice.event(ABANDONED)[1] == leaver


async def test_a_whole_life_as_plugin_and_as_edge(tmp_path: Path) -> None:
    await in_a_thread(tmp_path, whole_life)


async def test_the_unix_socket_speaks_the_same(tmp_path: Path) -> None:
    async with served(tmp_path):
        await trio.to_thread.run_sync(play_and_close, whole_life, str(tmp_path / "gateway.sock"))


def cut_and_resumed(address: Any) -> None:
    witness, voice = plugin(address), plugin(address)
    desk, bob = agent_at_work(address)
    channel = voice.names["channel"]["voice"]
    _, _, contact = voice.answer(arrive(voice, "call-1"))
    desk.answer(desk.command(page.ACCEPT, bob, desk.event(OFFER_MADE)[1]))
    voice.event(CONNECTING)
    unanswered = [voice.command(page.CONNECTED, channel, contact)]
    seen = list(voice.events)
    voice.socket.close()  # in the middle of it: nobody knows whether it was taken

    desk.event(ENGAGED)
    desk.send(page.MESSAGE, contact, "a1", "are you there?")
    desk.other(page.MESSAGE_STORED)
    edge_seq = desk.seq
    desk.socket.close()

    again = plugin(address, resume_seq=voice.seq)
    assert again.event(ENGAGED)[1] == contact
    assert again.other(page.MESSAGE_OUT)[2] == "are you there?"
    for _ in unanswered:
        assert again.answer(again.command(page.CONNECTED, channel, contact)) == ("ack", 0, 0), "as before"
    assert again.answer(arrive(again, "call-1")) == ("ack", 0, contact), "the same contact"
    assert again.other(page.CONTACTS)[0][0][:3] == [contact, 3, bob]

    back = edge(address, edge_seq)
    back.send(page.ATTACH, [bob])
    (lines,) = back.other(page.DESKS)
    assert lines[0][5][0][0] == contact, "still in hand"
    back.answer(back.command(page.END, bob, contact))
    again.event(ENDED)
    assert not seen
    witness.event(ENDED)
    assert witness.seq == again.seq


async def test_it_is_cut_comes_back_and_misses_nothing(tmp_path: Path) -> None:
    await in_a_thread(tmp_path, cut_and_resumed)


def every_event_once(address: Any) -> None:
    """One client stays, the other is cut after every few events: both have seen the same."""
    witness, voice = plugin(address), plugin(address)
    before = witness.seq
    for number in range(60):
        voice.answer(arrive(voice, f"call-{number}"))
    seen: list[tuple[int, int, list[Any]]] = []
    while len(witness.events) < 120:
        witness.take(witness.frame())
    cuts, seq = 0, before
    while len(seen) < 120:
        voice = plugin(address, resume_seq=seq)
        while not voice.events:
            voice.take(voice.frame())
        voice.socket.close()
        cuts, seq = cuts + 1, voice.seq
        seen += voice.events
    assert seen == list(witness.events)
    assert len({one[:2] for one in seen}) == 120
    assert cuts > 5


async def test_events_come_once_and_none_is_left_out(tmp_path: Path) -> None:
    await in_a_thread(tmp_path, every_event_once)


def refused_by_name(address: Any) -> None:
    with pytest.raises(Closed) as caught:
        GatewayClient(address, "no token at all")
    assert caught.value.code == "bad_token"
    with pytest.raises(
        Closed, match="the client speaks version 7, this site version 1; upgrade the site"
    ) as caught:
        GatewayClient(address, token("edge"), versions=(7, 7))
    assert caught.value.code == "version"
    with pytest.raises(Closed) as caught:
        plugin(address, resume_seq=10**9)
    assert caught.value.code == "too_old"
    voice = plugin(address)
    key = voice.arrival_key("line", "x")
    kind, code, _ = voice.answer(voice.command(page.ARRIVE, 1, key, None, 0, 1, NO_REQUIREMENTS))
    assert (kind, code) == ("refused", "malformed")
    kind, code, _ = voice.answer(voice.command(page.SIGN_IN, 1, True))
    assert (kind, code) == ("refused", "not_allowed")
    kind, code, _ = voice.answer(voice.command(63))
    assert (kind, code) == ("refused", "malformed")
    channel = voice.names["channel"]["voice"]
    assert voice.answer(voice.command(page.ABANDON, channel, 999)) == ("ack", 14, 999)
    voice.socket.sendall(b"\xff\xff\xff\xff")
    with pytest.raises(Closed) as caught:
        voice.answer(10**6)
    assert caught.value.code == "protocol_error"


async def test_what_is_wrong_is_said_by_name(tmp_path: Path) -> None:
    await in_a_thread(tmp_path, refused_by_name)


def versions_agreed(address: Any) -> None:
    for said in (None, (1, 1), (1, 9)):
        OPENED.append(GatewayClient(address, token("edge"), versions=said))
        assert OPENED[-1].version == 1


async def test_the_version_is_agreed_on(tmp_path: Path) -> None:
    await in_a_thread(tmp_path, versions_agreed)


def a_day_with_a_sign_in(store: MemoryStore, address: Any) -> None:
    desk = GatewayClient(address, token("edge", any_agent=False))
    OPENED.append(desk)
    bob = desk.names["agent"]["bob"]
    access = TOKENS.issue("agent", "1", 60, agent="bob", sign_in="bob's")
    desk.send(page.ATTACH, [bob])
    assert desk.other(page.DETACHED)[:2] == [[bob], "no_access"]
    desk.send(page.ATTACH, [bob], [access])
    assert desk.other(page.DESKS)[0][0][0] == bob
    assert desk.answer(desk.command(page.SIGN_IN, bob, True)) == ("ack", 0, 0)
    store.sign_ins.clear()
    assert desk.other(page.DETACHED)[:2] == [[bob], "over"]
    kind, code, _ = desk.answer(desk.command(page.SIGN_IN, bob, True))
    assert (kind, code) == ("refused", "not_allowed")


async def test_an_edge_with_sign_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.gateway_sign_ins.CHECK_EVERY_S", 0.1)
    store = MemoryStore()
    store.sign_ins["bob's"] = "bob"
    await in_a_thread(tmp_path, partial(a_day_with_a_sign_in, store), store=store)

"""The page's WebSocket: who gets one, and how it ends."""

from __future__ import annotations

import socket as sockets
from pathlib import Path

import pytest
import trio

from engine.errors import Draining
from engine.web import WebLimits
from tests.console.conftest import Page, Site, open_site


async def refused(page: Page, ticket: str, origin: str | None = None) -> tuple[int, str]:
    """The status and code with which a socket is refused before it is accepted."""
    response = await page.knock(ticket, origin)
    return response.status_code, response.json()["error"]["code"]


async def test_ticket_opens_one_socket(site: Site) -> None:
    page = await site.logged_in("ann")
    ticket = await page.ticket()
    async with page.socket(ticket) as socket:
        await socket.desk()
        assert await refused(page, ticket) == (403, "bad_ticket")
    assert await refused(page, ticket) == (403, "bad_ticket")
    assert await refused(page, "guess") == (403, "bad_ticket")
    assert await refused(page, page.access) == (403, "bad_ticket")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
async def test_foreign_origin_is_refused_and_keeps_the_ticket(site: Site, origin: str) -> None:
    page = await site.logged_in("ann")
    ticket = await page.ticket()
    assert await refused(page, ticket, origin) == (403, "foreign_origin")
    async with page.socket(ticket) as socket:
        await socket.desk()


async def test_ticket_of_a_revoked_sign_in_is_refused(site: Site) -> None:
    page = await site.logged_in("ann")
    ticket = await page.ticket()
    await page.post("/api/auth/logout")
    assert await refused(page, ticket) == (403, "bad_ticket")


async def test_disabled_person_loses_the_socket_at_once(site: Site) -> None:
    page = await site.logged_in("ann")
    async with page.socket() as socket:
        await socket.desk()
        identity = await site.logins.identify(page.access)
        await site.logins.disable(identity.user_id)
        assert (await socket.next("bye"))["code"] == "revoked"
        assert await socket.close_code() == 1008


async def test_act_with_a_lapsed_access_token_is_refused_until_it_is_refreshed(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = await site.logged_in("ann")
    async with page.socket() as socket:
        await socket.desk()
        real = site.logins._now_ms
        monkeypatch.setattr(site.logins, "_now_ms", lambda: real() + 601_000)
        result = await socket.do("sign_in")
        assert result["error"]["code"] == "token_expired"
        assert (await socket.say(1, "x"))["error"]["code"] == "token_expired"
        assert site.service.desk_state("ann").presence == "signed_out"
        assert (await page.refresh()).status_code == 200
        assert (await socket.do("sign_in"))["ok"]


async def test_frame_over_64_kib_closes_with_1009(site: Site) -> None:
    page = await site.logged_in("ann")
    async with page.socket() as socket:
        await socket.connection.send_message("x" * 65_536)  # junk, but not too long
        assert (await socket.next("result"))["error"]["code"] == "malformed"
        await socket.connection.send_message("x" * 65_537)
        assert await socket.close_code() == 1009


async def test_stop_says_good_bye_and_is_quick(tmp_path: Path) -> None:
    with trio.fail_after(20):
        async with open_site(tmp_path, WebLimits(graceful_s=5)) as site:
            page = await site.logged_in("ann")
            async with page.socket() as socket:
                await socket.desk()
                began = trio.current_time()
                site.shutdown.set()
                assert (await socket.next("bye"))["code"] == "draining"
                assert await socket.close_code() == 1001
        assert trio.current_time() - began < 2


async def test_desks_are_told_of_a_drain_and_go_on(site: Site) -> None:
    page = await site.logged_in("ann")
    async with page.socket() as socket:
        assert not (await socket.next("overview"))["draining"]
        await socket.do("sign_in")
        contact = await site.arrive("early")
        offer = (await socket.desk(lambda desk: bool(desk["offers"])))["offers"][0]
        site.service.drain.begin(60)
        await socket.next("overview", lambda m: m["draining"])
        with pytest.raises(Draining):
            await site.arrive("late")
        assert await site.store.by_external_id("chat", "late") is None  # no start sends it again
        assert await site.arrive("early") == contact
        assert (await socket.do("accept", offer=offer["offer"]))["ok"]


async def test_fault_with_one_desk_closes_its_pages_which_come_back(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, bob = await site.logged_in("ann"), await site.logged_in("bob")
    async with bob.socket() as his:
        await his.desk()
        async with ann.socket() as hers:
            await hers.desk()

            async def fail(contact: int, at_ms: int) -> None:
                raise OSError("disk full")

            with monkeypatch.context() as patch:
                patch.setattr(site.store, "note_engaged", fail)
                await hers.do("sign_in")
                await site.arrive("Li")
                offer = (await hers.desk(lambda d: d["offers"]))["offers"][0]["offer"]
                # Whether the act's own result still gets out before the page is closed is a race.
                await hers.send(id="accept", type="do", act="accept", offer=offer)
                assert (await hers.next("bye"))["code"] == "error"
            async with ann.socket() as again:
                assert (await again.desk())["conversations"][0]["state"] == "engaged"
                assert (await again.do("not_ready"))["ok"]
                await again.desk(lambda d: d["agent"]["presence"] == "not_ready")
        assert (await his.do("sign_in"))["ok"]
        await his.desk(lambda d: d["agent"]["presence"] == "ready")


@pytest.mark.slow  # waits for the next second's overview
async def test_failed_overview_leaves_the_desks_alone(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    ann = await site.logged_in("ann")
    async with ann.socket() as socket:
        await socket.next("overview")
        with monkeypatch.context() as patch:
            patch.setattr("console.live.overview_message", None)
            await trio.sleep(1.1)
            assert (await socket.do("sign_in"))["ok"]
        await socket.next("overview", lambda m: m["agents"]["ready"] == 1)


@pytest.mark.slow  # fills real socket buffers, waits for the send timeout
async def test_page_that_does_not_read_is_cut_and_no_other_waits(site: Site) -> None:
    ann = await site.logged_in("ann")
    stalled = trio.socket.socket()
    stalled.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    await stalled.connect(("127.0.0.1", site.port))
    await stalled.send(
        f"GET /ws?ticket={await ann.ticket()} HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    async with ann.socket() as reads:
        await reads.do("sign_in")
        contact = await site.arrive("Li")
        offer = (await reads.desk(lambda d: d["offers"]))["offers"][0]["offer"]
        await reads.do("accept", offer=offer)
        await reads.desk(lambda d: d["conversations"])
        latencies = []
        # Beyond what the kernel buffers for one that does not read (about 2.5 MiB on loopback).
        for number in range(300):
            began = trio.current_time()
            await site.customer_says(contact, "x" * 16_000, f"c-{number}")
            await reads.next("messages", lambda m, n=number: m["messages"][0]["position"] == n + 1)
            latencies.append(trio.current_time() - began)
        await trio.sleep(0.4)  # the send timeout
        assert sorted(latencies)[-5] < 0.3
    received = 0
    with pytest.raises(EOFError):  # noqa: PT012 - reading is what ends it
        while data := await stalled.recv(1 << 20):
            received += len(data)
        raise EOFError
    assert received < 300 * 16_000
    stalled.close()

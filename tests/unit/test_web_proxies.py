"""Whose word counts on where a request comes from."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import httpx
import pytest

from engine.web_mounts import Mounts
from engine.web_proxies import seen_through
from tests.unit.test_web import serving

TRUSTED = [ip_network("10.0.0.0/8"), ip_network("::1")]


def seen(peer: str, *headers: tuple[str, str], scheme: str = "http") -> tuple[str, str]:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers]
    scope = seen_through({"client": (peer, 4000), "scheme": scheme, "headers": raw}, TRUSTED)
    return scope["client"][0], scope["scheme"]


FOR, PROTO = "X-Forwarded-For", "X-Forwarded-Proto"


@pytest.mark.parametrize(
    ("peer", "headers", "expected"),
    [
        ("10.0.0.1", [(FOR, "203.0.113.7"), (PROTO, "https")], ("203.0.113.7", "https")),
        ("::ffff:10.0.0.1", [(FOR, "203.0.113.7")], ("203.0.113.7", "http")),
        ("::1", [(FOR, "[2001:db8::5]:443")], ("2001:db8::5", "http")),
        ("10.0.0.1", [(FOR, "203.0.113.7:5000")], ("203.0.113.7", "http")),
        # Somebody from outside who calls himself a proxy.
        ("203.0.113.9", [(FOR, "127.0.0.1"), (PROTO, "https")], ("203.0.113.9", "http")),
        # Two proxies; what stands before them the client may have written.
        ("10.0.0.1", [(FOR, "127.0.0.1, 203.0.113.7, 10.2.2.2")], ("203.0.113.7", "http")),
        ("10.0.0.1", [(FOR, "127.0.0.1"), (FOR, "203.0.113.7")], ("203.0.113.7", "http")),
        ("10.0.0.1", [(FOR, "203.0.113.7, nonsense")], ("10.0.0.1", "http")),
        ("10.0.0.1", [(FOR, "10.3.3.3")], ("10.3.3.3", "http")),
        ("10.0.0.1", [], ("10.0.0.1", "http")),
        # The nearest proxy's word.
        ("10.0.0.1", [(PROTO, "https, http")], ("10.0.0.1", "http")),
    ],
)
def test_only_a_trusted_proxy_is_believed(
    peer: str, headers: list[tuple[str, str]], expected: tuple[str, str]
) -> None:
    assert seen(peer, *headers) == expected


def test_a_socket_behind_https_is_secure() -> None:
    assert seen("10.0.0.1", (PROTO, "https"), scheme="ws")[1] == "wss"


async def test_pages_see_the_client_behind_the_proxy() -> None:
    async def page(scope: Any, receive: Any, send: Any) -> None:
        body = f"{scope['client'][0]} {scope['scheme']}".encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    headers = {FOR: "203.0.113.7", PROTO: "https"}
    for trusted, said in (([ip_network("127.0.0.1")], "203.0.113.7 https"), ([], "127.0.0.1 http")):
        mounts = Mounts(trusted_proxies=trusted)
        mounts.page("/", page)
        async with serving(mounts) as (port, _), httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"http://127.0.0.1:{port}/", headers=headers)).text == said

"""Being let in, over real HTTP; hostile tokens, cookies and pages get their exact answer."""

from __future__ import annotations

import time
from typing import Any

import jwt
import pytest

from engine.logins import REFRESH_GRACE_MS
from tests.console.conftest import KEY, PASSWORD, Page, Site


def error(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


async def test_login_gives_a_token_and_a_cookie_for_one_path(site: Site) -> None:
    page = site.page()
    response = await page.login("ann")
    assert response.status_code == 200
    body = response.json()
    assert body["user"] == {"login": "ann", "name": "Ann", "role": "agent", "agent": "ann"}
    assert body["expires_in_s"] == 600
    cookie = response.headers["set-cookie"]
    for part in ("HttpOnly", "SameSite=Strict", "Path=/api/auth", "Max-Age=43200"):
        assert part in cookie
    assert "Secure" not in cookie
    assert response.headers["cache-control"] == "no-store"
    assert (await page.get("/api/config-view")).status_code == 200


async def test_cookie_is_secure_when_the_page_came_by_https(site: Site) -> None:
    response = await site.page().http.post(
        "/api/auth/login",
        json={"login": "ann", "password": PASSWORD},
        headers={"Host": "bank.example", "Origin": "https://bank.example"},
    )
    assert response.status_code == 200
    assert "Secure" in response.headers["set-cookie"]


async def test_wrong_password_and_unknown_login_answer_alike(site: Site) -> None:
    wrong = await site.page().login("ann", "wrong password")
    unknown = await site.page().login("nobody", "wrong password")
    assert error(wrong) == (401, "bad_credentials")
    assert wrong.content == unknown.content
    assert "set-cookie" not in wrong.headers


async def test_guessing_is_answered_429_with_the_time_to_wait(site: Site) -> None:
    page = site.page()
    for _ in range(4):
        assert (await page.login("ann", "wrong password")).status_code == 401
    refused = await page.login("ann")
    assert error(refused) == (429, "too_many_attempts")
    assert 0 < int(refused.headers["retry-after"]) <= 300
    assert (await page.login("bob")).status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"login": "ann"}, "password"),
        ({"login": 1, "password": "x"}, "login"),
        ({"login": "ann", "password": "x", "admin": True}, "admin"),
        ([], None),
        ("ann", None),
    ],
)
async def test_malformed_login_names_the_field(site: Site, body: Any, field: str | None) -> None:
    response = await site.page().http.post("/api/auth/login", json=body)
    assert error(response) == (400, "malformed")
    assert response.json()["error"].get("field") == field


async def test_body_that_is_no_json_or_too_long_is_refused(site: Site) -> None:
    http = site.page().http
    form = await http.post("/api/auth/login", data={"login": "ann", "password": PASSWORD})
    assert error(form) == (415, "malformed")
    json_type = {"Content-Type": "application/json"}
    for junk in (b"{", b"\xff", b"[" * 50_000, b'{"login": NaN}'):
        assert error(await http.post("/api/auth/login", content=junk, headers=json_type)) == (
            400,
            "malformed",
        )
    long = await http.post("/api/auth/login", content=b" " * 70_000, headers=json_type)
    assert long.status_code == 413


async def test_refresh_rotates_and_a_stolen_cookie_ends_the_sign_in(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim = await site.logged_in("ann")
    stolen = victim.http.cookies["paidui_refresh"]
    assert (await victim.refresh()).status_code == 200
    assert victim.http.cookies["paidui_refresh"] != stolen
    now_ms = time.time_ns() // 1_000_000 + REFRESH_GRACE_MS + 1_000
    monkeypatch.setattr(site.store, "_now_ms", lambda: now_ms)
    thief = site.page()
    thief.http.cookies.set("paidui_refresh", stolen, domain="127.0.0.1", path="/api/auth")
    assert error(await thief.refresh()) == (401, "reused")
    assert error(await victim.refresh()) == (401, "revoked")
    assert error(await victim.get("/api/config-view")) == (401, "revoked")


async def test_refresh_without_cookie_or_with_a_guess_is_401(site: Site) -> None:
    page = site.page()
    assert error(await page.refresh()) == (401, "bad_token")
    page.http.cookies.set("paidui_refresh", "guess", domain="127.0.0.1", path="/api/auth")
    assert error(await page.refresh()) == (401, "bad_token")


async def test_logout_ends_token_cookie_and_socket(site: Site) -> None:
    page = await site.logged_in("ann")
    async with page.socket() as socket:
        await socket.desk()
        assert (await page.post("/api/auth/logout")).status_code == 204
        assert (await socket.next("bye"))["code"] == "signed_out"
    assert "paidui_refresh" not in page.http.cookies
    assert error(await page.get("/api/config-view")) == (401, "revoked")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "file://"])
async def test_another_sites_page_is_refused(site: Site, origin: str) -> None:
    page = await site.logged_in("ann")
    for path in ("/api/auth/login", "/api/auth/refresh", "/api/auth/logout", "/api/ticket"):
        body = {"login": "ann", "password": PASSWORD} if path.endswith("login") else {}
        response = await page.http.post(path, json=body, headers={**page.bearer, "Origin": origin})
        assert error(response) == (403, "foreign_origin")
    assert (await page.get("/api/config-view")).status_code == 200


def altered(token: str, key: bytes = KEY, **claims: Any) -> str:
    body = jwt.decode(token, options={"verify_signature": False})
    return jwt.encode({**body, **claims}, key, algorithm="HS256")


async def test_hostile_tokens_are_401(site: Site) -> None:
    page = await site.logged_in("ann")
    good = page.access
    assert (await page.get("/api/config-view")).status_code == 200
    hostile = {
        "junk": "bad_token",
        good[:-3]: "bad_token",
        altered(good, key=b"x" * 32): "bad_token",
        altered(good, exp=1): "token_expired",
        altered(good, aud=["agent"]): "bad_token",
        altered(good, iss="paidui:other"): "bad_token",
        altered(good, sign_in="another"): "revoked",
        altered(good, padding="x" * 5_000): "bad_token",
        site.tokens.issue("customer", "1", 60): "bad_token",
        site.tokens.issue("plugin", "1", 60, channel="chat"): "bad_token",
        site.tokens.issue("agent", "1", 60): "bad_token",  # right purpose, but says nothing
        site.tokens.issue("agent", "not a number", 60): "bad_token",
    }
    for token, code in hostile.items():
        page.access = token
        for path in ("/api/config-view", "/api/contacts/1/messages", "/api/overview"):
            assert error(await page.get(path)) == (401, code), token
        assert error(await page.post("/api/ticket")) == (401, code), token


async def test_requests_without_a_token_are_401(site: Site) -> None:
    http = site.page().http
    for path in ("/api/config-view", "/api/contacts/1/messages", "/api/overview"):
        assert error(await http.get(path)) == (401, "bad_token")
    basic = await http.get("/api/config-view", headers={"Authorization": "Basic YW5uOng="})
    assert error(basic) == (401, "bad_token")


async def test_everybody_may_ask_for_the_sites_name_only(site: Site) -> None:
    page: Page = site.page()
    response = await page.http.get("/api/site")
    assert response.json() == {
        "name": "small",
        "title": {"en": "small", "zh": "small"},
        "languages": ["zh", "en"],
    }


async def test_unknown_addresses_and_methods_answer_in_json(site: Site) -> None:
    page = await site.logged_in("ann")
    assert error(await page.get("/api/nothing")) == (404, "not_found")
    assert error(await page.get("/api/auth/login")) == (404, "not_found")
    assert error(await page.post("/api/site")) == (405, "method_not_allowed")
    assert error(await page.get("/api/contacts/1/messages?after=-1")) == (400, "malformed")
    assert error(await page.get(f"/api/contacts/{1 << 70}/messages")) == (404, "unknown_contact")

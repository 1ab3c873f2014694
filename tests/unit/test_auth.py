"""Tokens, key files, tickets: every way to be wrong has its own reason."""

from __future__ import annotations

import base64
import json
import stat
import time
from pathlib import Path
from typing import Any

import jwt
import pytest

from engine.auth import BadToken, Tickets, Tokens, read_or_create_key
from engine.errors import ConfigError

KEY = bytes(range(32))
TOKENS = Tokens(KEY, "bank")


def forged(key: bytes = KEY, algorithm: str | None = "HS256", **changes: Any) -> str:
    """A token with some claims changed, or, when None, left out."""
    now = int(time.time())
    claims: dict[str, Any] = {
        "typ": "agent",
        "aud": "agent",
        "iss": "paidui:bank",
        "sub": "1",
        "iat": now,
        "exp": now + 60,
        "jti": "j",
    }
    claims.update(changes)
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(claims, key if algorithm else None, algorithm=algorithm)


def reason(token: str, typ: str = "agent") -> str:
    with pytest.raises(BadToken) as caught:
        TOKENS.verify(token, typ)
    return caught.value.reason


def test_token_carries_its_claims() -> None:
    claims = TOKENS.verify(TOKENS.issue("plugin", "webchat", 60, channel="webchat"), "plugin")
    assert (claims["sub"], claims["channel"], claims["aud"]) == ("webchat", "webchat", "plugin")
    assert TOKENS.verify(forged(), "agent")["sub"] == "1"


def test_each_token_has_its_own_id() -> None:
    ids = {TOKENS.verify(TOKENS.issue("agent", "1", 60), "agent")["jti"] for _ in range(5)}
    assert len(ids) == 5


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"key": b"x" * 32}, "bad_signature"),
        ({"algorithm": "HS512", "key": KEY * 2}, "malformed"),
        ({"exp": 1}, "expired"),
        ({"exp": "never"}, "malformed"),
        ({"iat": 4_000_000_000}, "not_yet"),
        ({"iss": "paidui:other"}, "wrong_site"),
        ({"aud": "customer"}, "wrong_purpose"),
        ({"aud": ["agent"]}, "wrong_purpose"),
        ({"aud": ["agent", "customer"]}, "wrong_purpose"),
        ({"typ": "customer"}, "wrong_purpose"),
        ({"sub": 7}, "malformed"),
        *(({claim: None}, "missing_claim") for claim in ("exp", "iat", "iss", "sub", "jti", "typ")),
        ({"aud": None}, "missing_claim"),
        ({"padding": "x" * 4096}, "too_large"),
    ],
)
@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_wrong_token_is_refused_with_its_reason(changes: dict[str, Any], expected: str) -> None:
    assert reason(forged(**changes)) == expected


def test_unsigned_and_altered_tokens_are_refused() -> None:
    assert reason(forged(algorithm=None)) == "malformed"
    header, _, signature = TOKENS.issue("agent", "1", 60).split(".")
    body = base64.urlsafe_b64encode(json.dumps({"sub": "2"}).encode()).rstrip(b"=").decode()
    assert reason(f"{header}.{body}.{signature}") == "bad_signature"
    for junk in ("", "a.b", "a.b.c", "a.b.c.d", "ä.b.c", "a b.c.d", "..", "\x00" * 9):
        assert reason(junk) == "malformed"


def test_token_of_one_purpose_is_none_of_another() -> None:
    token = TOKENS.issue("customer", "visitor", 60)
    for typ in ("agent", "plugin", "edge", "admin", "analyst"):
        assert reason(token, typ) == "wrong_purpose"


def test_registered_claims_and_oversized_ones_cannot_be_issued() -> None:
    with pytest.raises(ValueError, match="aud"):
        TOKENS.issue("agent", "1", 60, aud="admin")
    with pytest.raises(ValueError, match="4096"):
        TOKENS.issue("agent", "1", 60, padding="x" * 4000)


def test_short_key_is_refused_at_the_start() -> None:
    with pytest.raises(ConfigError, match="expected 32 bytes or more, got 31"):
        Tokens(b"x" * 31, "bank")


def test_key_file_is_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "tokens.key"
    key = read_or_create_key(path)
    assert len(key) == 32
    assert read_or_create_key(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["tokens.key"]


def test_key_file_that_others_can_read_or_that_is_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tokens.key"
    path.write_bytes(b"x" * 32)
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        read_or_create_key(path)
    path.chmod(0o600)
    path.write_bytes(b"x" * 31)
    with pytest.raises(ConfigError, match="expected 32 bytes or more, got 31"):
        read_or_create_key(path)


def test_ticket_is_good_once() -> None:
    tickets: Tickets[str] = Tickets()
    ticket = tickets.issue("chen")
    assert tickets.redeem(ticket) == "chen"
    for bad in (ticket, "", "guess"):
        with pytest.raises(BadToken, match="unknown"):
            tickets.redeem(bad)


def test_ticket_expires_and_their_number_is_bounded() -> None:
    now = 0.0
    tickets: Tickets[int] = Tickets(ttl_s=30, most=3, monotonic_s=lambda: now)
    first = tickets.issue(1)
    now = 29.9
    second = tickets.issue(2)
    now = 30.0
    with pytest.raises(BadToken, match="expired"):
        tickets.redeem(first)
    third, fourth, fifth = (tickets.issue(number) for number in (3, 4, 5))
    with pytest.raises(BadToken, match="unknown"):
        tickets.redeem(second)
    assert [tickets.redeem(ticket) for ticket in (third, fourth, fifth)] == [3, 4, 5]

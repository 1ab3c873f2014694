"""Signed tokens, their key files, and one-use tickets.

PyJWT checks neither the size of a token, nor that its audience is one string, nor the length of the key
(below RFC 8725's advice it only warns); all three are checked here.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import jwt

from engine.errors import BadToken, ConfigError

ALGORITHM: Final = "HS256"
KEY_BYTES: Final = 32
MAX_TOKEN_BYTES: Final = 4096
TICKET_TTL_S: Final = 30.0
_REQUIRED: Final = ("exp", "iat", "aud", "iss", "sub", "jti", "typ")
_RESERVED: Final = frozenset(_REQUIRED)
_COMPACT: Final = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)

__all__ = ["BadToken", "Tickets", "Tokens", "read_or_create_key"]

T = TypeVar("T")


_REASONS: Final[tuple[tuple[type[jwt.PyJWTError], str], ...]] = (
    (jwt.ExpiredSignatureError, "expired"),
    (jwt.InvalidSignatureError, "bad_signature"),
    (jwt.InvalidAudienceError, "wrong_purpose"),
    (jwt.InvalidIssuerError, "wrong_site"),
    (jwt.MissingRequiredClaimError, "missing_claim"),
    (jwt.ImmatureSignatureError, "not_yet"),
)


class Tokens:
    """Issues and verifies this site's tokens, each for one purpose.

    Args:
        key: 32 bytes or more, from `read_or_create_key`.
        site: the site's name; tokens of other sites are refused.
    """

    def __init__(self, key: bytes, site: str) -> None:
        if len(key) < KEY_BYTES:
            raise ConfigError([f"tokens.key: expected {KEY_BYTES} bytes or more, got {len(key)}"])
        self._key = key
        self._issuer = f"paidui:{site}"

    def issue(self, typ: str, sub: str, ttl_s: float, **claims: Any) -> str:
        """Return a token.

        Args:
            typ: its purpose: agent, customer, plugin, edge, follower, admin, analyst.
            sub: whose it is.
            ttl_s: until it expires.
            **claims: what else it says; none of the registered names.
        """
        if taken := _RESERVED & claims.keys():
            raise ValueError(f"claims: {', '.join(sorted(taken))} cannot be given, they are set here")
        now_s = time.time()
        registered = {
            "typ": typ,
            "aud": typ,
            "iss": self._issuer,
            "sub": sub,
            "iat": int(now_s),
            "exp": int(now_s + ttl_s),
            "jti": secrets.token_urlsafe(12),
        }
        token = jwt.encode({**claims, **registered}, self._key, algorithm=ALGORITHM)
        if len(token) > MAX_TOKEN_BYTES:
            raise ValueError(
                f"claims: the token has {len(token)} bytes, at most {MAX_TOKEN_BYTES} are accepted"
            )
        return token

    def verify(self, token: str, typ: str) -> dict[str, Any]:
        """Return a token's claims.

        Raises:
            BadToken: it is not a living token of this site for this purpose; see `BadToken.reason`.
        """
        if len(token) > MAX_TOKEN_BYTES:
            raise BadToken("too_large")
        if not _COMPACT.fullmatch(token):
            raise BadToken("malformed")
        try:
            claims = jwt.decode(
                token,
                self._key,
                algorithms=[ALGORITHM],
                audience=typ,
                issuer=self._issuer,
                options={"require": list(_REQUIRED), "strict_aud": True},
            )
        except jwt.PyJWTError as error:
            reason = next((name for kind, name in _REASONS if isinstance(error, kind)), "malformed")
            raise BadToken(reason) from None
        if claims["typ"] != typ:
            raise BadToken("wrong_purpose")
        return claims


def read_or_create_key(path: Path, length: int = KEY_BYTES) -> bytes:
    """Return a key file's content; make the file with random content when there is none.

    Raises:
        ConfigError: others can read the file, or it is too short.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        _create_key(path, secrets.token_bytes(length))
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise ConfigError([f"{path}: others can read it (mode {mode:o}); say: chmod 600 {path}"])
    key = path.read_bytes()
    if len(key) < length:
        raise ConfigError(
            [f"{path}: expected {length} bytes or more, got {len(key)}; remove it to get a new one"]
        )
    return key


def _create_key(path: Path, key: bytes) -> None:
    """Make the file, complete from the first moment: two processes may start at once."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(draft)
    except FileExistsError:
        pass  # the other process was first; its key is the key
    finally:
        draft.unlink()


class Tickets(Generic[T]):
    """Tickets that are good once, for half a minute: what a WebSocket's address carries in place of a token.

    Args:
        ttl_s: until a ticket expires.
        most: outstanding tickets; beyond it the oldest is dropped.
        monotonic_s: the clock, for tests.
    """

    def __init__(
        self,
        ttl_s: float = TICKET_TTL_S,
        most: int = 10_000,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ttl_s = ttl_s
        self._most = most
        self._monotonic_s = monotonic_s
        self._tickets: dict[str, tuple[float, T]] = {}

    def issue(self, holder: T) -> str:
        """Return a ticket for `holder`."""
        now_s = self._monotonic_s()
        for ticket, (expires_s, _) in list(self._tickets.items()):
            if expires_s > now_s and len(self._tickets) < self._most:
                break  # in order of issue: the rest is younger
            del self._tickets[ticket]
        ticket = secrets.token_urlsafe(32)
        self._tickets[ticket] = (now_s + self._ttl_s, holder)
        return ticket

    def redeem(self, ticket: str) -> T:
        """Return the ticket's holder; the ticket is used up.

        Raises:
            BadToken: unknown, which includes used ones, or "expired".
        """
        found = self._tickets.pop(ticket, None)
        if found is None:
            raise BadToken("unknown")
        expires_s, holder = found
        if expires_s <= self._monotonic_s():
            raise BadToken("expired")
        return holder

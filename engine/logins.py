"""Who is at the console: login, access tokens that live ten minutes, and what keeps them alive.

A login opens a *sign-in*: a row in the store with one refresh token. Refreshing uses the token up and
returns its successor and a new access token. The successor is derived from the token with a secret key, so
two tabs that refresh at once get the same one; a token that comes again later was stolen, and the whole
sign-in is revoked with it. A sign-in ends at the latest `SIGN_IN_TTL_S` after the password was given.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable
from hashlib import blake2b, sha256
from typing import Final

import msgspec
import trio

from engine.auth import BadToken, Tickets, Tokens
from engine.errors import PaiduiError
from engine.passwords import AttemptLimits, Passwords, generate_password
from engine.store import SignIn, Store, User

ACCESS_TYP: Final = "agent"
ACCESS_TTL_S: Final = 600
REFRESH_TTL_S: Final = 12 * 3600
SIGN_IN_TTL_S: Final = 24 * 3600
REFRESH_GRACE_MS: Final = 30_000


class WrongPassword(PaiduiError):
    """The login or the password is wrong; which of them is not said."""


class Identity(msgspec.Struct, frozen=True):
    """Who asks.

    Attributes:
        role: "agent", "supervisor", "analyst" or "admin".
        agent: the agent whose desk it is, or None.
        sign_in: the id of the sign-in that the access token belongs to.
    """

    user_id: int
    login: str
    name: str
    role: str
    agent: str | None
    sign_in: str

    @property
    def oversees(self) -> bool:
        """Whether the person may see and do what supervisors may."""
        return self.role in ("supervisor", "admin")


class Grant(msgspec.Struct, frozen=True):
    """What a login or a refresh gives.

    Attributes:
        access: the access token.
        expires_in_s: its lifetime.
        refresh: the refresh token, for a cookie that scripts cannot read.
    """

    identity: Identity
    access: str
    expires_in_s: int
    refresh: str


class _Live:
    """What this process remembers of a sign-in."""

    def __init__(self, expires_at_ms: int, access_until_ms: int) -> None:
        self.expires_at_ms = expires_at_ms
        self.access_until_ms = access_until_ms
        self.over = trio.Event()
        self.over_because = ""


class Logins:
    """Lets people in and says who they are.

    Revocation reaches the sockets of this process at once; another process learns it from the store when an
    access token of that sign-in is first shown to it.

    Args:
        store: people and sign-ins.
        tokens: signs the access tokens.
        refresh_key: secret; refresh tokens are derived with it.
        passwords: hashes; one per process.
        limits: against guessing.
        now_ms: Unix milliseconds, for tests; the store's clock must be the same.
    """

    def __init__(
        self,
        store: Store,
        tokens: Tokens,
        refresh_key: bytes,
        *,
        passwords: Passwords | None = None,
        limits: AttemptLimits | None = None,
        now_ms: Callable[[], int] | None = None,
    ) -> None:
        self._store = store
        self._tokens = tokens
        self._successor_key = blake2b(refresh_key, person=b"paidui.refresh").digest()
        self._passwords = passwords or Passwords()
        self._limits = limits or AttemptLimits()
        self._now_ms = now_ms or (lambda: time.time_ns() // 1_000_000)
        self._live: dict[str, _Live] = {}
        self._tickets: Tickets[Identity] = Tickets()

    async def add_user(
        self, login: str, *, name: str, password: str, role: str = "agent", agent: str | None = None
    ) -> User:
        """Add a person.

        Raises:
            Malformed: a field is malformed or taken; the text names it.
        """
        password_hash = await self._passwords.hash(password)
        return await self._store.add_user(
            login, name=name, password_hash=password_hash, role=role, agent=agent
        )

    async def first_user(self, login: str = "admin") -> str | None:
        """Add an administrator with a generated password when there is nobody yet.

        Returns:
            The password, to be printed once; None when there are people already.
        """
        if await self._store.count_users():
            return None
        password = generate_password()
        await self.add_user(login, name="Administrator", password=password, role="admin")
        return password

    async def login(self, login: str, password: str, address: str) -> Grant:
        """Check a password and open a sign-in.

        Raises:
            WrongPassword: also when the account is unknown or disabled, after the same time.
            TooManyAttempts: for this account or from this address.
        """
        account = login.strip().lower()
        self._limits.attempt(account, address)
        found = await self._store.credentials(account)
        user, password_hash = found if found is not None else (None, None)
        right = await self._passwords.verify(password_hash, password)
        if not right or user is None or password_hash is None or user.disabled_at_ms is not None:
            raise WrongPassword
        self._limits.succeeded(account, address)
        if self._passwords.outdated(password_hash):
            await self._store.set_password_hash(user.id, await self._passwords.hash(password))
        return await self._open(user)

    async def refresh(self, refresh: str) -> Grant:
        """Use a refresh token up.

        Raises:
            BadToken: unknown, expired, revoked, or reused, which revokes the sign-in.
        """
        successor = self._successor(refresh)
        expires_at_ms = self._now_ms() + REFRESH_TTL_S * 1_000
        rotation = await self._store.rotate(
            _digest(refresh), _digest(successor), expires_at_ms, REFRESH_GRACE_MS
        )
        if rotation.sign_in is None or rotation.user is None:
            if rotation.sign_in is not None:
                self._forget(rotation.sign_in.id)
            raise BadToken(rotation.verdict)
        return self._grant(rotation.user, rotation.sign_in, successor)

    async def logout(self, refresh: str) -> None:
        """Revoke the sign-in of a refresh token; an unknown token is no error."""
        sign_in = await self._store.sign_in_of(_digest(refresh))
        if sign_in is not None:
            await self.revoke(sign_in.id, "logout")

    async def revoke(self, sign_in_id: str, because: str) -> None:
        """Revoke a sign-in: its tokens are refused and its sockets closed."""
        await self._store.revoke_sign_in(sign_in_id, because)
        self._forget(sign_in_id, "signed_out" if because == "logout" else "revoked")

    async def disable(self, user_id: int) -> None:
        """Let a person in no more, and close what is open."""
        for sign_in_id in await self._store.disable_user(user_id):
            self._forget(sign_in_id)

    async def identify(self, access: str) -> Identity:
        """Return whose access token this is.

        Raises:
            BadToken: it proves nothing, or its sign-in is over.
        """
        claims = self._tokens.verify(access, ACCESS_TYP)
        try:
            identity = msgspec.convert({**claims, "user_id": int(claims["sub"])}, Identity)
        except (msgspec.ValidationError, ValueError):
            raise BadToken("missing_claim") from None
        if identity.sign_in not in self._live:
            sign_in = await self._store.sign_in(identity.sign_in)
            if sign_in is None or sign_in.revoked_at_ms is not None:
                raise BadToken("revoked")
            self._remember(sign_in, int(claims["exp"]) * 1_000)
        if self._live[identity.sign_in].expires_at_ms <= self._now_ms():
            raise BadToken("expired")
        return identity

    def check(self, identity: Identity) -> None:
        """Make sure, before a privileged act on an open socket, that its person is still let in.

        The newest access token of the sign-in counts, so a page that refreshes goes on without a new socket.

        Raises:
            BadToken: "revoked", or "expired": refresh, then try again.
        """
        live = self._live.get(identity.sign_in)
        if live is None:
            raise BadToken("revoked")
        if min(live.access_until_ms, live.expires_at_ms) <= self._now_ms():
            raise BadToken("expired")

    async def wait_until_over(self, identity: Identity) -> str:
        """Wait until a socket of this identity must close.

        Returns:
            "signed_out", "revoked" or "session_expired": only a new login helps; "access_expired": no tab has
            refreshed in time, a refresh and a new socket help.
        """
        live = self._live.get(identity.sign_in)
        if live is None:
            return "revoked"
        while not live.over.is_set():
            left_ms = min(live.access_until_ms, live.expires_at_ms) - self._now_ms()
            if left_ms <= 0:
                return "access_expired" if live.expires_at_ms > self._now_ms() else "session_expired"
            with trio.move_on_after(left_ms / 1_000):
                await live.over.wait()
        return live.over_because

    def ticket(self, identity: Identity) -> str:
        """Return a ticket with which one WebSocket can be opened, once, within half a minute."""
        return self._tickets.issue(identity)

    def redeem(self, ticket: str) -> Identity:
        """Return whose ticket it is, and use it up.

        Raises:
            BadToken: unknown, used, expired, or its sign-in is over.
        """
        identity = self._tickets.redeem(ticket)
        self.check(identity)
        return identity

    async def _open(self, user: User) -> Grant:
        now_ms = self._now_ms()
        sign_in = SignIn(secrets.token_urlsafe(16), user.id, now_ms + SIGN_IN_TTL_S * 1_000, None)
        refresh = secrets.token_urlsafe(32)
        replaced = await self._store.open_sign_in(sign_in, _digest(refresh), now_ms + REFRESH_TTL_S * 1_000)
        for sign_in_id in replaced:
            self._forget(sign_in_id)
        self._prune()
        return self._grant(user, sign_in, refresh)

    def _grant(self, user: User, sign_in: SignIn, refresh: str) -> Grant:
        identity = Identity(user.id, user.login, user.name, user.role, user.agent, sign_in.id)
        claims = {name: getattr(identity, name) for name in ("login", "name", "role", "agent", "sign_in")}
        access = self._tokens.issue(ACCESS_TYP, str(user.id), ACCESS_TTL_S, **claims)
        self._remember(sign_in, self._now_ms() + ACCESS_TTL_S * 1_000)
        return Grant(identity, access, ACCESS_TTL_S, refresh)

    def _remember(self, sign_in: SignIn, access_until_ms: int) -> None:
        live = self._live.setdefault(sign_in.id, _Live(sign_in.expires_at_ms, access_until_ms))
        live.access_until_ms = max(live.access_until_ms, access_until_ms)

    def _forget(self, sign_in_id: str, because: str = "revoked") -> None:
        if (live := self._live.pop(sign_in_id, None)) is not None:
            live.over_because = because
            live.over.set()

    def _prune(self) -> None:
        now_ms = self._now_ms()
        for sign_in_id in [key for key, live in self._live.items() if live.expires_at_ms <= now_ms]:
            del self._live[sign_in_id]

    def _successor(self, refresh: str) -> str:
        return hmac.new(self._successor_key, refresh.encode(), sha256).hexdigest()


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()

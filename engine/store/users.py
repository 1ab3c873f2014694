"""The people who sign in to the console, and their sign-ins."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from engine.errors import Malformed
from engine.store.audit import SYSTEM, Auditor
from engine.store.database import Database
from engine.store.fields import check_length
from engine.store.schema import ROLES, refresh_tokens, sign_ins, users

_LOGIN: Final = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
ASKED_AT_ONCE: Final = 500
"""Values that one statement names; SQLite takes no more than some thousands."""
SIGN_INS_PER_USER: Final = 20
"""More replace the oldest: a phone, a few browsers, and what was never signed out."""


class User(msgspec.Struct, frozen=True):
    """A person.

    Attributes:
        role: "agent", "supervisor", "analyst" or "admin".
        agent: the agent in the configuration whose desk it is, or None.
    """

    id: int
    login: str
    name: str
    role: str
    agent: str | None
    disabled_at_ms: int | None


class NewUser(msgspec.Struct, frozen=True):
    """A person who is to be added; the fields are those of `User`."""

    login: str
    name: str
    password_hash: str
    role: str = "agent"
    agent: str | None = None


class SignIn(msgspec.Struct, frozen=True):
    """One login of a user, from which access tokens are made until it expires or is revoked."""

    id: str
    user_id: int
    expires_at_ms: int
    revoked_at_ms: int | None


class Rotation(msgspec.Struct, frozen=True):
    """What became of a refresh token.

    Attributes:
        verdict: "fresh", or why not: "unknown", "expired", "revoked", "reused".
        sign_in: whose token it is; None when it is unknown.
        user: None unless the verdict is "fresh".
    """

    verdict: str
    sign_in: SignIn | None = None
    user: User | None = None


def check_new_user(one: NewUser) -> None:
    """Refuse what can be refused without a look at the others.

    Raises:
        Malformed: a field is malformed; the text names it.
    """
    if not _LOGIN.fullmatch(one.login):
        raise Malformed(f"login: expected 1..64 of a-z 0-9 . _ @ -, got {one.login!r}")
    if one.role not in ROLES:
        raise Malformed(f"role: expected one of {', '.join(ROLES)}, got {one.role!r}")
    check_length("name", one.name, 1, 200)


class UserStore(Database):
    """The part of the store that keeps people and their sign-ins."""

    _auditor: Auditor

    async def add_user(
        self,
        login: str,
        *,
        name: str,
        password_hash: str,
        role: str = "agent",
        agent: str | None = None,
        by: str = SYSTEM,
    ) -> User:
        """Add a person.

        Raises:
            Malformed: a field is malformed, or the login or agent is taken; the text names it.
        """
        (user,) = await self.add_users([NewUser(login, name, password_hash, role, agent)], by)
        return user

    async def add_users(self, people: Sequence[NewUser], by: str = SYSTEM) -> list[User]:
        """Add people: all of them, or none.

        Raises:
            Malformed: as :meth:`add_user`, for the first of them that is wrong.
        """
        for one in people:
            check_new_user(one)
        now_ms = self._now_ms()
        rows = [{**msgspec.structs.asdict(one), "created_at_ms": now_ms} for one in people]
        return await self._transact(_add_users, self._auditor, by, rows, once=True)

    async def credentials(self, login: str) -> tuple[User, str] | None:
        """Return a person and the password's hash."""
        return await self._transact(_credentials, login)

    async def user(self, user_id: int) -> User | None:
        """Return a person."""
        return await self._transact(_user, user_id)

    async def count_users(self) -> int:
        """Return how many people there are."""
        return await self._transact(lambda c: c.execute(select(func.count()).select_from(users)).scalar_one())

    async def set_password_hash(self, user_id: int, password_hash: str) -> None:
        """Replace a password's hash by a better one of the same password."""
        await self._transact(_set_password_hash, user_id, password_hash)

    async def set_password(self, user_id: int, password_hash: str, by: str) -> None:
        """Give a person another password."""
        await self._transact(
            _set_password, self._auditor, by, user_id, password_hash, self._now_ms(), once=True
        )

    async def disable_user(self, user_id: int, by: str = SYSTEM) -> list[str]:
        """Let a person in no more; return the ids of the sign-ins that are revoked by it."""
        return await self._transact(_disable_user, self._auditor, by, user_id, self._now_ms(), once=True)

    async def open_sign_in(self, sign_in: SignIn, token_hash: str, token_expires_at_ms: int) -> list[str]:
        """Store a sign-in with its first refresh token; return the ids of those it replaces."""
        return await self._transact(
            _open_sign_in, sign_in, token_hash, token_expires_at_ms, self._now_ms(), once=True
        )

    async def sign_in(self, sign_in_id: str) -> SignIn | None:
        """Return a sign-in."""
        return await self._transact(_sign_in, sign_in_id)

    async def agents_signed_in(self, sign_in_ids: Sequence[str]) -> dict[str, str]:
        """Return sign-in -> agent, of those that are not over and whose person has an agent's desk."""
        return await self._transact(_agents_signed_in, sign_in_ids, self._now_ms())

    async def sign_in_of(self, token_hash: str) -> SignIn | None:
        """Return the sign-in of a refresh token, used or not."""
        return await self._transact(_sign_in_of, token_hash)

    async def revoke_sign_in(self, sign_in_id: str, because: str) -> None:
        """Revoke a sign-in; a second call changes nothing."""
        await self._transact(_revoke, sign_in_id, because, self._now_ms())

    async def rotate(
        self, token_hash: str, successor_hash: str, successor_expires_at_ms: int, grace_ms: int
    ) -> Rotation:
        """Use a refresh token up and put its successor in its place.

        A token that is used a second time was stolen, or its thief was faster: the sign-in is revoked.
        Within `grace_ms`, while the successor is unused, it is taken for the same request once more (two
        tabs, an answer that was lost) and leads to the same successor.
        """
        return await self._transact(
            _rotate, token_hash, successor_hash, successor_expires_at_ms, grace_ms, self._now_ms()
        )


_users: Final = select(
    users.c.id, users.c.login, users.c.name, users.c.role, users.c.agent, users.c.disabled_at_ms
)
_sign_ins: Final = select(
    sign_ins.c.id, sign_ins.c.user_id, sign_ins.c.expires_at_ms, sign_ins.c.revoked_at_ms
)


def _add_users(connection: Connection, auditor: Auditor, by: str, rows: list[dict[str, Any]]) -> list[User]:
    made = []
    for row in rows:
        user = _add_user(connection, row)
        details = {"role": user.role, "agent": user.agent}
        auditor.note(connection, row["created_at_ms"], by, "user.add", f"user:{user.login}", **details)
        made.append(user)
    return made


def _set_password_hash(connection: Connection, user_id: int, password_hash: str) -> None:
    connection.execute(update(users).where(users.c.id == user_id).values(password_hash=password_hash))


def _set_password(
    connection: Connection, auditor: Auditor, by: str, user_id: int, password_hash: str, now_ms: int
) -> None:
    _set_password_hash(connection, user_id, password_hash)
    auditor.note(connection, now_ms, by, "user.password", _subject(connection, user_id))


def _subject(connection: Connection, user_id: int) -> str:
    return f"user:{connection.execute(select(users.c.login).where(users.c.id == user_id)).scalar()}"


def _add_user(connection: Connection, row: dict[str, Any]) -> User:
    for field in ("login", "agent"):
        same = select(users.c.id).where(users.c[field] == row[field])
        if row[field] is not None and connection.execute(same).first() is not None:
            raise Malformed(f"{field}: {row[field]!r} is taken; choose another")
    key = connection.execute(insert(users).values(row)).inserted_primary_key
    assert key is not None
    made = _user(connection, key[0])
    assert made is not None
    return made


def _credentials(connection: Connection, login: str) -> tuple[User, str] | None:
    with_hash = _users.add_columns(users.c.password_hash)
    row = connection.execute(with_hash.where(users.c.login == login)).one_or_none()
    return None if row is None else (User(*row[:-1]), row[-1])


def _user(connection: Connection, user_id: int) -> User | None:
    row = connection.execute(_users.where(users.c.id == user_id)).one_or_none()
    return None if row is None else User(*row)


def _sign_in(connection: Connection, sign_in_id: str) -> SignIn | None:
    row = connection.execute(_sign_ins.where(sign_ins.c.id == sign_in_id)).one_or_none()
    return None if row is None else SignIn(*row)


def _agents_signed_in(connection: Connection, sign_in_ids: Sequence[str], now_ms: int) -> dict[str, str]:
    living = (
        select(sign_ins.c.id, users.c.agent)
        .join(users, users.c.id == sign_ins.c.user_id)
        .where(
            sign_ins.c.revoked_at_ms.is_(None),
            sign_ins.c.expires_at_ms > now_ms,
            users.c.disabled_at_ms.is_(None),
            users.c.agent.is_not(None),
        )
    )
    found: dict[str, str] = {}
    for at in range(0, len(sign_in_ids), ASKED_AT_ONCE):
        asked = sign_ins.c.id.in_(sign_in_ids[at : at + ASKED_AT_ONCE])
        found.update((row.id, row.agent) for row in connection.execute(living.where(asked)))
    return found


def _sign_in_of(connection: Connection, token_hash: str) -> SignIn | None:
    token = _token(connection, token_hash)
    return None if token is None else _sign_in(connection, token.sign_in_id)


def _live_sign_ins(connection: Connection, user_id: int) -> list[str]:
    rows = connection.execute(
        select(sign_ins.c.id)
        .where(sign_ins.c.user_id == user_id, sign_ins.c.revoked_at_ms.is_(None))
        .order_by(sign_ins.c.created_at_ms.desc(), sign_ins.c.id)
    )
    return [row.id for row in rows]


def _revoke(connection: Connection, sign_in_id: str, because: str, now_ms: int) -> None:
    connection.execute(
        update(sign_ins)
        .where(sign_ins.c.id == sign_in_id, sign_ins.c.revoked_at_ms.is_(None))
        .values(revoked_at_ms=now_ms, revoked_because=because)
    )


def _disable_user(connection: Connection, auditor: Auditor, by: str, user_id: int, now_ms: int) -> list[str]:
    connection.execute(update(users).where(users.c.id == user_id).values(disabled_at_ms=now_ms))
    revoked = _live_sign_ins(connection, user_id)
    for sign_in_id in revoked:
        _revoke(connection, sign_in_id, "disabled", now_ms)
    auditor.note(connection, now_ms, by, "user.disable", _subject(connection, user_id))
    return revoked


def _open_sign_in(
    connection: Connection, sign_in: SignIn, token_hash: str, token_expires_at_ms: int, now_ms: int
) -> list[str]:
    connection.execute(delete(sign_ins).where(sign_ins.c.expires_at_ms <= now_ms))
    replaced = _live_sign_ins(connection, sign_in.user_id)[SIGN_INS_PER_USER - 1 :]
    for sign_in_id in replaced:
        _revoke(connection, sign_in_id, "replaced", now_ms)
    connection.execute(
        insert(sign_ins).values(
            id=sign_in.id,
            user_id=sign_in.user_id,
            created_at_ms=now_ms,
            expires_at_ms=sign_in.expires_at_ms,
        )
    )
    _add_token(connection, token_hash, sign_in.id, token_expires_at_ms)
    return replaced


def _add_token(connection: Connection, token_hash: str, sign_in_id: str, expires_at_ms: int) -> None:
    connection.execute(
        insert(refresh_tokens).values(
            token_hash=token_hash, sign_in_id=sign_in_id, expires_at_ms=expires_at_ms
        )
    )


def _rotate(
    connection: Connection,
    token_hash: str,
    successor_hash: str,
    successor_expires_at_ms: int,
    grace_ms: int,
    now_ms: int,
) -> Rotation:
    token = _token(connection, token_hash)
    if token is None:
        return Rotation("unknown")
    sign_in = _sign_in(connection, token.sign_in_id)
    assert sign_in is not None  # a foreign key
    user = _user(connection, sign_in.user_id)
    assert user is not None  # a foreign key
    if sign_in.revoked_at_ms is not None or user.disabled_at_ms is not None:
        return Rotation("revoked", sign_in)
    if min(token.expires_at_ms, sign_in.expires_at_ms) <= now_ms:
        return Rotation("expired", sign_in)
    if token.used_at_ms is None:
        connection.execute(
            update(refresh_tokens).where(refresh_tokens.c.token_hash == token_hash).values(used_at_ms=now_ms)
        )
        _add_token(connection, successor_hash, sign_in.id, successor_expires_at_ms)
        return Rotation("fresh", sign_in, user)
    successor = _token(connection, successor_hash)
    once_more = successor is not None and successor.used_at_ms is None
    if once_more and now_ms - token.used_at_ms <= grace_ms:
        return Rotation("fresh", sign_in, user)
    _revoke(connection, sign_in.id, "reuse", now_ms)
    return Rotation("reused", sign_in)


def _token(connection: Connection, token_hash: str) -> Row[Any] | None:
    return connection.execute(
        select(refresh_tokens).where(refresh_tokens.c.token_hash == token_hash)
    ).one_or_none()

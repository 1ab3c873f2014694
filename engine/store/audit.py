"""The audit log: who did what to which object when, in rows that are only ever added and hold each other.

A row's hash covers its fields and the hash before it; the head, a row of its own, knows the last one. So a
row that was changed, removed or moved is found, and the end cannot be cut without touching the head. Whoever
can write to the database and has the site's key can make a whole new log: for that `verify` prints the head,
to be kept elsewhere and asked for later. No row holds anything personal of a customer: none is ever erased.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, insert, select, update

from engine.store.database import Database
from engine.store.schema import audit, audit_head

SYSTEM: Final = "paidui"
"""Who did what nobody asked for."""
PAGE: Final = 2_000
_PERSON: Final = b"paidui.audit"
_START: Final = "0" * 64


class Entry(msgspec.Struct, frozen=True):
    """A row.

    Attributes:
        number: 1, 2, 3...
        actor: a login, `command line (user)`, or `SYSTEM`.
        act: what was done, as `customer.merge`.
        subject: to what, as `customer:17`.
        details: ids and counts.
    """

    number: int
    at_ms: int
    actor: str
    act: str
    subject: str
    details: Mapping[str, Any]


class Verdict(msgspec.Struct, frozen=True):
    """What a look at the whole log gave.

    Attributes:
        rows: how many are sound, from the first.
        head: the hash of the last of them.
        fault: which row is wrong and how; None = none.
    """

    rows: int
    head: str
    fault: str | None = None


class Auditor:
    """Adds rows.

    Args:
        key: the site's; b"" = everybody can compute the hashes.
    """

    def __init__(self, key: bytes = b"") -> None:
        self._key = key[:64]

    def note(
        self, connection: Connection, at_ms: int, actor: str, act: str, subject: str, **details: object
    ) -> None:
        """Add a row in the transaction that does what it speaks of."""
        head = connection.execute(select(audit_head)).one_or_none()
        number, before = (head.number + 1, head.hash) if head is not None else (1, _START)
        text = msgspec.json.encode(details, order="sorted").decode()
        fields = (number, at_ms, actor, act, subject, text)
        digest = self.digest(before, fields)
        connection.execute(insert(audit).values((*fields, digest)))
        if head is None:
            connection.execute(insert(audit_head).values(id=1, number=1, hash=digest))
        else:
            connection.execute(update(audit_head).values(number=number, hash=digest))

    def digest(self, before: str, fields: Sequence[object]) -> str:
        """Return a row's hash."""
        covered = msgspec.msgpack.encode([before, *fields])
        return blake2b(covered, digest_size=32, key=self._key, person=_PERSON).hexdigest()


class AuditStore(Database):
    """The part of the store that keeps the audit log."""

    _auditor: Auditor

    async def note(self, actor: str, act: str, subject: str, **details: object) -> None:
        """Add a row about something that is done outside the store; do that afterwards: an attempt counts."""
        await self._transact(_note, self._auditor, self._now_ms(), actor, act, subject, details, once=True)

    async def entries(
        self, *, last: int = 100, subject: str | None = None, actor: str | None = None
    ) -> list[Entry]:
        """Return the newest rows, the oldest of them first."""
        return await self._transact(_entries, last, subject, actor)

    async def verify_audit(self, expected: tuple[int, str] | None = None) -> Verdict:
        """Look at every row.

        Args:
            expected: a number and its hash, as an earlier verdict gave them.
        """
        head = await self._transact(lambda c: c.execute(select(audit_head)).one_or_none())
        number, before = 0, _START
        while rows := await self._transact(_behind, number):
            for row in rows:
                if fault := self._fault(number, before, row, expected):
                    return Verdict(number, before, fault)
                number, before = row.number, row.hash
        missing = max(head.number if head is not None else 0, expected[0] if expected else 0)
        if missing > number:
            return Verdict(
                number, before, f"row {number + 1}: it and what follows, up to {missing}, are gone"
            )
        if number and head is None:
            return Verdict(number, before, f"row {number}: the head that names it is gone")
        return Verdict(number, before)

    def _fault(self, number: int, before: str, row: Row[Any], expected: tuple[int, str] | None) -> str | None:
        if row.number != number + 1:
            return f"row {number + 1}: it is gone"
        if not hmac.compare_digest(self._auditor.digest(before, row[:-1]), row.hash):
            return f"row {row.number}: it, or the one before it, is not what was written"
        if expected is not None and expected[0] == row.number and expected[1] != row.hash:
            return f"row {row.number}: it is another one than was noted down: the log was written anew"
        return None


def _note(
    connection: Connection,
    auditor: Auditor,
    at_ms: int,
    actor: str,
    act: str,
    subject: str,
    details: Mapping[str, object],
) -> None:
    auditor.note(connection, at_ms, actor, act, subject, **details)


def _entries(connection: Connection, last: int, subject: str | None, actor: str | None) -> list[Entry]:
    asked = select(audit).order_by(audit.c.number.desc()).limit(last)
    if subject is not None:
        asked = asked.where(audit.c.subject == subject)
    if actor is not None:
        asked = asked.where(audit.c.actor == actor)
    rows = connection.execute(asked).all()
    return [_entry(row) for row in reversed(rows)]


def _entry(row: Row[Any]) -> Entry:
    details = msgspec.json.decode(row.details)
    return Entry(row.number, row.at_ms, row.actor, row.act, row.subject, details)


def _behind(connection: Connection, number: int) -> Sequence[Row[Any]]:
    page = select(audit).where(audit.c.number > number).order_by(audit.c.number).limit(PAGE)
    return connection.execute(page).all()

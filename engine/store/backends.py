"""What differs between SQLite and PostgreSQL, all of it; everything else of the store is one code path.

Both give the same: transactions that look as if they had run one after the other, and a commit that is on
the disk when it returns. SQLite has one writer at a time; PostgreSQL runs transactions at isolation level
SERIALIZABLE and refuses one of two that would not have given the same one after the other: it is run again.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, Final, Protocol

from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, InterfaceError, NoSuchModuleError, OperationalError
from sqlalchemy.pool import StaticPool

from engine.errors import ConfigError, PaiduiError

BUSY_TIMEOUT_MS: Final = 5_000
CONNECTIONS: Final = 4
"""To PostgreSQL, from one process: a commit waits for a disk, or for two machines."""
CONNECT_TIMEOUT_S: Final = 5
SILENCE_MS: Final = 10_000
"""A server that has not answered at the network's level for so long is taken for gone."""
CHECKPOINTS, CHECKPOINT_PAUSE_S = 100, 0.1
"""So often the WAL is tried to be emptied."""
MIGRATED: Final = 5
"""`PRAGMA user_version` of a file that is kept by migrations: releases before them refuse it."""
RELEASED: Final = 4
"""`PRAGMA user_version` of what the first migration makes."""
BEFORE: Final = {
    1: (
        "ALTER TABLE conversations ADD COLUMN weight INTEGER NOT NULL DEFAULT 1",
        "ALTER TABLE conversations ADD COLUMN agent TEXT",
        "CREATE TABLE identities (channel TEXT NOT NULL, name TEXT NOT NULL, "
        "customer_id INTEGER NOT NULL REFERENCES customers (id), PRIMARY KEY (channel, name))",
        "CREATE INDEX ix_identities_customer_id ON identities (customer_id)",
    ),
    2: ("ALTER TABLE conversations ADD COLUMN wishes JSON NOT NULL DEFAULT '{}'",),
    3: ("ALTER TABLE conversations ADD COLUMN terms JSON NOT NULL DEFAULT '{}'",),
}
"""What makes of each format before that the next one."""

SERIALIZATION, DEADLOCK, UNIQUE = "40001", "40P01", "23505"
STANDBY_NOT_WAITED_FOR: Final = "01000"
"""A warning: committed here, and perhaps on no other machine, because the wait for it was cancelled."""


class StoreError(PaiduiError):
    """The store cannot be used; the text says what to do."""


class Backend(Protocol):
    """A database."""

    @property
    def name(self) -> str:
        """What an error calls it; without a password."""
        ...

    @property
    def connections(self) -> int:
        """How many transactions of this process run at once."""
        ...

    def engine(self) -> Engine:
        """Return an engine; nothing is opened yet."""
        ...

    def alone(self, connection: Connection) -> AbstractContextManager[None]:
        """Begin no other transaction of this kind, in whichever process, while the block runs."""
        ...

    def adopt(self, connection: Connection) -> str | None:
        """Return the revision of a store that was made before there were migrations; None = of no such."""
        ...

    def migrated(self, connection: Connection) -> None:
        """Keep releases that know no migrations away."""
        ...

    def settle(self, connection: Connection) -> None:
        """Make the commit of this transaction prove that those before it are as safe as itself."""
        ...

    def in_commit_order(self, connection: Connection) -> None:
        """Let no other transaction that asks for this insert before this one has ended."""
        ...

    def forget_warnings(self, connection: Connection) -> None:
        """Begin to listen for what `is_doubtful` tells."""
        ...

    def is_doubtful(self, connection: Connection) -> bool:
        """Whether the commit that has just returned may be lost with this machine."""
        ...

    def is_conflict(self, error: DBAPIError) -> bool:
        """Whether the transaction left nothing behind and can simply be run again."""
        ...

    def is_lost(self, error: DBAPIError) -> bool:
        """Whether the database was not to be had."""
        ...

    def forget(self, engine: Engine) -> None:
        """Leave nothing of deleted rows on the disk, as far as it is ours."""
        ...


class Sqlite:
    """A file of this machine.

    Args:
        path: the file; made when it is missing, readable by its owner only.
    """

    connections = 1

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def name(self) -> str:
        """Its path."""
        return str(self.path)

    def engine(self) -> Engine:
        """Return an engine with one connection."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # SQLite would make it readable for everybody; its WAL takes over the file's mode.
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        engine = create_engine(
            f"sqlite:///{self.path}",
            poolclass=StaticPool,
            connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1_000},
            hide_parameters=True,  # an error's text goes to the log, and what people write is among them
        )
        event.listen(engine, "connect", _configure)
        event.listen(engine, "begin", _begin)
        return engine

    def alone(self, connection: Connection) -> AbstractContextManager[None]:
        """Nothing to do: every transaction is the only one."""
        return nullcontext()

    def adopt(self, connection: Connection) -> str | None:
        """Bring a file of the formats 1 to 4 to the first revision."""
        found = connection.execute(text("PRAGMA user_version")).scalar_one()
        if found in (0, MIGRATED):
            return None
        if found != RELEASED and found not in BEFORE:
            raise StoreError(
                f"{self.path}: has format {found}, this release reads up to {MIGRATED}; "
                "use the release that wrote it"
            )
        for older in range(found, RELEASED):
            for statement in BEFORE[older]:
                if "identities" not in statement or not _has_identities(connection):
                    connection.exec_driver_sql(statement)
        return "0001"

    def migrated(self, connection: Connection) -> None:
        """Set the format that older releases refuse."""
        connection.exec_driver_sql(f"PRAGMA user_version={MIGRATED}")

    def settle(self, connection: Connection) -> None:
        """Nothing to do: a doubtful commit is not repeated here."""

    def in_commit_order(self, connection: Connection) -> None:
        """Nothing to do: every transaction is the only one."""

    def forget_warnings(self, connection: Connection) -> None:
        """There are none."""

    def is_doubtful(self, connection: Connection) -> bool:
        """A commit that returned is on the disk."""
        return False

    def is_conflict(self, error: DBAPIError) -> bool:
        """Never: every transaction is the only one."""
        return False

    def is_lost(self, error: DBAPIError) -> bool:
        """Whether others have kept it to themselves for longer than the busy time-out."""
        code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
        return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)

    def forget(self, engine: Engine) -> None:
        """Write the file anew without what was deleted, and empty the WAL.

        Secure deletion overwrites rows, but a page that was rebuilt keeps copies of what it held between
        its rows; so only a new file is sure.
        """
        with closing(engine.raw_connection()) as connection:
            raw: Any = connection.driver_connection
            raw.execute("VACUUM").close()
            # Another's checkpoint goes first at times, and SQLite does not wait for that one.
            for _ in range(CHECKPOINTS):
                busy, *_ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                if not busy:
                    return
                time.sleep(CHECKPOINT_PAUSE_S)
        raise StoreError("other processes have been using it without a pause")


class Postgres:
    """A PostgreSQL server.

    Args:
        url: where it is, as SQLAlchemy writes it.
    """

    connections = CONNECTIONS

    def __init__(self, url: URL) -> None:
        self._url = url

    @property
    def name(self) -> str:
        """Its URL, the password left out."""
        return self._url.render_as_string(hide_password=True)

    def engine(self) -> Engine:
        """Return an engine with a few connections."""
        try:
            engine = create_engine(
                self._url,
                isolation_level="SERIALIZABLE",
                pool_size=CONNECTIONS,
                max_overflow=0,
                connect_args={
                    "connect_timeout": CONNECT_TIMEOUT_S,
                    "tcp_user_timeout": SILENCE_MS,
                    "application_name": "paidui",
                },
                hide_parameters=True,
            )
        except (ImportError, NoSuchModuleError) as error:
            raise ConfigError(
                ["store.url: the PostgreSQL driver is missing; pip install 'paidui[postgresql]'"]
            ) from error
        event.listen(engine, "connect", _listen)
        return engine

    @contextmanager
    def alone(self, connection: Connection) -> Iterator[None]:
        """Hold a lock of the connection's; taken first: a transaction sees what was there when it began."""
        connection.execute(text("SELECT pg_advisory_lock(hashtext('paidui.store'))"))
        connection.commit()
        try:
            yield
        finally:
            # A connection that is gone has let go of it.
            with suppress(DBAPIError):
                connection.execute(text("SELECT pg_advisory_unlock(hashtext('paidui.store'))"))
                connection.commit()

    def adopt(self, connection: Connection) -> str | None:
        """There was none before migrations."""

    def migrated(self, connection: Connection) -> None:
        """No release without migrations opens it."""

    def settle(self, connection: Connection) -> None:
        """Write something: a commit that wrote nothing waits for no standby and proves nothing."""
        connection.execute(text("SELECT pg_logical_emit_message(true, 'paidui', 'again')"))

    def in_commit_order(self, connection: Connection) -> None:
        """Hold a lock until the transaction ends: who reads the rows by number sees none appear behind it."""
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('paidui.order'))"))

    def forget_warnings(self, connection: Connection) -> None:
        """Forget what the server has said before."""
        connection.info["doubtful"] = False

    def is_doubtful(self, connection: Connection) -> bool:
        """Whether the wait for the standby was cancelled."""
        return bool(connection.info["doubtful"])

    def is_conflict(self, error: DBAPIError) -> bool:
        """Whether another transaction came between.

        Two that look for a row and then both insert it are told so by the unique index at times.
        """
        return getattr(error.orig, "sqlstate", None) in (SERIALIZATION, DEADLOCK, UNIQUE)

    def is_lost(self, error: DBAPIError) -> bool:
        """Whether the connection is gone or cannot be had: no server, starting, stopping, no slot left."""
        if not isinstance(error, OperationalError | InterfaceError):
            return error.connection_invalidated
        state = getattr(error.orig, "sqlstate", None)
        return error.connection_invalidated or state is None or state[:2] in ("08", "57", "53")

    def forget(self, engine: Engine) -> None:
        """Let the server reuse the room; when its files are overwritten is the server's own affair."""
        plain = engine.execution_options(isolation_level="AUTOCOMMIT")
        with plain.connect() as connection:
            for table in ("messages", "conversations", "identities", "customers", "merges", "attachments"):
                connection.exec_driver_sql(f"VACUUM {table}")


def _configure(connection: Any, _record: Any) -> None:
    # The driver would begin transactions by itself, and late; see _begin.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    # IMMEDIATE: a transaction that reads and then writes must not find that another wrote in between.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _has_identities(connection: Connection) -> bool:
    # Format 1 made every table that was missing, so one that was opened by a later release has it.
    found = connection.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = 'identities'")
    return found.first() is not None


def _listen(connection: Any, record: Any) -> None:
    def hear(diagnostic: Any) -> None:
        if diagnostic.sqlstate == STANDBY_NOT_WAITED_FOR:
            record.info["doubtful"] = True

    record.info["doubtful"] = False
    connection.add_notice_handler(hear)

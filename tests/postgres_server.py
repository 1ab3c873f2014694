"""A PostgreSQL server of the tests' own: in a temporary folder, on a Unix socket, stopped at the end."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import URL

MISSING = (
    "PostgreSQL's server is missing: apt-get install --no-install-recommends postgresql, "
    "or PAIDUI_INSTALL=1 make test"
)
ROLE, OWNER = "paidui", "site"
"""Who may do everything, and whose the databases are: nobody special, as in real life."""
SETTINGS = {
    "listen_addresses": "",
    # The machine does not crash in these tests, only processes do.
    "fsync": "off",
    "max_connections": "60",
}


def binaries() -> Path | None:
    """Where its programs are; Debian keeps them out of the path."""
    if (found := shutil.which("initdb")) is not None:
        return Path(found).resolve().parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda one: int(one.parts[-3]))
    return folders[-1].parent if folders else None


class Server:
    """One server; databases are made in it.

    Args:
        programs: the folder of `initdb` and `pg_ctl`.
    """

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self.folder = Path(tempfile.mkdtemp(prefix="paidui-pg-"))
        self._data = self.folder / "data"
        self._databases = 0
        self._empty: list[str] = []
        # It refuses to run as root, so as root it is somebody else's.
        self._as: dict[str, int] = {}
        if os.geteuid() == 0:
            names = {one.pw_name: one for one in pwd.getpwall()}
            user = names.get("postgres") or names["nobody"]
            self._as = {"user": user.pw_uid, "group": user.pw_gid}
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        self._run("initdb", "-A", "trust", "-U", ROLE, "-E", "UTF8", "--locale=C", "--no-sync")

    def start(self) -> None:
        """Start it and wait until it answers."""
        settings = " ".join(f"-c {name}={value!r}" for name, value in SETTINGS.items())
        options = f"-k {self.folder} {settings}"
        self._run("pg_ctl", "start", "-w", "-s", "-l", str(self.folder / "log"), "-o", options)
        if not self.execute(f"SELECT 1 FROM pg_roles WHERE rolname = '{OWNER}'"):
            self.execute(f"CREATE ROLE {OWNER} LOGIN")

    def stop(self, mode: str = "fast") -> None:
        """Stop it; `immediate` is as good as a crash."""
        self._run("pg_ctl", "stop", "-w", "-s", "-m", mode)

    def remove(self) -> None:
        """Stop it and delete its folder."""
        try:
            self.stop("immediate")
        finally:
            shutil.rmtree(self.folder)

    def database(self) -> URL:
        """Return the URL of an empty database: one that was given back, or a new one."""
        if self._empty:
            return self.url(self._empty.pop())
        self._databases += 1
        name = f"store_{self._databases}"
        self.execute(f"CREATE DATABASE {name} OWNER {OWNER}")
        return self.url(name)

    def give_back(self, url: URL) -> None:
        """Put out who is in a database, and empty it: quicker than to make and delete hundreds of files."""
        name = str(url.database)
        self.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        self.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION pg_database_owner", name)
        self._empty.append(name)

    def url(self, name: str) -> URL:
        """The URL of a database."""
        return URL.create(
            "postgresql+psycopg", username=OWNER, database=name, query={"host": str(self.folder)}
        )

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run one statement from outside, committed by itself; return its rows."""
        how = {"host": str(self.folder), "user": ROLE, "dbname": database, "autocommit": True}
        with psycopg.connect(**how) as connection:  # type: ignore[arg-type]  # as keywords
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), "-D", str(self._data), *arguments]
        done = subprocess.run(
            command,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            extra_groups=[] if self._as else None,
            **self._as,
        )
        if done.returncode != 0:
            log = self.folder / "log"
            raise AssertionError(f"{program}: {done.stderr}{log.read_text() if log.exists() else ''}")


def new_server() -> Server:
    """Start a server; without its programs the test is skipped, or fails when STRICT=1."""
    programs = binaries()
    if programs is None:
        if os.environ.get("STRICT") == "1":
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    server = Server(programs)
    server.start()
    return server

"""Brings a store's tables to this release's revision, in one transaction, by one process at a time.

The steps are `migrations/versions/rNNNN_*.py`, run by Alembic. No copy is kept: a step that fails leaves
the store as it was, and a copy would keep what is erased later.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from engine.store.backends import Backend, StoreError

FOLDER: Final = Path(__file__).parent / "migrations"


def migrate(backend: Backend, connection: Connection, to: str = "head") -> None:
    """Take every step up to revision `to` that the store has not taken yet; run alone, inside a transaction.

    Raises:
        StoreError: a newer release has made it.
    """
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    known = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    found = MigrationContext.configure(connection).get_current_revision()
    if found is not None and found not in known:
        raise StoreError(
            f"{backend.name}: has revision {found}, this release knows up to {known[0]}: a newer release "
            "has opened it; use that one, or restore a copy from before it"
        )
    if found is None and (released := backend.adopt(connection)) is not None:
        command.stamp(config, released)
    if found != known[0]:
        command.upgrade(config, to)
        backend.migrated(connection)

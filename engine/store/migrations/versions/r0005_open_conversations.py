"""An index of the conversations that go on: they are looked through every minute, and are few."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make it."""
    open_ones = sa.text("closed_at_ms IS NULL")
    op.create_index(
        "conversations_open",
        "conversations",
        ["contact"],
        sqlite_where=open_ones,
        postgresql_where=open_ones,
    )

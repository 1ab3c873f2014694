"""How far each channel has carried out its effects."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "confirmations",
        sa.Column("channel", sa.Text, primary_key=True),
        sa.Column("confirmed", sa.JSON, nullable=False),
    )

"""The store as the first release had it: people, customers, conversations, messages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    _people()
    op.create_table(
        "customers",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("public_id", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text),
        sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "identities",
        sa.Column("channel", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("customer_id", NUMBER, sa.ForeignKey("customers.id"), nullable=False, index=True),
    )
    op.create_table(
        "conversations",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("public_id", sa.Text, nullable=False, unique=True),
        sa.Column("contact", sa.BigInteger),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("external_id", sa.Text, nullable=False),
        sa.Column("queue", sa.Text, nullable=False),
        sa.Column("head_start_ms", sa.BigInteger, nullable=False),
        sa.Column("requires", sa.JSON, nullable=False),
        sa.Column("wishes", sa.JSON, nullable=False),
        sa.Column("weight", sa.Integer, nullable=False, server_default="1"),
        sa.Column("terms", sa.JSON, nullable=False, server_default="{}"),
        sa.Column("customer_id", NUMBER, sa.ForeignKey("customers.id"), nullable=False, index=True),
        sa.Column("opened_at_ms", sa.BigInteger, nullable=False),
        sa.Column("engaged_at_ms", sa.BigInteger),
        sa.Column("closed_at_ms", sa.BigInteger),
        sa.Column("agent", sa.Text),
        sa.UniqueConstraint("channel", "external_id"),
    )
    op.create_index("conversation_of_contact", "conversations", ["contact"], unique=True)
    nowhere = sa.text("contact IS NULL")
    op.create_index(
        "conversations_without_contact",
        "conversations",
        ["id"],
        sqlite_where=nowhere,
        postgresql_where=nowhere,
    )
    op.create_table(
        "messages",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("conversation", NUMBER, sa.ForeignKey("conversations.id"), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column(
            "sender",
            sa.Text,
            sa.CheckConstraint("sender IN ('customer', 'agent', 'system')"),
            nullable=False,
        ),
        sa.Column("agent", sa.Text),
        sa.Column("external_id", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("conversation", "position"),
        sa.UniqueConstraint("conversation", "sender", "external_id"),
        sqlite_autoincrement=True,
    )


def _people() -> None:
    op.create_table(
        "users",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("login", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column(
            "role",
            sa.Text,
            sa.CheckConstraint("role IN ('agent', 'supervisor', 'analyst', 'admin')"),
            nullable=False,
        ),
        sa.Column("agent", sa.Text, unique=True),
        sa.Column("created_at_ms", sa.BigInteger, nullable=False),
        sa.Column("disabled_at_ms", sa.BigInteger),
    )
    op.create_table(
        "sign_ins",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("user_id", NUMBER, sa.ForeignKey("users.id"), nullable=False, index=True),
        sa.Column("created_at_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_at_ms", sa.BigInteger, nullable=False),
        sa.Column("revoked_at_ms", sa.BigInteger),
        sa.Column("revoked_because", sa.Text),
    )
    op.create_table(
        "refresh_tokens",
        sa.Column("token_hash", sa.Text, primary_key=True),
        sa.Column(
            "sign_in_id",
            sa.Text,
            sa.ForeignKey("sign_ins.id", ondelete="CASCADE"),
            nullable=False,
            index=True,
        ),
        sa.Column("expires_at_ms", sa.BigInteger, nullable=False),
        sa.Column("used_at_ms", sa.BigInteger),
    )

"""Customers of a domain, with notes and identities of several kinds; two that are one are merged."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add what is new; what a channel called a customer becomes an identity of the kind `channel`."""
    op.add_column("customers", sa.Column("domain", sa.Text, nullable=False, server_default=""))
    op.add_column("customers", sa.Column("notes", sa.Text, nullable=False, server_default=""))
    op.add_column("customers", sa.Column("merged_into", NUMBER))
    op.create_index("ix_customers_merged_into", "customers", ["merged_into"])
    op.create_table(
        "identities_0003",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("domain", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("customer_id", NUMBER, sa.ForeignKey("customers.id"), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("domain", "kind", "account", "value"),
    )
    op.execute(
        "INSERT INTO identities_0003 (domain, kind, account, value, customer_id, created_at_ms) "
        "SELECT '', 'channel', i.channel, i.name, i.customer_id, c.created_at_ms "
        "FROM identities i JOIN customers c ON c.id = i.customer_id"
    )
    op.drop_table("identities")
    op.rename_table("identities_0003", "identities")
    op.create_index("ix_identities_customer_id", "identities", ["customer_id"])
    op.create_table(
        "merges",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("kept_id", NUMBER, sa.ForeignKey("customers.id"), nullable=False, index=True),
        sa.Column("merged_id", NUMBER, sa.ForeignKey("customers.id"), nullable=False, index=True),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("undone_at_ms", sa.BigInteger),
    )
    op.create_table(
        "merge_items",
        sa.Column("merge_id", NUMBER, sa.ForeignKey("merges.id"), primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("item", NUMBER, primary_key=True, autoincrement=False),
    )

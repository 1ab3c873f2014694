"""The store's tables: people, their sessions, conversations and messages.

Times are Unix milliseconds. Names of channels, queues and agents are those of the configuration file.
Everything personal is here and nowhere else: the journal holds ids and keyed hashes only.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

metadata: Final = MetaData()

ROLES: Final = ("agent", "supervisor", "analyst", "admin")
SENDERS: Final = ("customer", "agent", "system")

users: Final = Table(
    "users",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("login", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("role", Text, CheckConstraint(f"role IN {ROLES}"), nullable=False),
    Column("agent", Text, unique=True, comment="whose desk it is, as the configuration calls him"),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("disabled_at_ms", BigInteger),
)

sign_ins: Final = Table(
    "sign_ins",
    metadata,
    Column("id", Text, primary_key=True, comment="random; the claim sid of the access tokens"),
    Column("user_id", ForeignKey("users.id"), nullable=False, index=True),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("expires_at_ms", BigInteger, nullable=False, comment="whatever is refreshed, it ends then"),
    Column("revoked_at_ms", BigInteger),
    Column("revoked_because", Text, comment="logout, reuse, disabled, replaced"),
)

refresh_tokens: Final = Table(
    "refresh_tokens",
    metadata,
    Column("token_hash", Text, primary_key=True, comment="SHA-256; the token itself is nowhere"),
    Column("sign_in_id", ForeignKey("sign_ins.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("expires_at_ms", BigInteger, nullable=False),
    Column("used_at_ms", BigInteger),
)

customers: Final = Table(
    "customers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("public_id", Text, nullable=False, unique=True, comment="random; what the outside may see"),
    Column("name", Text),
    Column("created_at_ms", BigInteger, nullable=False),
)

identities: Final = Table(
    "identities",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("name", Text, primary_key=True, comment="what the channel calls the customer"),
    Column("customer_id", ForeignKey("customers.id"), nullable=False, index=True),
)

conversations: Final = Table(
    "conversations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("public_id", Text, nullable=False, unique=True, comment="random; what the outside may see"),
    Column("contact", BigInteger, comment="null until its arrival was journaled"),
    Column("channel", Text, nullable=False),
    Column("external_id", Text, nullable=False, comment="what the channel calls it"),
    Column("queue", Text, nullable=False, comment="where it arrived"),
    Column("head_start_ms", BigInteger, nullable=False),
    Column("requires", JSON, nullable=False, comment="skill -> lowest level, or a text"),
    Column("wishes", JSON, nullable=False, comment="preferred skills and agents, excluded agents"),
    Column("weight", Integer, nullable=False, server_default="1"),
    Column("terms", JSON, nullable=False, server_default="{}", comment="its place, from when, by when"),
    Column("customer_id", ForeignKey("customers.id"), nullable=False, index=True),
    Column("opened_at_ms", BigInteger, nullable=False),
    Column("engaged_at_ms", BigInteger, comment="when an agent last took it"),
    Column("closed_at_ms", BigInteger),
    Column("agent", Text, comment="who has served it, once it is over"),
    UniqueConstraint("channel", "external_id"),
)

Index("conversation_of_contact", conversations.c.contact, unique=True)
Index(
    "conversations_without_contact",
    conversations.c.id,
    sqlite_where=conversations.c.contact.is_(None),
)

messages: Final = Table(
    "messages",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("conversation", ForeignKey("conversations.id"), nullable=False),
    Column("position", Integer, nullable=False, comment="1, 2, 3... in the conversation"),
    Column("sender", Text, CheckConstraint(f"sender IN {SENDERS}"), nullable=False),
    Column("agent", Text, comment="which one, when the sender is an agent"),
    Column("external_id", Text, nullable=False, comment="what the sender calls it"),
    Column("text", Text, nullable=False, comment="as it was written; rendered as text, never as HTML"),
    Column("at_ms", BigInteger, nullable=False),
    UniqueConstraint("conversation", "position"),
    UniqueConstraint("conversation", "sender", "external_id"),
    sqlite_autoincrement=True,
)

confirmations: Final = Table(
    "confirmations",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("confirmed", JSON, nullable=False, comment="how far it has carried out its effects"),
)

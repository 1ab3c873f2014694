"""The store's tables: people, their sign-ins, customers, conversations, messages, the audit log.

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
Number: Final = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite counts rows by itself only where the column is called INTEGER."""

ROLES: Final = ("agent", "supervisor", "analyst", "admin")
SENDERS: Final = ("customer", "agent", "system")

users: Final = Table(
    "users",
    metadata,
    Column("id", Number, primary_key=True),
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
    Column("id", Number, primary_key=True),
    Column("public_id", Text, nullable=False, unique=True, comment="random; what the outside may see"),
    Column("name", Text),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("domain", Text, nullable=False, server_default="", comment="whose; empty = the site's own"),
    Column("notes", Text, nullable=False, server_default="", comment="what agents wrote about them"),
    Column("merged_into", Number, index=True, comment="this row stands for another one"),
)

identities: Final = Table(
    "identities",
    metadata,
    Column("id", Number, primary_key=True),
    Column("domain", Text, nullable=False, comment="its customer's"),
    Column("kind", Text, nullable=False, comment="one of engine.identities.KINDS"),
    Column("account", Text, nullable=False, comment="where the value means something; empty = everywhere"),
    Column("value", Text, nullable=False, comment="normalised"),
    Column("customer_id", ForeignKey("customers.id"), nullable=False, index=True),
    Column("created_at_ms", BigInteger, nullable=False),
    UniqueConstraint("domain", "kind", "account", "value"),
)

merges: Final = Table(
    "merges",
    metadata,
    Column("id", Number, primary_key=True),
    Column("kept_id", ForeignKey("customers.id"), nullable=False, index=True),
    Column("merged_id", ForeignKey("customers.id"), nullable=False, index=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("undone_at_ms", BigInteger),
)

merge_items: Final = Table(
    "merge_items",
    metadata,
    Column("merge_id", ForeignKey("merges.id"), primary_key=True),
    Column("kind", Text, primary_key=True, comment="identity, conversation"),
    Column("item", Number, primary_key=True, autoincrement=False, comment="what it moved"),
)

conversations: Final = Table(
    "conversations",
    metadata,
    Column("id", Number, primary_key=True),
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
    postgresql_where=conversations.c.contact.is_(None),
)

Index(
    "conversations_open",
    conversations.c.contact,
    sqlite_where=conversations.c.closed_at_ms.is_(None),
    postgresql_where=conversations.c.closed_at_ms.is_(None),
)

messages: Final = Table(
    "messages",
    metadata,
    Column("id", Number, primary_key=True),
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

audit: Final = Table(
    "audit",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("subject", Text, nullable=False, index=True),
    Column("details", Text, nullable=False, comment="JSON as it was hashed"),
    Column("hash", Text, nullable=False, comment="over these fields and the hash before"),
)

audit_head: Final = Table(
    "audit_head",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
)

attachments: Final = Table(
    "attachments",
    metadata,
    Column("id", Number, primary_key=True),
    Column("public_id", Text, nullable=False, unique=True, comment="random; what the outside may see"),
    Column("conversation", ForeignKey("conversations.id"), nullable=False, index=True),
    Column("message", ForeignKey("messages.id"), index=True, comment="that it came with"),
    Column("sha256", Text, nullable=False, index=True, comment="of its bytes; the name of its file"),
    Column("size_bytes", BigInteger, nullable=False),
    Column("media_type", Text, nullable=False, comment="by its content"),
    Column("file_name", Text, nullable=False, comment="what the sender calls it; shown, never opened"),
    Column("at_ms", BigInteger, nullable=False),
)

marks: Final = Table(
    "marks",
    metadata,
    Column("name", Text, primary_key=True, comment="highest_contact: of those that were erased"),
    Column("value", BigInteger, nullable=False),
)

confirmations: Final = Table(
    "confirmations",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("confirmed", JSON, nullable=False, comment="how far it has carried out its effects"),
)

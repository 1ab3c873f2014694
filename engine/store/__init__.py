"""The store: customers, conversations, messages, and the people who sign in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Self

from sqlalchemy import URL

from engine.config_types import SiteConfig
from engine.keys import site_key
from engine.message_store import Attachment
from engine.store.attachments import AttachmentStore
from engine.store.audit import Auditor, AuditStore, Entry, Verdict
from engine.store.backends import StoreError
from engine.store.confirmations import ConfirmationStore
from engine.store.conversations import Conversation, ConversationStore, Preview
from engine.store.customers import Customer, CustomerConflict, CustomerStore, History, NoSuchCustomer
from engine.store.database import StoreBusy, StoreInDoubt
from engine.store.erasing import CustomerIsLive, Erased, ErasingStore
from engine.store.merging import MergeStore
from engine.store.messages import Message, MessageStore
from engine.store.place import place_of
from engine.store.users import Rotation, SignIn, User, UserStore

__all__ = [
    "Attachment",
    "Conversation",
    "Customer",
    "CustomerConflict",
    "CustomerIsLive",
    "Entry",
    "Erased",
    "History",
    "Message",
    "NoSuchCustomer",
    "Preview",
    "Rotation",
    "SignIn",
    "Store",
    "StoreBusy",
    "StoreError",
    "StoreInDoubt",
    "User",
    "Verdict",
]


class Store(
    ConversationStore,
    MessageStore,
    ConfirmationStore,
    AttachmentStore,
    CustomerStore,
    MergeStore,
    ErasingStore,
    UserStore,
    AuditStore,
):
    """Everything that is kept outside the journal; use it as an async context manager.

    Args:
        where: SQLite's file, or PostgreSQL's URL.
        now_ms: Unix milliseconds, for tests.
        audit_key: what the audit log's hashes are made with; without it everybody could make them.
    """

    def __init__(
        self, where: Path | URL, now_ms: Callable[[], int] | None = None, *, audit_key: bytes = b""
    ) -> None:
        super().__init__(where, now_ms)
        self._auditor = Auditor(audit_key)

    @classmethod
    def of(cls, site: SiteConfig) -> Self:
        """Return a site's store, not open yet.

        Raises:
            ConfigError: the URL of its PostgreSQL cannot be had; the text names the key.
        """
        return cls(place_of(site), audit_key=site_key(site.data))

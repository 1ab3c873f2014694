"""The store: customers, conversations, messages, and the people who sign in."""

from __future__ import annotations

from typing import Self

from engine.config_types import SiteConfig
from engine.store.backends import StoreError
from engine.store.conversations import Conversation, ConversationStore, Preview
from engine.store.database import StoreBusy, StoreInDoubt
from engine.store.messages import Message, MessageStore
from engine.store.place import place_of
from engine.store.users import Rotation, SignIn, User, UserStore

__all__ = [
    "Conversation",
    "Message",
    "Preview",
    "Rotation",
    "SignIn",
    "Store",
    "StoreBusy",
    "StoreError",
    "StoreInDoubt",
    "User",
]


class Store(ConversationStore, MessageStore, UserStore):
    """Everything that is kept outside the journal; use it as an async context manager."""

    @classmethod
    def of(cls, site: SiteConfig) -> Self:
        """Return a site's store, not open yet.

        Raises:
            ConfigError: the URL of its PostgreSQL cannot be had; the text names the key.
        """
        return cls(place_of(site))

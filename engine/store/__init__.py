"""The store: customers, conversations, messages, and the people who sign in."""

from __future__ import annotations

from engine.store.confirmations import ConfirmationStore
from engine.store.conversations import Conversation, ConversationStore, Preview
from engine.store.database import StoreError
from engine.store.messages import Message, MessageStore
from engine.store.users import Rotation, SignIn, User, UserStore

__all__ = ["Conversation", "Message", "Preview", "Rotation", "SignIn", "Store", "StoreError", "User"]


class Store(ConversationStore, MessageStore, ConfirmationStore, UserStore):
    """Everything that is kept outside the journal; use it as an async context manager."""

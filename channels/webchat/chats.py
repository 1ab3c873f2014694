"""The chats that are open, and the pages that look at them; pure state."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

import msgspec

from channels.webchat.protocol import ChatState, ServerMessage

WAITING = frozenset({"scheduled", "waiting", "offered", "connecting"})
"""What the engine distinguishes and a customer does not: somebody is still to come."""
LIVE = WAITING | {"engaged"}


class Page(Protocol):
    """A customer's page that is connected."""

    def tell(self, message: ServerMessage) -> None:
        """Queue a message for it; one that does not read is cut."""
        ...


class Chat(msgspec.Struct, eq=False):
    """One contact as its customer sees it.

    Attributes:
        contact: the engine's number.
        visitor: whose it is.
        chat: the page's id for it.
        state: the contact's state, or the outcome.
        position: what was told last.
        minutes: the wait that was told last.
        shown: position up to which messages were shown to the pages.
        reason: why it was blocked.
        agent_lost: it waits again because its agent was gone.
        text: by language, what its customer reads who is passed on to a place outside.
    """

    contact: int
    visitor: str
    chat: str
    state: str = "waiting"
    position: int | None = None
    minutes: tuple[int, int] | None = None
    shown: int = 0
    reason: str | None = None
    agent_lost: bool = False
    text: Mapping[str, str] | None = None
    pages: list[Page] = msgspec.field(default_factory=list)
    leave: Callable[[], None] | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen in it."""
        return self.state not in LIVE

    def view(self) -> ChatState:
        """Return what the pages are told."""
        if self.state in WAITING:
            why = "lease_lost" if self.agent_lost else None
            return ChatState(
                chat=self.chat, state="waiting", position=self.position, minutes=self.minutes, reason=why
            )
        if self.state == "engaged":
            return ChatState(chat=self.chat, state="engaged")
        return ChatState(
            chat=self.chat, state="ended", outcome=self.state, reason=self.reason, text=self.text
        )

    def tell(self, message: ServerMessage) -> None:
        """Tell all its pages."""
        for page in list(self.pages):
            page.tell(message)


class Chats:
    """The open chats by contact."""

    def __init__(self) -> None:
        self._by_contact: dict[int, Chat] = {}
        self._by_name: dict[tuple[str, str], Chat] = {}

    def __len__(self) -> int:
        return len(self._by_contact)

    def __iter__(self) -> Iterator[Chat]:
        return iter(list(self._by_contact.values()))

    def get(self, contact: int) -> Chat | None:
        """Return a contact's chat, if it is open here."""
        return self._by_contact.get(contact)

    def of(self, visitor: str, chat: str) -> Chat | None:
        """Return a visitor's chat by the page's id for it, if it is open here."""
        return self._by_name.get((visitor, chat))

    def open(self, contact: int, visitor: str, chat: str) -> Chat:
        """Return the contact's chat, made when it is new."""
        known = self._by_contact.get(contact)
        if known is None:
            known = self._by_contact[contact] = Chat(contact, visitor, chat)
            self._by_name[visitor, chat] = known
        return known

    def forget(self, chat: Chat) -> None:
        """Drop a chat that is over and that nobody looks at."""
        if chat.is_over and not chat.pages:
            self._by_contact.pop(chat.contact, None)
            self._by_name.pop((chat.visitor, chat.chat), None)

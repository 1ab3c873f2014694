"""A desk as the page shows it: the router's state joined with what the store knows of the contacts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

import msgspec

from engine.config import SiteConfig
from engine.store import Preview
from engine.views import DeskContact, DeskOffer, DeskState, DeskWrapUp

Titles = dict[str, str]
"""A text per language: {"en": ..., "zh": ...}."""


class AgentView(msgspec.Struct, frozen=True):
    """The agent; `presence` is "signed_out", "not_ready" or "ready"."""

    name: str
    title: Titles
    presence: str
    reason: str | None
    signing_out: bool
    locked: bool
    misses: int
    idle_since_ms: int


class OfferView(msgspec.Struct, frozen=True):
    """An offer that rings until `deadline_ms`; `preview` is the customer's first message."""

    offer: int
    contact: int
    channel: str
    queue: str
    queue_title: Titles
    customer: str | None
    deadline_ms: int
    enqueued_at_ms: int
    preview: str | None


class ConversationView(msgspec.Struct, frozen=True):
    """A contact in hand: "connecting", "engaged" or "wrap_up" since `since_ms`."""

    contact: int
    conversation: str
    channel: str
    queue: str
    queue_title: Titles
    customer: str | None
    state: str
    since_ms: int
    wrap_up_deadline_ms: int | None
    last_message_position: int


class DeskView(msgspec.Struct, frozen=True):
    """The whole desk after batch `seq`."""

    agent: AgentView
    offers: list[OfferView]
    conversations: list[ConversationView]
    seq: int
    now_ms: int


class DeskMessage(msgspec.Struct, frozen=True, tag="desk"):
    """The desk, as it is sent."""

    desk: DeskView


class _Titled(Protocol):
    @property
    def title(self) -> _Languages: ...


class _Languages(Protocol):
    @property
    def en(self) -> str: ...
    @property
    def zh(self) -> str: ...


NOTHING: Final[Titles] = {"en": "", "zh": ""}


def titles(section: _Titled | None) -> Titles:
    """Return a configured section's title per language."""
    return {"en": section.title.en, "zh": section.title.zh} if section is not None else NOTHING


def contacts_of(state: DeskState) -> list[int]:
    """Return every contact on a desk, offers included."""
    return [
        *(one.contact for one in state.offers),
        *(one.contact for one in state.contacts),
        *(one.contact for one in state.wrap_ups),
    ]


def desk_view(
    site: SiteConfig,
    state: DeskState,
    previews: Mapping[int, Preview],
    ended_at_ms: Mapping[int, int],
    now_ms: int,
) -> DeskView:
    """Join a desk's state with the store's previews.

    Args:
        site: titles.
        state: the router's part.
        previews: the store's part; a contact that is missing has no conversation.
        ended_at_ms: when the contacts in wrap-up ended.
        now_ms: the server's clock, so that the page can count down without its own being right.
    """
    agent = AgentView(
        state.agent,
        titles(site.agents.get(state.agent)),
        state.presence,
        state.reason,
        state.signing_out,
        state.locked,
        state.misses,
        state.idle_since_us // 1_000,
    )
    return DeskView(
        agent,
        [_offer(site, one, previews.get(one.contact)) for one in state.offers],
        [
            *(_contact(site, one, previews.get(one.contact)) for one in state.contacts),
            *(_wrap_up(site, one, previews.get(one.contact), ended_at_ms, now_ms) for one in state.wrap_ups),
        ],
        state.seq,
        now_ms,
    )


def _offer(site: SiteConfig, offer: DeskOffer, preview: Preview | None) -> OfferView:
    return OfferView(
        offer.offer,
        offer.contact,
        offer.channel,
        offer.queue,
        titles(site.queues.get(offer.queue)),
        preview.conversation.customer if preview else None,
        offer.deadline_us // 1_000,
        offer.enqueued_at_us // 1_000,
        preview.first or None if preview else None,
    )


def _contact(site: SiteConfig, contact: DeskContact, preview: Preview | None) -> ConversationView:
    arrived_at_ms = contact.arrived_at_us // 1_000
    engaged_at_ms = preview.conversation.engaged_at_ms if preview else None
    return ConversationView(
        contact.contact,
        preview.conversation.public_id if preview else "",
        contact.channel,
        contact.queue,
        titles(site.queues.get(contact.queue)),
        preview.conversation.customer if preview else None,
        contact.state,
        engaged_at_ms if contact.state == "engaged" and engaged_at_ms else arrived_at_ms,
        None,
        preview.last_position if preview else 0,
    )


def _wrap_up(
    site: SiteConfig,
    wrap_up: DeskWrapUp,
    preview: Preview | None,
    ended_at_ms: Mapping[int, int],
    now_ms: int,
) -> ConversationView:
    queue = preview.conversation.queue if preview else ""
    return ConversationView(
        wrap_up.contact,
        preview.conversation.public_id if preview else "",
        wrap_up.channel,
        queue,
        titles(site.queues.get(queue)),
        preview.conversation.customer if preview else None,
        "wrap_up",
        ended_at_ms.get(wrap_up.contact, now_ms),
        wrap_up.deadline_us // 1_000,
        preview.last_position if preview else 0,
    )

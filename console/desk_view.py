"""A desk as the page shows it: the router's state joined with what the store knows of the contacts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

import msgspec

from engine.config import SiteConfig
from engine.store import Preview
from engine.views import (
    ContactState,
    DeskContact,
    DeskInvitation,
    DeskJoined,
    DeskOffer,
    DeskState,
    DeskWrapUp,
)

Titles = dict[str, str]
"""A text per language: {"en": ..., "zh": ...}."""


class AgentView(msgspec.Struct, frozen=True):
    """The agent; `presence` is "signed_out", "not_ready" or "ready".

    `lost_at_ms` is when it was signed out because nobody was at its desk; None = it was not.
    """

    name: str
    title: Titles
    presence: str
    reason: str | None
    signing_out: bool
    locked: bool
    misses: int
    idle_since_ms: int
    lost_at_ms: int | None = None


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


class InvitedView(msgspec.Struct, frozen=True):
    """A colleague who has been asked to join, until `deadline_ms`."""

    agent: str
    deadline_ms: int


class ConversationView(msgspec.Struct, frozen=True):
    """A contact in hand: "connecting", "engaged" or "wrap_up" since `since_ms`.

    `agent` is who has it where this is not the desk's agent any more; `participants` are the agents who are
    in it beside, `invited` those who have been asked.
    """

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
    agent: str | None = None
    on_hold: bool = False
    parked: bool = False
    participants: list[str] = msgspec.field(default_factory=list)
    invited: list[InvitedView] = msgspec.field(default_factory=list)


class InvitationView(msgspec.Struct, frozen=True):
    """An invitation by `agent` until `deadline_ms`; answered like an offer."""

    offer: int
    contact: int
    channel: str
    queue: str
    queue_title: Titles
    customer: str | None
    agent: str
    deadline_ms: int


class JoinedView(msgspec.Struct, frozen=True):
    """A contact that the agent is in since `since_ms`, and that `agent` serves.

    `participants` are the others who are in it, `invited` those who have been asked.
    """

    contact: int
    conversation: str
    channel: str
    queue: str
    queue_title: Titles
    customer: str | None
    agent: str
    since_ms: int
    last_message_position: int
    on_hold: bool
    participants: list[str]
    invited: list[InvitedView]


class DeskView(msgspec.Struct, frozen=True):
    """The whole desk after batch `seq`."""

    agent: AgentView
    offers: list[OfferView]
    conversations: list[ConversationView]
    invitations: list[InvitationView]
    joined: list[JoinedView]
    seq: int
    now_ms: int


class DeskMessage(msgspec.Struct, frozen=True, tag="desk"):
    """The desk, as it is sent."""

    desk: DeskView


class Around(msgspec.Struct, frozen=True):
    """What a desk shows besides its own state.

    Attributes:
        contacts: where contacts in wrap-up are now, and those that another serves.
        invited: contact -> whom has been asked to join.
        inviters: invitation -> who asked.
        lost_at_ms: when the agent's lease was lost; None = it was not, or it has signed in since.
    """

    contacts: Mapping[int, ContactState]
    invited: Mapping[int, list[InvitedView]]
    inviters: Mapping[int, str]
    lost_at_ms: int | None = None


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
    """Return every contact on a desk, offers and invitations included."""
    return [
        *(one.contact for one in state.offers),
        *(one.contact for one in state.contacts),
        *(one.contact for one in state.wrap_ups),
        *(one.contact for one in state.invitations),
        *(one.contact for one in state.joined),
    ]


def desk_view(
    site: SiteConfig,
    state: DeskState,
    previews: Mapping[int, Preview],
    around: Around,
    now_ms: int,
) -> DeskView:
    """Join a desk's state with the store's previews.

    Args:
        site: titles.
        state: the router's part.
        previews: the store's part; a contact that is missing has no conversation.
        around: what is known besides.
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
        around.lost_at_ms,
    )
    return DeskView(
        agent,
        [_offer(site, one, previews.get(one.contact)) for one in state.offers],
        [
            *(_contact(site, one, previews.get(one.contact), around) for one in state.contacts),
            *(
                _wrap_up(site, state.agent, one, previews.get(one.contact), around, now_ms)
                for one in state.wrap_ups
            ),
        ],
        [_invitation(site, one, previews.get(one.contact), around) for one in state.invitations],
        [_joined(site, state.agent, one, previews.get(one.contact), around) for one in state.joined],
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


def _contact(
    site: SiteConfig, contact: DeskContact, preview: Preview | None, around: Around
) -> ConversationView:
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
        None,
        contact.on_hold,
        contact.parked,
        contact.participants,
        around.invited.get(contact.contact, []),
    )


def _invitation(
    site: SiteConfig, invitation: DeskInvitation, preview: Preview | None, around: Around
) -> InvitationView:
    return InvitationView(
        invitation.offer,
        invitation.contact,
        invitation.channel,
        invitation.queue,
        titles(site.queues.get(invitation.queue)),
        preview.conversation.customer if preview else None,
        around.inviters.get(invitation.offer, invitation.agent),
        invitation.deadline_us // 1_000,
    )


def _joined(
    site: SiteConfig, agent: str, joined: DeskJoined, preview: Preview | None, around: Around
) -> JoinedView:
    now = around.contacts.get(joined.contact)
    return JoinedView(
        joined.contact,
        preview.conversation.public_id if preview else "",
        joined.channel,
        joined.queue,
        titles(site.queues.get(joined.queue)),
        preview.conversation.customer if preview else None,
        joined.agent,
        joined.joined_at_us // 1_000,
        preview.last_position if preview else 0,
        now is not None and now.on_hold,
        [name for name in now.participants if name != agent] if now is not None else [],
        around.invited.get(joined.contact, []),
    )


def _wrap_up(
    site: SiteConfig,
    agent: str,
    wrap_up: DeskWrapUp,
    preview: Preview | None,
    around: Around,
    now_ms: int,
) -> ConversationView:
    now = around.contacts.get(wrap_up.contact)
    queue = preview.conversation.queue if preview else ""
    return ConversationView(
        wrap_up.contact,
        preview.conversation.public_id if preview else "",
        wrap_up.channel,
        queue,
        titles(site.queues.get(queue)),
        preview.conversation.customer if preview else None,
        "wrap_up",
        now.ended_at_us // 1_000 if now is not None and now.ended_at_us is not None else now_ms,
        wrap_up.deadline_us // 1_000,
        preview.last_position if preview else 0,
        now.agent if now is not None and now.ended_at_us is None and now.agent != agent else None,
    )

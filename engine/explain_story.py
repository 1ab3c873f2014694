"""What the journal says of one contact: its story, and the choice that gave it to an agent.

The journal is replayed beside whoever writes it, up to the instant that is asked for. If the contact
waits there, that state is explained; otherwise the choice is, which made its last offer: the state in
which the core had not yet offered it, though everything that led to the offer had happened.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

from engine.errors import PaiduiError
from engine.explain import Explained, explained
from engine.follower import Following
from engine.journal import RULES_VERSION, BatchRow, JournalReader
from engine.model import (
    Abandoned,
    Blocked,
    BlockedCause,
    Changed,
    ChoiceCause,
    ChoiceOver,
    ChoiceWanted,
    EndedBy,
    Event,
    HoursChanged,
    InvitationEnd,
    LeaseLostEvent,
    Lifted,
    OfferAccepted,
    OfferMade,
    Overflowed,
    OverflowTo,
    OverflowWhen,
    Queued,
    QueuedCause,
    Scheduled,
    Withdrawn,
    WithdrawnCause,
)
from engine.names import Names
from engine.router import Router, decode_events
from engine.views import CONTACT_STATES, OUTCOMES

WAITING = 0
AGENTS_SUMMED = 2_000
"""More are not looked at one by one: a summary of them would take longer than anybody waits."""


class NotFound(PaiduiError, LookupError):
    """The journal has no such contact, agent or instant; the text says which."""


class Until(msgspec.Struct, frozen=True):
    """How far the journal is read: up to a batch, or up to a time; neither = to its end."""

    seq: int | None = None
    at_us: int | None = None


class Line(msgspec.Struct, frozen=True):
    """One event of the contact; "" and 0 = not part of it.

    Attributes:
        seq: the batch.
        event: its stable name, "offer_made".
        cause: why, by whom, or the reason given.
        offer: its number; of a choice from outside that one's.
        other: the other agent of the event, the place outside, or the queue that it overflowed to.
        until_us: the time that the event is about: before which the contact does not wait, by which it has
            to be answered, or an answer counts; Unix microseconds.
    """

    seq: int
    at_us: int
    event: str
    queue: str
    agent: str
    offer: int
    cause: str
    other: str = ""
    until_us: int = 0


class Choice(msgspec.Struct, frozen=True):
    """The choice that made an offer, at its instant.

    Attributes:
        agent: who got it; while it rings at several, who was asked first.
        why: that agent and the contact.
        rung: at how many agents it rang.
        answered: the agent has accepted it.
        outside: how a strategy from outside came to it: "chosen", "deadline", "not_eligible",
            "left_to_fallback"; "" = none was asked. Where it has chosen, who comes first is the fallback's.
    """

    seq: int
    offer: int
    agent: str
    why: Explained
    rung: int
    answered: bool
    outside: str = ""


class Account(msgspec.Struct, frozen=True):
    """A contact's story and its explanation.

    Attributes:
        seq: the last batch that was read.
        state: of `CONTACT_STATES` or `OUTCOMES`, behind that batch.
        order: "longest" or "agent_level".
        choice: what is explained, unless the contact waits or was never offered.
        asked: the agent who was asked about, at the same instant.
        agents: for a contact that waits, how many agents it fails with, by the first condition that fails.
    """

    contact: int
    channel: str
    queue: str
    seq: int
    at_us: int
    state: str
    order: str
    story: list[Line]
    choice: Choice | None
    asked: Explained | None
    agents: dict[str, int]


def account(folder: Path, contact: int | None, agent: str | None, until: Until) -> Account:
    """Read a contact's story out of a journal that somebody else may be writing.

    Args:
        folder: the journal's folder.
        contact: its number; None = the one that was offered last.
        agent: who is asked about, beside the one that got it.
        until: the instant.

    Raises:
        NotFound: no such contact or instant.
        UnknownName: no such agent.
        JournalError: the journal cannot be read, or this build decides otherwise.
    """
    reader = JournalReader(folder)
    try:
        if contact is None:
            contact = _offered_last(Following(folder, reader), reader, until)
        return _Reading(folder, reader, until, contact).account(agent)
    finally:
        reader.close()


def rows_until(reader: JournalReader, until: Until) -> Iterator[BatchRow]:
    """Yield the rows up to an instant."""
    for row in reader.read():
        beyond = until.seq is not None and row.seq > until.seq
        if beyond or (until.at_us is not None and row.at > until.at_us):
            return
        yield row


def _offered_last(following: Following, reader: JournalReader, until: Until) -> int:
    found = 0
    for row in rows_until(reader, until):
        for event in decode_events(following.apply(row).events):
            if isinstance(event, OfferMade):
                found = event.contact
    if not found:
        raise NotFound("contact: nothing has been offered to anybody up to there")
    return found


class _Reading:
    """One contact's events, and the router behind them."""

    def __init__(self, folder: Path, reader: JournalReader, until: Until, contact: int) -> None:
        self.folder = folder
        self.reader = reader
        self.contact = contact
        self.events: list[tuple[int, Event]] = []
        self._queue = 0
        self.replay = Following(folder, reader)
        for row in rows_until(reader, until):
            for event in decode_events(self.replay.apply(row).events):
                if self._concerns(event):
                    self.events.append((row.seq, event))
        if not self.events:
            behind = f", kept behind batch {reader.oldest}," if reader.oldest else ""
            raise NotFound(
                f"contact: the journal{behind} knows no contact {contact} up to batch {self.replay.seq}"
            )
        self.names = Names.decode(self.replay.router.names())

    def _concerns(self, event: Event) -> bool:
        """Whether an event belongs to the story: its own, and the hours of the queue while it waits there."""
        if isinstance(event, HoursChanged):
            return event.queue == self._queue
        if isinstance(event, LeaseLostEvent):
            return self.contact in event.contacts
        if getattr(event, "contact", 0) != self.contact:
            return False
        if isinstance(event, Queued | Changed):
            self._queue = event.queue
        elif isinstance(event, OfferMade | Abandoned | Blocked | Withdrawn | Overflowed):
            self._queue = 0  # it waits no more; if it comes back, `Queued` says so
        return True

    def account(self, agent: str | None) -> Account:
        router, number = self.replay.router, self.names.id("agent", agent) if agent else 0
        config = router.config()
        story = [_line(self.names, seq, event) for seq, event in self.events]
        live = router.contact(self.contact)
        choice, asked, agents = None, None, {}
        if live is not None and live.state == WAITING:
            asked = self._explain(router, number)
            agents = self._agents(router)
        elif live is not None and CONTACT_STATES[live.state] == "scheduled":
            asked = self._explain(router, number)
        else:
            before, rung = self._before()
            asked = self._explain(before, number)
            accepted = [one for _, one in self.events if isinstance(one, OfferAccepted)]
            answered = [offer for offer in rung if accepted and accepted[-1].offer == offer.offer]
            offer = next(iter(answered or rung), None)
            why = self._explain(before, offer.agent) if offer else None
            if offer and why:
                seq = self._seq_of(offer)
                outside = self._outside(offer)
                choice = Choice(seq, offer.offer, why.agent, why, len(rung), bool(answered), outside)
        if agent and asked is None:
            raise NotFound(
                f"--agent: {agent} was not in the configuration then, or the contact was not there"
            )
        return Account(
            contact=self.contact,
            channel=self.names.name("channel", self._number("channel")),
            queue=self.names.name("queue", self._number("queue")),
            seq=self.replay.seq,
            at_us=self.replay.at_us,
            state=self._state(router),
            order="" if config is None else config.order.name.lower(),
            story=story,
            choice=choice,
            asked=asked,
            agents=agents,
        )

    def _before(self) -> tuple[Router, list[OfferMade]]:
        """The state that is explained of a contact that waits no more: before its last choice, or its end.

        Returns:
            The state, and the offers that the choice made: several under ring_all.
        """
        offers = [(seq, event) for seq, event in self.events if isinstance(event, OfferMade)]
        seq = offers[-1][0] if offers else self.events[-1][0]
        replay = Following(self.folder, self.reader)
        for row in self.reader.read():
            if row.seq == seq:
                break
            replay.apply(row)
        if (rules := self.reader.rules_at(seq)) != RULES_VERSION:
            raise NotFound(
                f"batch {seq} was decided under rules {rules}; only the release that wrote it can explain "
                "its choices, `paidui journal show --events` says what happened"
            )
        if not offers:
            return replay.router, []
        rung = self._rung()
        offer = rung[0]
        before = replay.router.before_offer(row.at, row.frames, offer.offer)
        if before is None:
            raise NotFound(f"offer {offer.offer}: batch {seq} does not make it again")
        return before, rung

    def _rung(self) -> list[OfferMade]:
        """The last offers with nothing of the contact between them: one choice."""
        rung: list[OfferMade] = []
        for _, event in reversed(self.events):
            if isinstance(event, OfferMade) and (not rung or event.at == rung[0].at):
                rung.insert(0, event)
            elif rung:
                break
        return rung

    def _outside(self, offer: OfferMade) -> str:
        """How the choice from outside ended that the offer came of; "" = there was none."""
        before = [event for _, event in self.events[: self._place(offer)]]
        last = before[-1] if before else None
        return last.cause.name.lower() if isinstance(last, ChoiceOver) and last.at == offer.at else ""

    def _place(self, offer: OfferMade) -> int:
        return next(place for place, (_, event) in enumerate(self.events) if event == offer)

    def _explain(self, router: Router, agent: int) -> Explained | None:
        return explained(router, self.names, self.contact, agent) if agent else None

    def _agents(self, router: Router) -> dict[str, int]:
        config = router.config()
        if config is None or len(config.agents) > AGENTS_SUMMED:
            return {}
        every = [self._explain(router, agent.id) for agent in config.agents]
        return dict(Counter(told.failing[0].predicate for told in every if told and told.failing))

    def _seq_of(self, offer: OfferMade) -> int:
        return next(seq for seq, event in self.events if event == offer)

    def _number(self, field: str) -> int:
        numbers = [getattr(event, field, 0) for _, event in self.events]
        return next((number for number in reversed(numbers) if number), 0)

    def _state(self, router: Router) -> str:
        if (live := router.contact(self.contact)) is not None:
            return CONTACT_STATES[live.state]
        ended = router.ended(self.contact)
        return OUTCOMES[ended.outcome] if ended else "forgotten"


def _line(names: Names, seq: int, event: Event) -> Line:
    queue = getattr(event, "to_queue", getattr(event, "queue", 0))
    agent = getattr(event, "to_agent", getattr(event, "agent", 0))
    return Line(
        seq=seq,
        at_us=event.at,
        event=re.sub(r"(?<!^)(?=[A-Z])", "_", type(event).__name__.removesuffix("Event")).lower(),
        queue=names.name("queue", queue),
        agent=names.name("agent", agent),
        offer=getattr(event, "offer", getattr(event, "choice", 0)),
        cause=_cause(names, event),
        other=_other(names, event),
        until_us=_until_us(event),
    )


def _other(names: Names, event: Event) -> str:
    """The other agent of an event, or where the contact went: a place outside, another queue."""
    if isinstance(event, Overflowed):
        return names.name("queue" if event.to_kind is OverflowTo.QUEUE else "target", event.to)
    if target := getattr(event, "target", 0):
        return names.name("target", target)
    return names.name("agent", getattr(event, "from_agent", getattr(event, "invitee", 0)))


def _until_us(event: Event) -> int:
    match event:
        case Scheduled():
            return event.until
        case Lifted():
            return event.reply_by
        case ChoiceWanted():
            return event.deadline
    return 0


CAUSES = QueuedCause | BlockedCause | WithdrawnCause | EndedBy | InvitationEnd | OverflowWhen | ChoiceCause


def _cause(names: Names, event: Event) -> str:
    if isinstance(event, HoursChanged):
        return event.state.name.lower()
    if isinstance(event, Queued) and event.cause == QueuedCause.ARRIVAL and event.enqueued_at < event.at:
        return "kept_place"
    why: object = getattr(event, "cause", getattr(event, "by", getattr(event, "how", None)))
    if isinstance(why, CAUSES):
        return why.name.lower()
    return names.name("reason", getattr(event, "reason", 0))

"""The routing core for Python: the one place that imports the extension.

Bytes go straight through (`apply_raw`, `apply_batch`, `Intake`, `Fanout`); the typed side (`apply`,
`events`) is for the edges, for tools and for tests. A panic of the core arrives as a `BaseException`
that nothing may catch: the process ends, the journal brings the state back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from engine import _router
from engine._router import (
    CODES,
    KINDS,
    Batch,
    DecodeError,
    Fanout,
    Figures,
    FloodStopped,
    History,
    Intake,
    flood,
    recode,
    simulate,
)
from engine.errors import Malformed, refusal
from engine.model import Command, Config, Configure, Event, decode_body, encode_body, split_frames
from engine.router_rows import (
    AgentKey,
    AgentLine,
    Check,
    ContactLine,
    Desk,
    DeskContact,
    DeskInvitation,
    DeskJoined,
    DeskOffer,
    DeskWrapUp,
    EndedLine,
    Estimate,
    Explanation,
    Overview,
    QueueLine,
    States,
)

__all__ = [
    "CODES",
    "KINDS",
    "AgentKey",
    "AgentLine",
    "Batch",
    "Check",
    "ContactLine",
    "DecodeError",
    "Desk",
    "DeskContact",
    "DeskInvitation",
    "DeskJoined",
    "DeskOffer",
    "DeskWrapUp",
    "EndedLine",
    "Estimate",
    "Explanation",
    "Fanout",
    "Figures",
    "FloodStopped",
    "History",
    "Intake",
    "Overview",
    "QueueLine",
    "Router",
    "States",
    "decode_events",
    "flood",
    "recode",
    "simulate",
]


def decode_events(frames: bytes) -> list[Event]:
    """The events that frames hold, typed."""
    return [cast(Event, decode_body(body)) for body in split_frames(frames)]


class Router:
    """One router. One thread uses it at a time."""

    def __init__(self) -> None:
        self._core = _router.Router()
        self._frames = b""

    @classmethod
    def restore(cls, snapshot: bytes) -> Router:
        """A router from a snapshot.

        Raises:
            Malformed: the bytes are none.
        """
        router = cls()
        try:
            router._core = _router.Router.restore(snapshot)
        except ValueError as error:
            raise Malformed(str(error)) from error
        return router

    @property
    def now(self) -> int:
        """The router's clock in Unix microseconds; 0 before the first command."""
        return self._core.now

    @property
    def next_contact(self) -> int:
        """The number that the next arrival gets."""
        return self._core.next_contact

    @property
    def events(self) -> list[Event]:
        """What the last `apply`, `apply_raw` or `advance` brought about, typed."""
        return decode_events(self._frames)

    def apply(self, at: int, command: Command) -> int:
        """One typed command; the contact's id for `Arrive`, 0 otherwise.

        Raises:
            Refused: the core's refusal, as the subclass of its code.
            Malformed: a field is out of the range of its type.
        """
        code, value, _ = self.apply_raw(at, encode_body(command))
        if code:
            raise refusal(code, value)
        return value

    def apply_raw(self, at: int, body: bytes) -> tuple[int, int, bytes]:
        """One encoded command -> (code, value, event frames); code 0 = accepted, else value = detail.

        Raises:
            Malformed: the body is no command.
        """
        try:
            result = self._core.apply(at, body)
        except DecodeError as error:
            raise Malformed(str(error)) from error
        self._frames = result[2]
        return result

    def apply_batch(self, seq: int, at: int, parts: Sequence[tuple[int, int, bytes]]) -> Batch:
        """A committed batch: parts of (source, first_request_no, scanned command frames).

        No command at all advances the clock. Frames that cannot be decoded end the process.
        """
        return self._core.apply_batch(seq, at, parts)

    def count(self, batch: Batch, figures: Figures) -> None:
        """Counts the batch that was applied last in the figures that a site is watched by."""
        figures.count(self._core, batch)

    def advance(self, at: int) -> bytes:
        """Fires every deadline up to `at`; the event frames."""
        self._frames = self._core.advance(at)
        return self._frames

    def next_deadline(self) -> int | None:
        """When the next timer is due."""
        return self._core.next_deadline()

    def check(self) -> None:
        """Panics when an invariant is broken."""
        self._core.check()

    def state_hash(self) -> int:
        """A number that two routers share exactly when their states are equal."""
        return self._core.state_hash()

    def snapshot(self) -> bytes:
        """The whole state."""
        return self._core.snapshot()

    def names(self) -> bytes:
        """What `configure` carried as names; empty before it."""
        return self._core.names()

    def config_hash(self) -> bytes:
        """The 32 bytes that `configure` carried as hash; empty before it."""
        return self._core.config_hash()

    def config(self) -> Config | None:
        """The configuration in force."""
        body = self._core.config()
        return cast(Configure, decode_body(body)).config if body else None

    def overview(self) -> Overview:
        """The whole floor at one instant."""
        queues, agents, states = self._core.overview()
        return Overview(
            [QueueLine(*line) for line in queues], [AgentLine(*line) for line in agents], States(*states)
        )

    def hours(self, queue: int) -> int | None:
        """0 open, 1 closing, 2 closed; None = no such queue."""
        return self._core.hours(queue)

    def position(self, contact: int) -> int | None:
        """Contacts that stand before it in its queue; None unless it waits."""
        return self._core.position(contact)

    def estimate(self, contact: int) -> Estimate | None:
        """How long it will go on waiting; None unless it waits and somebody works who could serve it."""
        row = self._core.estimate(contact)
        return None if row is None else Estimate(*row)

    def desk(self, agent: int) -> Desk | None:
        """All that an agent has in hand; None = no such agent."""
        row = self._core.desk(agent)
        if row is None:
            return None
        offers, contacts, wrap_ups, invitations, joined = row[6:]
        return Desk(
            *row[:6],
            [DeskOffer(*line) for line in offers],
            [DeskContact(*line) for line in contacts],
            [DeskWrapUp(*line) for line in wrap_ups],
            [DeskInvitation(*line) for line in invitations],
            [DeskJoined(*line) for line in joined],
        )

    def contact(self, contact: int) -> ContactLine | None:
        """A live contact."""
        row = self._core.contact(contact)
        return None if row is None else ContactLine(*row)

    def invited(self, contact: int) -> list[tuple[int, int, int]]:
        """Who has been asked to join a contact and has not answered: (invitation, agent, deadline)."""
        return self._core.invited(contact)

    def channel_contacts(self, channel: int) -> list[tuple[int, int, int, bytes]]:
        """A channel's live contacts by id: (contact, state 0..4, agent or 0, arrival key)."""
        return self._core.channel_contacts(channel)

    def ended(self, contact: int) -> EndedLine | None:
        """A contact that is over and still remembered."""
        row = self._core.ended(contact)
        return None if row is None else EndedLine(*row)

    def explain(self, contact: int, agent: int) -> Explanation | None:
        """Why the agent may be offered the contact now, or why not; None = one of them is not known."""
        row = self._core.explain(contact, agent)
        if row is None:
            return None
        checks = [Check(*one) for one in row[1]]
        best = [AgentKey(*one) for one in row[4]]
        return Explanation(row[0], checks, AgentKey(*row[2]), row[3], best, *row[5:])

    def before_offer(self, at: int, frames: bytes, offer: int) -> Router | None:
        """A copy in the state in which an offer of the batch (`at`, `frames`) was chosen.

        In it the contact still waits though an agent is eligible: for explanations only. None = the
        batch makes no such offer.
        """
        core = self._core.before_offer(at, frames, offer)
        if core is None:
            return None
        copy = Router()
        copy._core = core
        return copy

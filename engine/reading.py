"""What the service shows of its state, to whoever may ask."""

from __future__ import annotations

from engine.errors import UnknownAgent
from engine.explain import Explained, explained
from engine.names import Names, UnknownName
from engine.router import Router
from engine.views import (
    HOURS,
    ContactState,
    DeskState,
    Overview,
    desk_state,
    ended_contact,
    live_contact,
    overview,
)


class Reading:
    """The part of the service's facade that changes nothing.

    Attributes:
        names: name <-> number of everything that is configured.
    """

    names: Names
    _router: Router
    _seq: int
    _last_at_us: int

    @property
    def seq(self) -> int:
        """The last batch that was applied."""
        return self._seq

    @property
    def at_us(self) -> int:
        """The last batch's stamp, Unix microseconds."""
        return self._last_at_us

    def overview(self) -> Overview:
        """Return the queues, agents and contacts as they are now."""
        return overview(self.names, self._seq, self._last_at_us, self._router.overview())

    def position(self, contact: int) -> int | None:
        """Return how many contacts stand before it in its queue; None unless it waits."""
        return self._router.position(contact)

    def desk_state(self, agent: str) -> DeskState:
        """Return what an agent has in hand.

        Raises:
            UnknownName: no such agent.
        """
        number = self.names.id("agent", agent)
        raw = self._router.desk(number)
        if raw is None:
            raise UnknownAgent(number)
        return desk_state(self.names, self._seq, agent, raw)

    def contact_state(self, contact: int) -> ContactState | None:
        """Return where a contact is, or how it ended; None when it is not remembered."""
        if (live := self._router.contact(contact)) is not None:
            return live_contact(self.names, contact, live)
        if (ended := self._router.ended(contact)) is not None:
            return ended_contact(self.names, contact, ended)
        return None

    def explain(self, contact: int, agent: str) -> Explained | None:
        """Return why an agent can or cannot have a contact now; None when it is not remembered."""
        return explained(self._router, self.names, contact, self.names.id("agent", agent))

    def channel_contacts(self, channel: int) -> list[tuple[int, int, int, bytes]]:
        """Return a channel's live contacts: (contact, state 0..3, agent or 0, arrival key)."""
        return self._router.channel_contacts(channel)

    @property
    def router(self) -> Router:
        """The router, for reading only: whoever changes it breaks the journal."""
        return self._router

    def hours(self, queue: str) -> str | None:
        """Return whether a queue is "open", "closing" or "closed"; None when it is not in force."""
        try:
            state = self._router.hours(self.names.id("queue", queue))
        except UnknownName:
            return None
        return None if state is None else HOURS[state]

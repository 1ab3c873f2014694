"""The facade: what desks, pages and hosted channels may ask of a site, in whichever process they run.

In the core it is the service itself; in an edge it is a follower of the journal that sends its commands to
the core. Who uses it cannot tell, and need not.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from engine.admission import Admission
from engine.bus import Bus, Scope
from engine.channel_health import Away, ChannelHealth, channels_now
from engine.config import SiteConfig
from engine.desk import Desk
from engine.errors import Malformed
from engine.lifecycle import Drain, Pulse
from engine.reading import Reading
from engine.subscription import Subscription
from engine.supervision import Supervision

if TYPE_CHECKING:
    from engine.conversations import Conversations
    from engine.views import ChannelOverview


class Held(Protocol):
    """Numbers that somebody is there for."""

    def held(self, number: int) -> AbstractContextManager[None]:
        """Be there for a number in this block."""
        ...


class Presence(Protocol):
    """Who is there, see `engine.leases`."""

    @property
    def agents(self) -> Held:
        """At agents' desks."""
        ...

    @property
    def channels(self) -> Held:
        """Behind channels."""
        ...

    @property
    def lost_at_us(self) -> dict[int, int]:
        """Agent -> when its lease was lost (Unix microseconds), until it signs in at its desk again."""
        ...

    @property
    def away(self) -> Mapping[int, Away]:
        """Channels behind which nobody is, by number."""
        ...

    def signs_in(self, agent: int) -> None:
        """The agent is back at its desk: what was lost before is no news any more."""
        ...

    def stop(self) -> None:
        """The site goes, not they: lose nothing any more."""
        ...


class Facade(Supervision, Reading):
    """What is shown of a site and what can be done there.

    Attributes:
        site: the configuration file's content.
        bus: events and notices.
        conversations: messages and arrivals with a store behind them; None without a store.
        leases: who is at agents' desks and behind channels.
        admission: how many arrivals a second come in.
        drain: whether arrivals are taken in.
        pulse: shows that whoever keeps the state gets on.
        hosted: hosted channel -> how it is.
    """

    site: SiteConfig
    bus: Bus
    conversations: Conversations | None
    admission: Admission
    drain: Drain
    pulse: Pulse
    hosted: Mapping[str, ChannelHealth]

    @property
    @abstractmethod
    def leases(self) -> Presence:
        """Who is at agents' desks and behind channels."""

    @property
    @abstractmethod
    def retry_after_ms(self) -> int:
        """When somebody who is refused should ask again."""

    @abstractmethod
    def check_intake(self) -> None:
        """Refuse an arrival while the site drains.

        Raises:
            Draining: it takes none in any more.
        """

    @abstractmethod
    def behind_us(self) -> int:
        """For how long something has been due that is not done, in µs; 0 = nothing is."""

    def channels_now(self) -> list[ChannelOverview]:
        """Return how every channel is, in the configuration's order."""
        return channels_now(self.site, self.names, self.hosted, self.leases.away)

    def check_length(self, channel: str, text: str) -> None:
        """Refuse what an agent writes when the channel cannot carry it.

        Raises:
            Malformed: naming the channel and its limit.
        """
        health, section = self.hosted.get(channel), self.site.channels.get(channel)
        most = health.max_message_bytes if health else section.max_message_bytes if section else None
        if most is not None and (size := len(text.encode("utf-8", "surrogatepass"))) > most:
            why = f"channel {channel} takes at most {most} bytes of UTF-8, this message has {size}"
            raise Malformed(f"text: {why}; write it shorter, or in parts")

    def desk(self, agent: str) -> Desk:
        """Return the desk of a configured agent.

        Raises:
            UnknownName: no such agent.
        """
        return Desk(self, agent, self.names.id("agent", agent))

    def subscribe(
        self, scope: Scope, resume_from: int | None = None, *, notices: bool = False
    ) -> Subscription:
        """Begin a subscription; use it as a context manager or close it.

        Args:
            scope: whose events.
            resume_from: begin behind this batch; None = now.
            notices: `Subscription.receive` gives messages and typing, too.

        Raises:
            TooOld: `resume_from` is not at hand any more.
        """
        return Subscription(self.bus.subscribe(scope, resume_from, notices=notices))

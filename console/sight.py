"""What of a site a login sees: where it is shared by several domains, what its agent's domain may use."""

from __future__ import annotations

from typing import NamedTuple

from engine.config import SiteConfig
from engine.config_domains import may_use
from engine.errors import UnknownAgent, UnknownQueue
from engine.logins import Identity
from engine.views import AgentOverview, ContactCounts, Overview

ADMIN = "admin"


class Sight(NamedTuple):
    """Queues and agents that may be seen and dealt with; None = all.

    Attributes:
        queues: those that the domain may use.
        agents: the domain's, and whoever may use one of its queues.
        channels: whose state is shown: the domain's, and none to agents.
    """

    queues: frozenset[str] | None = None
    agents: frozenset[str] | None = None
    channels: frozenset[str] | None = None

    def has_queue(self, queue: str | None) -> bool:
        """Tell whether a queue is in sight."""
        return self.queues is None or queue in self.queues

    def has_agent(self, agent: str) -> bool:
        """Tell whether an agent is in sight."""
        return self.agents is None or agent in self.agents

    def has_channel(self, channel: str) -> bool:
        """Tell whether a channel is in sight."""
        return self.channels is None or channel in self.channels

    def check_queue(self, queue: str) -> None:
        """Refuse a queue that is not in sight as one that is not there.

        Raises:
            UnknownQueue: of another domain.
        """
        if not self.has_queue(queue):
            raise UnknownQueue(0)

    def check_agent(self, agent: str) -> None:
        """Likewise an agent.

        Raises:
            UnknownAgent: of another domain.
        """
        if not self.has_agent(agent):
            raise UnknownAgent(0)

    def of(self, overview: Overview) -> Overview:
        """Return what of the site's figures is in sight; contacts in hand are counted by their agents."""
        if self.queues is None:
            return overview
        queues = [queue for queue in overview.queues if self.has_queue(queue.name)]
        agents = [agent for agent in overview.agents if self.has_agent(agent.name)]
        waiting = sum(queue.waiting for queue in queues)
        return Overview(overview.seq, overview.at_us, queues, agents, _counted(waiting, agents))


ALL = Sight()


def sight_of(site: SiteConfig, identity: Identity) -> Sight:
    """Return what a login sees: all, unless it has a seat on a site of several domains.

    Administrators run the site and see all of it; so does a login without a seat, which is of no domain.
    How the channels are is for who oversees.
    """
    section = site.agents.get(identity.agent or "")
    if not site.domains or section is None or identity.role == ADMIN:
        return ALL if identity.oversees else ALL._replace(channels=frozenset())
    queues = frozenset(queue for queue in site.queues if may_use(site, section.domain, queue))
    theirs = {
        domain
        for domain in (None, *site.domains)
        if domain == section.domain or any(may_use(site, domain, queue) for queue in queues)
    }
    agents = frozenset(name for name, one in site.agents.items() if one.domain in theirs)
    own = [name for name, one in site.channels.items() if one.domain == section.domain]
    return Sight(queues, agents, frozenset(own if identity.oversees else ()))


def _counted(waiting: int, agents: list[AgentOverview]) -> ContactCounts:
    return ContactCounts(
        waiting=waiting,
        offered=sum(agent.offers for agent in agents),
        connecting=sum(agent.connecting for agent in agents),
        engaged=sum(agent.engaged for agent in agents),
    )

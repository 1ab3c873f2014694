"""The demonstration's background: simulated customers and agents at work over the gateway.

They come through the same door as any plugin and any agents' page. When the site is killed and
started again they reconnect, ask what they have in hand, and go on; so nobody stays in a
conversation that no one will ever end.
"""

import random
import secrets
from collections.abc import Iterator
from dataclasses import replace

import trio

from engine.config_types import QueueSection, SiteConfig
from loadtest import protocol as p
from loadtest.arrivals import BANK_DAY_PER_HOUR, Arrivals, Surge
from loadtest.crowd import KEY_SALT_BYTES
from loadtest.drive_live import LiveSite, Tokens
from loadtest.handling import Handling, Manner
from loadtest.ledger import Ledger
from loadtest.link import Address
from loadtest.patience import Patience, draw_us
from loadtest.people import Contact, Numbers, Outbox, Sent
from loadtest.plan import PlannedContact, plan_contacts
from loadtest.returning import Returning
from loadtest.scenario import AgentGroup, ChannelPlan, QueuePlan, Scenario
from loadtest.secured import Tls
from loadtest.streams import stream

US = 1_000_000
CONTACTS_PER_MINUTE = 21  # between surges; about 30 with them
# Eight in the morning to eight in the evening of a weekday pass in forty minutes, over and over.
BUSY_HALF_HOURS = BANK_DAY_PER_HOUR[16:40]
DAY_S, STARTS_AT = 2_400.0, 0.15
SURGE = Surge(start_s=15, duration_s=45, factor=3.8, every_s=240)
TALK_MEAN_S, TALK_SPREAD = 72.0, 1.2
PATIENCE_MEAN_S, PATIENCE_SHARE = 150.0, 0.6
FIRST_CONTACTS, FIRST_WITHIN_S = 32, 2.0
SOCKET = "socket"
BREAK_EVERY_S, BREAK_MEAN_S = 20.0, 60.0
FOREVER_S = 10 * 365 * 86_400.0


def players_scenario(site: SiteConfig, seed: int) -> Scenario:
    """Builds the scenario of a site's own configuration.

    Everybody plays who serves a channel of out-of-process plugins; whoever serves another channel
    is a person of flesh and blood and is left alone.
    """
    channels = {
        name: ChannelPlan(1.0, section.exclusive, section.instant)
        for name, section in site.channels.items()
        if section.plugin == SOCKET
    }
    groups = tuple(
        AgentGroup(name, 1, section.skills, section.capacity, exact=True)
        for name, section in site.agents.items()
        if section.capacity and section.capacity.keys() <= channels.keys()
    )
    queues = {
        name: QueuePlan(share, _skills(q), q.offer_timeout_ms, q.wrap_up_ms, q.max_waiting)
        for (name, q), share in zip(site.queues.items(), _queue_shares(len(site.queues)), strict=True)
    }
    return Scenario(
        name="players",
        title=site.title.en,
        seed=seed,
        duration_s=FOREVER_S,
        warmup_s=0,
        order=site.routing.order,
        miss_limit=site.routing.miss_limit,
        retry_after_ms=site.routing.retry_after_ms,
        max_waiting=site.routing.max_waiting,
        vip_share=0.06,
        vip_head_start_ms=90_000,
        channels=channels,
        queues=queues,
        groups=groups,
        arrivals=Arrivals(CONTACTS_PER_MINUTE / 60, BUSY_HALF_HOURS, DAY_S, STARTS_AT, surges=(SURGE,)),
        patience=Patience("lognormal", PATIENCE_MEAN_S * US, 1.0, PATIENCE_SHARE),
        handling=Handling("lognormal", TALK_MEAN_S * US, TALK_SPREAD, 0.4),
        occupancy=None,
        manner=Manner(1.5 * US, 0.01, 0.02, 4.0 * US, 0.5),
    )


def _skills(queue: QueueSection) -> dict[str, int]:
    """What the first alternative of a queue asks for; a plan knows no others."""
    return {need.skill: need.level for needs in queue.requires[:1] for need in needs if not need.negated}


def _queue_shares(count: int) -> list[float]:
    """Returns the shares of the queues in the file's order: each has 60 % of the one before."""
    return [0.6**position for position in range(count)]


def players_contacts(scenario: Scenario) -> Iterator[PlannedContact]:
    """Yields the customers: at once enough for a centre in full swing, then the day."""
    rng = stream(scenario.seed, "first contacts")
    day = plan_contacts(scenario, scenario.duration_s)
    first = []
    for _ in range(FIRST_CONTACTS):
        contact = next(day)
        at_us = int(rng.random() * FIRST_WITHIN_S * US)
        # Whoever looks in at any moment meets long talks more often than short ones, and some part
        # of each is left; for lognormal talks the longer ones are (1 + spread^2) times as long.
        left_us = int(contact.talk_us * (1 + TALK_SPREAD**2) * rng.random())
        first.append(replace(contact, at_us=at_us, talk_us=left_us))
    first.sort(key=lambda contact: contact.at_us)
    yield from first
    for contact in day:
        if contact.at_us > FIRST_WITHIN_S * US:
            yield contact


class Players(Returning):
    """A crowd that takes breaks, and that looks after whom earlier players have left behind."""

    def __init__(
        self, scenario: Scenario, numbers: Numbers, outbox: Outbox, ledger: Ledger, reasons: list[int]
    ) -> None:
        """Sets the stage; `reasons` are the site's numbers of why an agent is not ready."""
        salt = secrets.token_bytes(KEY_SALT_BYTES)
        super().__init__(scenario, numbers, outbox, ledger, salt=salt, contacts=players_contacts(scenario))
        self._scenario = scenario
        self._reasons = reasons
        self._rng = stream(scenario.seed, "breaks")
        self._adopted = stream(scenario.seed, "adopted")
        self.after(int(BREAK_EVERY_S * US), self._begin_break)

    # Breaks

    def _begin_break(self, due_us: int) -> None:
        agent = self._rng.choice(self.agents)
        if agent.id not in self.on_break:
            self.on_break.add(agent.id)
            reason = self._rng.choice(self._reasons) if self._reasons else 0
            message = (p.NOT_READY, 1, agent.id, reason)
            self._outbox.to_agent(agent.index, message, Sent(p.NOT_READY, due_us))
            length_us = draw_us(self._rng, "exponential", BREAK_MEAN_S * US, 1)
            self.after(due_us + length_us, self._end_break, agent.index)
        self.after(due_us + draw_us(self._rng, "exponential", BREAK_EVERY_S * US, 1), self._begin_break)

    def _end_break(self, due_us: int, index: int) -> None:
        agent = self.agents[index]
        self.on_break.discard(agent.id)
        self._outbox.to_agent(index, (p.READY, 1, agent.id), Sent(p.READY, due_us))

    def _adopt(self, now_us: int, channel: int, number: int) -> Contact | None:
        rng: random.Random = self._adopted
        talk_us = draw_us(rng, "exponential", TALK_MEAN_S * US / 2, 1)
        patience_us = draw_us(rng, "exponential", PATIENCE_MEAN_S * US / 2, 1)
        contact = Contact(PlannedContact(now_us, channel, 0, 0, patience_us, talk_us, customer_ends=False))
        self._know(now_us, contact, number)
        self.after(now_us + patience_us, self._lose_patience, contact)
        return contact


async def run_players(site: SiteConfig, tokens: Tokens, *, seed: int, tls: Tls | None = None) -> None:
    """Plays until cancelled; reconnects whenever the site goes away.

    Args:
        site: its configuration: who is there, and where the gateway listens.
        tokens: a plugin's token for each channel with ``plugin = "socket"``, and an edge's.
        seed: of the day.
        tls: spoken with a gateway that has a certificate.
    """
    scenario = players_scenario(site, seed)
    bind = site.gateway.bind
    live = LiveSite(scenario, Address(bind.host, bind.port, tls), tokens, edges=1, stubborn=True)
    async with trio.open_nursery() as nursery:
        numbers = await live.connect(nursery)
        welcome = live.channels[0].welcome
        assert welcome is not None
        reasons = list(welcome.names.get("reason", {}).values())
        players = Players(scenario, numbers, live, Ledger(0, 0), reasons)
        live.seat(players, numbers)
        live.start_in(0)
        players.sign_in(0)
        await live.play(players, lambda now_us: False)

"""Plays a scenario through one router in this process, in virtual time: a day takes seconds."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from engine.config import read_site
from engine.config_compile import compile_config
from engine.model import Config, Configure
from engine.names import Names
from engine.router import CODES, Router
from loadtest.crowd import Crowd
from loadtest.ledger import Ledger
from loadtest.people import Numbers, Sent
from loadtest.plan import plan_contacts
from loadtest.protocol import Body, Message
from loadtest.scenario import Scenario
from loadtest.site_file import site_toml

CODE_NAMES = dict(CODES)
START_US = 1_000_000_000_000
SALT = bytes(8)
NO_PORTS = (8700, 8701, 8702)  # nothing listens in virtual time
US = 1_000_000


def build_config(scenario: Scenario) -> Config:
    """Builds the configuration that a site spawned for this scenario would have."""
    site = read_site(site_toml(scenario, Path("data"), NO_PORTS), Path())
    return compile_config(site, Names())[0]


class VirtualSite:
    """One router and the crowd's commands on their way to it; commands take no time."""

    def __init__(self, config: Config) -> None:
        self.now_us = 0
        self.commands = 0
        self.events = 0
        self._router = Router()
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder().decode
        self._waiting: list[tuple[Message, Sent]] = []
        self._router.apply(START_US, Configure(config=config))

    def to_channel(self, channel: int, message: Message, sent: Sent) -> None:
        """Takes a channel's command; the crowd's outbox."""
        self._waiting.append((message, sent))

    def to_agent(self, agent: int, message: Message, sent: Sent) -> None:
        """Takes an agent's command; the crowd's outbox."""
        self._waiting.append((message, sent))

    def deliver(self, crowd: Crowd) -> None:
        """Applies what the crowd has sent, and what it sends in answer, until nobody has anything to say."""
        while self._waiting:
            waiting, self._waiting = self._waiting, []
            for message, sent in waiting:
                self.commands += 1
                code, value, events = self._router.apply_raw(START_US + self.now_us, self._encode(message))
                self._tell(crowd, events)
                crowd.hear_ack(self.now_us, sent, code, value, CODE_NAMES.get(code, ""))

    def pass_time(self, crowd: Crowd, until_us: int) -> None:
        """Moves the clock; fires what falls due on the way, one deadline at a time."""
        due = self._router.next_deadline()
        if due is not None and due - START_US <= until_us:
            self.now_us = due - START_US
            self._tell(crowd, self._router.advance(due))
        else:
            self.now_us = until_us

    def go_on(self, crowd: Crowd) -> bool:
        """Goes to the next thing that happens; says whether there was one."""
        steps = [due for due in (crowd.next_step_us(), self.deadline_us()) if due is not None]
        if not steps:
            return False
        self.pass_time(crowd, max(min(steps), self.now_us))
        crowd.step(self.now_us)
        self.deliver(crowd)
        return True

    def deadline_us(self) -> int | None:
        """Returns the router's next deadline."""
        due = self._router.next_deadline()
        return None if due is None else due - START_US

    @property
    def router(self) -> Router:
        """The router, for looking at."""
        return self._router

    def check(self) -> None:
        """Asserts the router's invariants."""
        self._router.check()

    def state_hash(self) -> str:
        """Returns the router's state hash, as text."""
        return f"{self._router.state_hash():016x}"

    def _tell(self, crowd: Crowd, events: bytes) -> None:
        for body in self._bodies(events):
            self.events += 1
            crowd.hear_channel(self.now_us, body)
            crowd.hear_agent(self.now_us, body)

    def _bodies(self, events: bytes) -> Iterator[Body]:
        at = 0
        while at < len(events):
            start = at + 4
            at = start + int.from_bytes(events[at:start], "big")
            yield self._decode(events[start:at])


def simulate_scenario(scenario: Scenario) -> tuple[Ledger, VirtualSite]:
    """Plays a scenario from the first arrival until the last contact and wrap-up are over."""
    ledger = Ledger(int(scenario.warmup_s * US), int(scenario.duration_s * US))
    site = VirtualSite(build_config(scenario))
    numbers = Numbers(
        list(range(1, len(scenario.channels) + 1)),
        list(range(1, len(scenario.queues) + 1)),
        list(range(1, scenario.agents + 1)),
    )
    crowd = Crowd(
        scenario, numbers, site, ledger, salt=SALT, contacts=plan_contacts(scenario, scenario.duration_s)
    )
    crowd.sign_in(0)
    site.deliver(crowd)
    while site.go_on(crowd):
        pass
    crowd.send_everybody_home(site.now_us)
    site.deliver(crowd)
    site.check()
    return ledger, site

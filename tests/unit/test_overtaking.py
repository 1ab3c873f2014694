"""The bound of overtaking: what the linter says, and what the router then does.

An overtaking is seen where an agent is offered a contact while one of the same tier that was enqueued
earlier goes on waiting, though the agent could have taken that one. All contacts here have one weight
and every offer is taken at once, so that skills alone say who could.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random

import pytest

from engine.config import SiteConfig, read_site
from engine.config_compile import INBOUND_TIER, OUTBOUND_TIER, compile_config
from engine.errors import ConfigError
from engine.model import Abandon, Accept, Arrive, Configure, End, OfferMade, Queued, SignIn, Transfer
from engine.names import Names
from engine.overtaking import Bound, overtaking_bounds
from engine.reach import holds, requirements_in_time
from engine.router import Router

SECOND = 1_000_000
HEAD = '[site]\nname = "one"\n[skills.a]\n[skills.b]\n[skills.c]\n[channels.chat]\nplugin = "echo"\n'


def site(text: str) -> SiteConfig:
    return read_site(HEAD + text, Path("/srv"))


def bounds(text: str) -> dict[str, int | None]:
    return {name: bound.limit_s for name, bound in overtaking_bounds(site(text)).items()}


QUEUES = """
[queues.a]
skills = { a = 10 }
max_head_start_s = 90
[queues.b]
skills = { b = 10 }
max_head_start_s = 600
[queues.c]
skills = { c = 10 }
max_head_start_s = 0
"""


def test_rivals_are_the_queues_that_share_an_agent() -> None:
    alone = QUEUES + "[agents.x]\nskills = { a = 50 }\ncapacity = { chat = 1 }\n"
    assert bounds(alone) == {"a": 90, "b": 0, "c": 0}
    shared = alone + "[agents.y]\nskills = { a = 10, b = 9, c = 10 }\ncapacity = { chat = 1 }\n"
    assert bounds(shared) == {"a": 90, "b": 0, "c": 90}, "b asks for more than y has"
    both = alone + "[agents.y]\nskills = { a = 10, b = 10 }\ncapacity = { chat = 1 }\n"
    assert bounds(both) == {"a": 600, "b": 600, "c": 0}
    idle = alone + "[agents.y]\nskills = { a = 10, b = 10 }\n"
    assert bounds(idle) == {"a": 90, "b": 0, "c": 0}, "without units nobody competes"


def test_it_says_where_a_bound_comes_from() -> None:
    said = overtaking_bounds(
        site(QUEUES + "[agents.x]\nskills = { a = 50, b = 50 }\ncapacity = { chat = 1 }\n")
    )
    assert [str(bound) for bound in said.values()] == [
        "bounded: 600 s (contacts of b, agent x)",
        "bounded: 600 s (its own contacts, agent x)",
        "bounded: 0 s (no agent serves it)",
    ]


def test_contacts_that_overflow_bring_their_head_starts() -> None:
    agent = "[agents.x]\nskills = { a = 50 }\ncapacity = { chat = 1 }\n"
    rule = '[[queues.{}.overflow]]\nwhen = "wait"\nafter_s = 9\nto = "queue:{}"\n'
    step = "[[queues.{}.steps]]\nafter_ms = 1\nhead_start_ms = {}\n"
    assert bounds(QUEUES + agent + rule.format("b", "a")) == {"a": 600, "b": 0, "c": 0}
    over_c = QUEUES + agent + rule.format("b", "c") + rule.format("c", "a")
    assert bounds(over_c)["a"] == 600
    assert bounds(over_c + step.format("c", 7_000) + step.format("a", 2_000))["a"] == 609
    around = over_c + rule.format("a", "c") + step.format("a", 1_000_000)
    assert bounds(around)["a"] == 90 + 3 * 1_000, "a, c, a, c, a: four hops, three times through a"
    assert bounds(
        QUEUES + agent + rule.format("b", "a").replace("queue:a", "target:t") + "[targets.t]\n"
    ) == {
        "a": 90,
        "b": 0,
        "c": 0,
    }


def test_outbound_stands_below_and_needs_no_waiver() -> None:
    agent = "[agents.x]\nskills = { a = 50, b = 50 }\ncapacity = { chat = 1 }\n"
    text = (QUEUES + agent).replace("[queues.b]", '[queues.b]\ndirection = "outbound"\npriority = 1')
    assert bounds(text) == {"a": 90, "b": None, "c": 0}, "the tier goes before the priority"
    assert "b is outbound, and agent x serves a, too" in str(overtaking_bounds(site(text))["b"])
    alone = text.replace("a = 50, b", "b")
    assert bounds(alone) == {"a": 0, "b": 600, "c": 0}, "among its own the bound holds"
    rule = '[[queues.{}.overflow]]\nwhen = "wait"\nafter_s = 9\nto = "queue:{}"\n'
    with pytest.raises(ConfigError, match=r"queues\.a\.waive_overtaking.*priority 1 for b and 5 for a"):
        site(text + rule.format("c", "b"))  # c's contacts keep their tier in b, and b has the better priority
    assert bounds(text + rule.format("b", "a"))["a"] == 90, "b's stand below in a, too"


def test_a_limit_of_contacts_in_hand_is_a_waiver() -> None:
    agent = "[agents.x]\nskills = { a = 50, b = 50 }\ncapacity = { chat = 1 }\n"
    text = (QUEUES + agent).replace("[queues.b]", "[queues.b]\nmax_in_hand = 3")
    assert bounds(text) == {"a": 600, "b": None, "c": 0}
    assert "no more than 3 of its contacts" in str(overtaking_bounds(site(text))["b"])


LEVELS = '[routing]\norder = "agent_level"\n' + QUEUES


def test_levels_decide_before_the_time() -> None:
    even = LEVELS + "[agents.x]\nskills = { a = 50, b = 50 }\ncapacity = { chat = 1 }\n"
    assert bounds(even) == {"a": 600, "b": 600, "c": 0}
    # x prefers b: b's contacts are overtaken by their own only, a's by b's without bound.
    uneven = even.replace("b = 50", "b = 51")
    waived = uneven.replace("[queues.a]", '[queues.a]\nwaive_overtaking = "strict"')
    assert bounds(waived) == {"a": None, "b": 600, "c": 0}
    # A queue without a skill to rank by has level 0 with everybody.
    plain = even + '[queues.plain]\nwaive_overtaking = "whoever is left"\n'
    assert bounds(plain) == {"a": 600, "b": 600, "c": 0, "plain": None}


def test_an_unbounded_queue_is_refused_with_what_to_do() -> None:
    text = LEVELS + "[agents.x]\nskills = { a = 50, b = 80 }\ncapacity = { chat = 1 }\n"
    with pytest.raises(ConfigError) as caught:
        site(text)
    assert caught.value.errors == [
        "queues.a.waive_overtaking: is missing; later contacts can overtake this queue's without bound, "
        'because agent x has level 80 for b and 50 for a, and order is "agent_level". '
        'Make such levels or priorities equal, take order "longest", or say here why it shall be so'
    ]
    assert site(text.replace('"agent_level"', '"longest"'))


class Watch:
    """Drives a router and measures every overtaking.

    Attributes:
        worst_us: per queue, the longest time by which a later contact has overtaken one of its own.
    """

    def __init__(self, one: SiteConfig) -> None:
        config, names = compile_config(one, Names())
        self.site, self.names, self.router = one, names, Router()
        self.at = 0
        self.worst_us: dict[str, int] = {}
        self.waiting: dict[int, Queued] = {}
        self.hands: dict[int, int] = {}
        self.passed_on: dict[int, int] = {}
        self.arrivals = 0
        self.tell(Configure(config=config))

    def go(self, at: int) -> None:
        """Let time pass: whoever has let a contact pass is asked again then."""
        self.at = at
        self.router.advance(at)
        self.settle()

    def tell(self, command: object, at: int | None = None) -> None:
        if at is not None:
            self.go(at)
        self.router.apply(self.at, command)  # type: ignore[arg-type]
        self.settle()

    def settle(self) -> None:
        """Every offer is taken at once."""
        offers = list(self.note())
        while offers:
            for offer in offers:
                self.router.apply(self.at, Accept(agent=offer.agent, offer=offer.offer))
            offers = list(self.note())

    def note(self) -> Iterator[OfferMade]:
        offers, left = [], dict(self.waiting)
        for event in self.router.events:
            if isinstance(event, Queued):
                self.waiting[event.contact] = left[event.contact] = event
            elif isinstance(event, OfferMade):
                offers.append(event)
                self.waiting.pop(event.contact)
                self.hands[event.contact] = event.agent
        for offer in offers:
            taken = left[offer.contact]
            for other in self.waiting.values():
                ahead_us = taken.enqueued_at - other.enqueued_at
                if self.passed_on.get(other.contact) == offer.agent:
                    continue  # not asked again at once
                if (
                    self.own_tier(other)
                    and other.tier == taken.tier
                    and ahead_us > 0
                    and self.serves(offer.agent, other.queue)
                ):
                    queue = self.names.name("queue", other.queue)
                    self.worst_us[queue] = max(self.worst_us.get(queue, 0), ahead_us)
        yield from offers

    def own_tier(self, contact: Queued) -> bool:
        """Whether it stands as arrivals of its queue do; passed on, where no queue is outbound."""
        queues = self.site.queues
        outbound = queues[self.names.name("queue", contact.queue)].outbound
        if contact.tier < INBOUND_TIER:
            return not any(queue.outbound for queue in queues.values())
        return contact.tier == (OUTBOUND_TIER if outbound else INBOUND_TIER)

    def serves(self, agent: int, queue: int) -> bool:
        skills: Mapping[str, int] = self.site.agents[self.names.name("agent", agent)].skills
        asked = requirements_in_time(self.site, self.site.queues[self.names.name("queue", queue)])
        return any(holds(requirement, skills) for requirement in asked)

    def arrive(self, queue: str, head_start_us: int = 0, at: int | None = None) -> None:
        self.arrivals += 1
        self.tell(
            Arrive(
                channel=self.names.id("channel", "chat"),
                key=self.arrivals.to_bytes(16, "big"),
                queue=self.names.id("queue", queue),
                head_start_us=head_start_us,
            ),
            at,
        )

    def end(self, at: int | None = None) -> None:
        """The agent who has served longest is free."""
        contact = next(iter(self.hands))
        self.tell(End(agent=self.hands.pop(contact), contact=contact))


ONE_AGENT = QUEUES.replace("[queues.a]", "[queues.a]\nwrap_up_ms = 0").replace(
    "[queues.b]", "[queues.b]\nwrap_up_ms = 0"
) + ("[agents.x]\nskills = { a = 50, b = 50 }\ncapacity = { chat = 1 }\n")


@pytest.mark.parametrize(
    ("later_us", "overtaken_us"), [(600 * SECOND - 1, 600 * SECOND - 1), (600 * SECOND, 0)]
)
def test_the_bound_is_reached_and_not_passed(later_us: int, overtaken_us: int) -> None:
    watch = Watch(site(ONE_AGENT))
    watch.tell(SignIn(agent=1, ready=True))
    watch.arrive("a")
    watch.arrive("a", at=SECOND)
    watch.arrive("b", 600 * SECOND, at=SECOND + later_us)
    watch.end(at=2 * 600 * SECOND)
    assert watch.worst_us.get("a", 0) == overtaken_us
    assert overtaking_bounds(watch.site)["a"].limit_s == 600


def test_a_better_level_overtakes_however_late_it_comes() -> None:
    text = ONE_AGENT.replace("b = 50", "b = 51").replace(
        "[queues.a]", '[queues.a]\nwaive_overtaking = "strict"'
    )
    watch = Watch(site('[routing]\norder = "agent_level"\n' + text))
    assert overtaking_bounds(watch.site)["a"].limit_s is None
    watch.tell(SignIn(agent=1, ready=True))
    watch.arrive("a")
    watch.arrive("a", at=SECOND)
    watch.arrive("b", at=86_400 * SECOND)
    watch.end()
    assert watch.worst_us == {"a": 86_399 * SECOND}


def random_site(chance: Random) -> SiteConfig:
    order = chance.choice(["longest", "agent_level"])
    text = f'[routing]\norder = "{order}"\n'
    for name in "abc"[: chance.randint(1, 3)]:
        needs = {skill: chance.randint(1, 3) for skill in chance.sample("abc", chance.randint(0, 2))}
        listed = ", ".join(f"{skill} = {level}" for skill, level in needs.items())
        direction = chance.choice(["inbound", "inbound", "outbound"])
        text += (
            f'[queues.{name}]\ndirection = "{direction}"\nskills = {{ {listed} }}\n'
            'waive_overtaking = "a test"\nwrap_up_ms = 0\n'
            f"max_head_start_s = {chance.choice([0, 1, 5, 20])}\nrank_skill = '{chance.choice('abc')}'\n"
        )
    names = text.count("[queues.")
    for name, to in zip("abc", "bca", strict=True):
        if name in "abc"[:names] and to in "abc"[:names] and to != name and chance.random() < 0.5:
            rule = chance.choice(['"wait"\nafter_s = 3', '"size"\ncontacts = 4', '"no_agent"'])
            text += f'[[queues.{name}.overflow]]\nwhen = {rule}\nto = "queue:{to}"\n'
            text += f"[[queues.{to}.steps]]\nafter_ms = 1000\nhead_start_ms = {chance.choice([0, 4000])}\n"
    for name in "xyz"[: chance.randint(1, 3)]:
        skills = ", ".join(f"{skill} = {chance.randint(1, 4)}" for skill in "abc" if chance.random() < 0.8)
        text += f"[agents.{name}]\nskills = {{ {skills} }}\ncapacity = {{ chat = {chance.randint(1, 2)} }}\n"
    return site(text)


def play(watch: Watch, chance: Random, steps: int) -> None:
    """Arrivals, ends, transfers and abandons in any order; head starts go up to what each queue gives."""
    for agent in watch.site.agents:
        watch.tell(SignIn(agent=watch.names.id("agent", agent), ready=True))
    queues = list(watch.site.queues)
    for _ in range(steps):
        watch.go(watch.at + chance.choice([0, 1, SECOND // 2, SECOND, 3 * SECOND]))
        queue = chance.choice(queues)
        most_us = watch.site.queues[queue].max_head_start_s * SECOND
        head_start_us = chance.choice([0, most_us, chance.randint(0, most_us)])
        what = chance.random()
        if what < 0.5 and len(watch.waiting) < 30:
            watch.arrive(queue, head_start_us)
        elif what < 0.9 and watch.hands:
            watch.end()
        elif what < 0.95 and watch.hands:
            contact = chance.choice(list(watch.hands))
            number = watch.names.id("queue", queue)
            agent = watch.passed_on[contact] = watch.hands.pop(contact)
            watch.tell(Transfer(agent=agent, contact=contact, queue=number, head_start_us=head_start_us))
        elif watch.waiting:
            contact = chance.choice(list(watch.waiting))
            gone = watch.waiting.pop(contact)
            watch.tell(Abandon(channel=gone.channel, contact=contact))


@pytest.mark.slow  # many sites, hundreds of commands each
def test_no_queue_is_overtaken_beyond_its_bound() -> None:
    seen: list[float] = []
    unbounded = 0
    for seed in range(150):
        chance = Random(seed)
        watch = Watch(random_site(chance))
        play(watch, chance, 300)
        said: Mapping[str, Bound] = overtaking_bounds(watch.site)
        for queue, worst_us in watch.worst_us.items():
            limit_s = said[queue].limit_s
            unbounded += limit_s is None
            if limit_s is not None:
                assert worst_us < limit_s * SECOND, (seed, queue, worst_us, said[queue])
                seen.append(worst_us / (limit_s * SECOND))
    assert unbounded > 10, "what has no bound was seen to be overtaken"
    assert len(seen) > 40, "the test sees overtaking at all"
    assert max(seen) > 0.9, "and some that nearly reaches the bound"

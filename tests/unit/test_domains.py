"""Domains: what the file says, what the core then refuses, and who sees what."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.clock import ManualClock
from engine.config_compile import compile_config
from engine.config_domains import may_use
from engine.errors import OtherDomain
from engine.model import Contract, DomainConfig
from engine.names import Names
from engine.overtaking import overtaking_bounds
from engine.testing.fixtures import small_service
from tests.unit.test_config import MINIMAL, errors_of, read
from tests.unit.test_service import arrive

SITE = (
    MINIMAL
    + """
[domains.red]
share = 300
[domains.blue]
[channels.chat]
plugin = "echo"
[channels.red]
plugin = "echo"
domain = "red"
[queues.own]
offer_timeout_ms = 5000
wrap_up_ms = 0
[queues.red]
domain = "red"
[queues.blue]
domain = "blue"
[agents.ann]
capacity = { chat = 2, red = 2 }
[agents.rob]
domain = "red"
capacity = { chat = 2, red = 2 }
"""
)
CONTRACT = '[[contracts]]\nqueue = "red"\n[[contracts]]\nqueue = "own"\ndomain = "blue"\n'


def test_what_the_file_says_is_compiled() -> None:
    config, names = compile_config(read(SITE + CONTRACT), Names())
    red, blue = names.id("domain", "red"), names.id("domain", "blue")
    assert config.domains == (DomainConfig(red, 300), DomainConfig(blue, 100))
    assert [one.domain for one in config.channels] == [0, red]
    assert [one.domain for one in config.queues] == [0, red, blue]
    assert [one.domain for one in config.agents] == [0, red]
    assert config.contracts == (
        Contract(names.id("queue", "own"), blue),
        Contract(names.id("queue", "red"), 0),
    )


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("[domains.x]\nshare = 0", "domains.x.share: expected 1..1000, got 0"),
        ("[domains.x]\nzzz = 0", "domains.x.zzz: unknown key; known: title, was, share"),
        ('[queues.x]\ndomain = "rad"', 'queues.x.domain: no domain "rad"; did you mean "red"?'),
        ('[agents.x]\ndomain = "rad"', 'agents.x.domain: no domain "rad"; did you mean "red"?'),
        ('[channels.x]\nplugin = "echo"\ndomain = 3', "channels.x.domain: expected a string, got an integer"),
        ('[[contracts]]\ndomain = "red"', "contracts[0].queue: is missing; name a queue"),
        ('[[contracts]]\nqueue = "reed"', 'contracts[0].queue: no queue "reed"; did you mean "red"?'),
        (
            '[[contracts]]\nqueue = "red"\ndomain = "red"',
            'contracts[0].domain: red is of domain "red" already; a contract opens it to another one',
        ),
        ('[[contracts]]\nqueue = "own"', "contracts[0].domain: own is of the site's own domain already; "),
        (CONTRACT + '[[contracts]]\nqueue = "red"', "contracts[2].queue: this contract is listed twice"),
        (
            '[[queues.red.overflow]]\nwhen = "closed"\nto = "queue:own"',
            "queues.red.overflow[0].to: own is of the site's own domain; a contract has to open it",
        ),
    ],
)
def test_every_fault_is_named(text: str, error: str) -> None:
    assert [one[: len(error)] for one in errors_of(f"{SITE}{text}\n")] == [error]


def test_who_may_use_what() -> None:
    site = read(SITE + CONTRACT)
    allowed = {
        queue: [domain for domain in (None, "red", "blue") if may_use(site, domain, queue)]
        for queue in ("own", "red", "blue", "none")
    }
    assert allowed == {"own": [None, "blue"], "red": [None, "red"], "blue": ["blue"], "none": []}


def test_only_who_may_use_a_queue_competes_in_it() -> None:
    alone = {name: bound.limit_s for name, bound in overtaking_bounds(read(SITE)).items()}
    assert alone == {"own": 3_600, "red": 3_600, "blue": 0}
    shared = overtaking_bounds(read(SITE + CONTRACT))
    assert {name: bound.limit_s for name, bound in shared.items()} == {"own": None, "red": None, "blue": 0}
    assert "ann serves red of another domain by the domains' shares" in str(shared["own"])


async def test_a_contact_stays_in_its_domain(tmp_path: Path) -> None:
    async with small_service(tmp_path, clock=ManualClock(), text=SITE) as service:
        await service.desk("ann").sign_in()
        with pytest.raises(OtherDomain):
            await service.command(arrive(service, 1, "red"))
        contact = await service.command(arrive(service, 2, "red", "red"))
        assert service.desk("ann").state().offers == []
        told = service.explain(contact, "ann")
        assert told is not None
        assert [(one.predicate, one.subject) for one in told.failing] == [("domain", "red")]
        assert [(fix.action, fix.agent, fix.subject) for fix in told.fixes] == [
            ("sign_contract", "ann", "red")
        ]
        await service.desk("rob").sign_in()
        assert [one.contact for one in service.desk("rob").state().offers] == [contact]


async def test_a_contract_opens_a_queue(tmp_path: Path) -> None:
    async with small_service(tmp_path, clock=ManualClock(), text=SITE + CONTRACT) as service:
        contact = await service.command(arrive(service, 1, "red"))
        await service.desk("ann").sign_in()
        assert [one.contact for one in service.desk("ann").state().offers] == [contact]
        with pytest.raises(OtherDomain):
            await service.command(arrive(service, 2, "own", "red"))

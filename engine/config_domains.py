"""Domains: tenants of one site, what is whose, and which contracts open a queue to others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from engine.config_table import Table, did_you_mean
from engine.config_types import ContractSection, DomainSection, QueueSection, SiteConfig, Title
from engine.model import OverflowTo

MAX_DOMAINS: Final = 1_000
MAX_CONTRACTS: Final = 10_000
MAX_SHARE: Final = 1_000
OWN: Final = "the site's own domain"


def read_domains(file: Table, title: Callable[[Table, str], Title]) -> dict[str, DomainSection]:
    """Read `[domains.NAME]`."""
    domains = {}
    for name, table in file.named_tables("domains", MAX_DOMAINS):
        domains[name] = DomainSection(
            name=name,
            title=title(table, name),
            was=table.name("was"),
            share=table.integer("share", 1, MAX_SHARE, 100),
        )
        table.finish()
    return domains


def read_domain(table: Table, domains: Mapping[str, DomainSection]) -> str | None:
    """Read whose something is; None = the site's own."""
    name = table.optional_text("domain")
    if name is not None and name not in domains:
        table.error("domain", f'no domain "{name}"; {did_you_mean(name, domains)}')
        return None
    return name


def read_contracts(
    file: Table, queues: Mapping[str, QueueSection], domains: Mapping[str, DomainSection]
) -> tuple[ContractSection, ...]:
    """Read `[[contracts]]`."""
    contracts: list[ContractSection] = []
    for table in file.tables("contracts", MAX_CONTRACTS):
        queue = table.text("queue", "")
        if queue not in queues:
            known = did_you_mean(queue, queues)
            table.error("queue", f'no queue "{queue}"; {known}' if queue else "is missing; name a queue")
        contract = ContractSection(queue, read_domain(table, domains))
        table.finish()
        if queue in queues and queues[queue].domain == contract.domain:
            whose = OWN if contract.domain is None else f'domain "{contract.domain}"'
            table.error("domain", f"{queue} is of {whose} already; a contract opens it to another one")
        elif contract in contracts:
            table.error("queue", "this contract is listed twice")
        contracts.append(contract)
    return tuple(contracts)


def may_use(site: SiteConfig, domain: str | None, queue: str) -> bool:
    """Whether agents and contacts of a domain may use a queue."""
    section = site.queues.get(queue)
    return section is not None and (
        section.domain == domain or ContractSection(queue, domain) in site.contracts
    )


def check_domains(file: Table, site: SiteConfig) -> None:
    """Report every overflow that leads where contacts of the queue's domain may not go."""
    for name, queue in site.queues.items():
        for place, rule in enumerate(queue.overflow):
            leads_on = rule.to_kind is OverflowTo.QUEUE and rule.to in site.queues
            if leads_on and not may_use(site, queue.domain, rule.to):
                whose, theirs = site.queues[rule.to].domain or OWN, queue.domain or OWN
                path = f"queues.{name}.overflow[{place}].to"
                file.error(
                    path, f"{rule.to} is of {whose}; a contract has to open it to contacts of {theirs}"
                )

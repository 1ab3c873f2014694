"""The crowd and the demonstration's players against a gateway with a certificate."""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest
import trio
import trustme

from engine.auth import Tokens as Issuer
from engine.cli import players
from engine.config import Address as Bind
from engine.config import SiteConfig, read_site
from engine.errors import ConfigError
from engine.gateway import Gateway
from engine.service import Service, open_service
from engine.testing.fixtures import SMALL_SITE, small_site
from engine.tls import ServerTls
from loadtest import cli_flood
from loadtest.drive_live import Tokens, flood
from loadtest.drive_rust import learn_numbers, play_rust
from loadtest.errors import FloodError, InputError
from loadtest.ledger import Ledger
from loadtest.link import Address
from loadtest.players import run_players
from loadtest.ports import free_ports
from loadtest.report import describe_results
from loadtest.scenario import load_scenario
from loadtest.secured import Tls
from loadtest.site_file import site_toml
from tests.e2e.test_tls import write

KEY = b"k" * 32
NAME = "bank.example"
SCENARIO = load_scenario("smoke").resized(rate_per_s=40, agents=10, duration_s=1, warmup_s=0, seed=None)


class Served(NamedTuple):
    site: SiteConfig
    service: Service
    port: int
    tokens: Tokens
    ca: Path


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[Served]:
    """A site whose gateway has a certificate of another name than its address."""
    authority = trustme.CA()
    ca = folder / "ca.pem"
    ca.write_bytes(authority.cert_pem.bytes())
    certificate = write(folder, authority.issue_cert(NAME))
    web, gateway, stats = free_ports(3)
    site = read_site(site_toml(SCENARIO, folder / "data", (web, gateway, stats)), folder)
    issuer = Issuer(KEY, site.name)
    channels = {name: issuer.issue("plugin", "flood", 60, channel=name) for name in SCENARIO.channels}
    tokens = Tokens(channels, issuer.issue("edge", "flood", 60, any_agent=True))
    with trio.fail_after(60):
        async with open_service(site) as service, trio.open_nursery() as nursery:
            serve = Gateway(service, issuer).serve
            bind = Bind("127.0.0.1", gateway)
            await nursery.start(partial(serve, bind, tls=ServerTls(certificate, "gateway")))
            yield Served(site, service, gateway, tokens, ca)
            nursery.cancel_scope.cancel()


async def flood_at(on: Served, tls: Tls | None, host: str = "127.0.0.1", port: int | None = None) -> Ledger:
    address = Address(host, port or on.port, tls)
    return await flood(SCENARIO, address, on.tokens, edges=2, watch=lambda _: None)


@pytest.mark.slow  # a flood in real time
async def test_a_flood_over_tls_keeps_its_books(tmp_path: Path) -> None:
    async with served(tmp_path) as on:
        ledger = await flood_at(on, Tls.trusting(on.ca, NAME))
    books = describe_results(SCENARIO, ledger)["conservation"]
    assert isinstance(books, dict)
    assert books["holds"]
    assert books["acknowledged"] > 10


async def test_the_players_speak_tls(tmp_path: Path) -> None:
    async with served(tmp_path) as on, trio.open_nursery() as nursery:
        play = partial(run_players, on.site, on.tokens, seed=1, tls=Tls.trusting(on.ca, NAME))
        nursery.start_soon(play)
        while not on.service.overview().contacts.engaged:
            await trio.sleep(0.05)
        nursery.cancel_scope.cancel()


async def test_a_certificate_that_is_not_trusted_ends_it_with_what_to_do(tmp_path: Path) -> None:
    async with served(tmp_path) as on:
        for tls in (Tls.trusting(None, NAME), Tls.trusting(on.ca)):
            with pytest.raises(FloodError, match=r"not trusted \(.*; --tls-ca says who vouches for it"):
                await flood_at(on, tls)
            with pytest.RaisesGroup(FloodError, flatten_subgroups=True, allow_unwrapped=True):
                await run_players(on.site, on.tokens, seed=1, tls=tls)


async def test_a_gateway_and_a_flood_that_do_not_speak_the_same_say_so(tmp_path: Path) -> None:
    async with served(tmp_path) as on:
        with pytest.raises(FloodError, match=r"if it has a certificate, speak TLS \(--tls, --tls-ca\)"):
            await flood_at(on, None)
        ask = partial(learn_numbers, SCENARIO, Address("127.0.0.1", on.port), on.tokens)
        with pytest.raises(FloodError, match="if it has a certificate, only the crowd in Python can play"):
            await trio.to_thread.run_sync(ask)
        async with trio.open_nursery() as nursery:
            ports = await nursery.start(Gateway(on.service, Issuer(KEY, on.site.name)).serve, Bind("::1", 0))
            with pytest.raises(FloodError, match="no gateway at ::1:"):
                await flood_at(on, Tls.trusting(on.ca, NAME), "::1", ports.tcp)
            nursery.cancel_scope.cancel()


def test_the_client_in_rust_says_that_it_speaks_plain_text() -> None:
    address = Address("127.0.0.1", 1, Tls.trusting(None))
    with pytest.raises(InputError, match="--tls: the client in Rust speaks plain text only"):
        play_rust(SCENARIO, address, Tokens({}, ""), edges=1, watch=lambda _: None)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["--tls"], "--tls goes with --target"),
        (["--target", "127.0.0.1:1", "--tls-ca", "nowhere.pem"], "--tls-ca: nowhere.pem: No such file"),
        (["--target", "127.0.0.1:1", "--tls-ca", __file__], "expected certificates in PEM form"),
    ],
)
def test_wrong_flags_are_named(words: list[str], error: str) -> None:
    parser = argparse.ArgumentParser()
    cli_flood.add_arguments(parser)
    tokens = ["--token", Issuer(KEY, "x").issue("edge", "flood", 60, any_agent=True)]
    for name in SCENARIO.channels:
        tokens += ["--token", Issuer(KEY, "x").issue("plugin", "flood", 60, channel=name)]
    given = [*words, *(tokens if "--target" in words else [])]
    with pytest.raises(InputError, match=error):
        cli_flood.run(parser.parse_args(["smoke", *given]))


def test_players_of_a_gateway_without_a_certificate_take_no_ca(tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    players.add_arguments(parser)
    site = small_site(tmp_path, SMALL_SITE)
    assert players.tls_for(site, parser.parse_args([])) is None
    with pytest.raises(ConfigError, match="the gateway has no certificate"):
        players.tls_for(site, parser.parse_args(["--tls-ca", "ca.pem"]))

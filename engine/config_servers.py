"""The sections of the configuration file about servers, where one is called, and what the journal keeps."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from engine.config_table import Table
from engine.config_types import (
    Address,
    Certificate,
    Gateway,
    JournalSection,
    Network,
    Ops,
    Rate,
    SiteConfig,
    Stats,
    StoreSection,
    Web,
)
from engine.journal.contract import FORMAT_VERSION, WRITABLE_FORMATS, unwritable

POSTGRESQL: Final = "postgresql+psycopg"
"""How the URL of a PostgreSQL store begins."""
MAX_RATE = 1_000_000
"""More arrivals a second than the core can decide."""
MAX_PROXIES: Final = 1_000


def read_web(table: Table, folder: Path) -> Web:
    """Read `[web]`; certificates are looked for from `folder`."""
    web = Web(
        bind=_address(table, "bind", Address("127.0.0.1", 8700)),
        insecure=table.boolean("insecure", default=False),
        certificate=_certificate(table, folder),
        trusted_proxies=_networks(table, "trusted_proxies"),
    )
    table.finish()
    return web


def read_gateway(table: Table, folder: Path, data: Path) -> Gateway:
    """Read `[gateway]`; certificates are looked for from `folder`, the socket from `data`."""
    bind = _address(table, "bind", Address("127.0.0.1", 8701))
    insecure = table.boolean("insecure", default=False)
    certificate = _certificate(table, folder)
    socket = table.optional_text("socket")
    gateway = Gateway(
        bind=bind,
        insecure=insecure,
        certificate=certificate,
        socket=None if socket is None else data / socket,
        max_connections=table.integer("max_connections", 1, 1_000_000, 10_000),
        max_from_address=table.integer("max_from_address", 1, 1_000_000, 1_000),
        arrivals=read_rate(table, "arrivals"),
        connection_arrivals=read_rate(table, "connection_arrivals"),
    )
    table.finish()
    return gateway


def read_rate(table: Table, what: str) -> Rate | None:
    """Read `WHAT_per_s` and `WHAT_burst`; without the first there is no limit."""
    per_s = table.optional_integer(f"{what}_per_s", 1, MAX_RATE)
    burst = table.optional_integer(f"{what}_burst", 1, MAX_RATE)
    if per_s is not None:
        return Rate(per_s, burst or per_s)
    if burst is not None and f"{what}_per_s" not in table.values:
        table.error(f"{what}_burst", f"goes with {what}_per_s; give that too")
    return None


def read_ops(table: Table) -> Ops:
    """Read `[ops]`."""
    table.known.append("bind")
    ops = Ops(
        bind=_address(table, "bind", Address("127.0.0.1", 8703)) if "bind" in table.values else None,
        insecure=table.boolean("insecure", default=False),
        stuck_after_s=table.integer("stuck_after_s", 0, 3_600, 30),
        check_every_s=table.integer("check_every_s", 0, 86_400, 60),
        request_log=table.boolean("request_log", default=False),
    )
    table.finish()
    return ops


def read_stats(table: Table) -> Stats:
    """Read `[stats]`."""
    stats = Stats(
        bind=_address(table, "bind", Address("127.0.0.1", 8702)),
        insecure=table.boolean("insecure", default=False),
        flush_ms=table.integer("flush_ms", 10, 60_000, 250),
        query_timeout_ms=table.integer("query_timeout_ms", 100, 600_000, 10_000),
        max_rows=table.integer("max_rows", 1, 1_000_000, 10_000),
        max_reply_bytes=table.integer("max_reply_bytes", 1_024, 1 << 30, 16 << 20),
        memory_limit_mb=table.integer("memory_limit_mb", 64, 1 << 20, 512),
        process_limit_mb=table.integer("process_limit_mb", 512, 1 << 24, 4_096),
    )
    table.finish()
    return stats


def read_store(table: Table, folder: Path) -> StoreSection:
    """Read `[store]`; the file of the URL is relative to the configuration's."""
    url, url_file, url_env = (table.optional_text(key) for key in ("url", "url_file", "url_env"))
    if sum(one is not None for one in (url, url_file, url_env)) > 1:
        table.error("url", "say it once: url, url_file or url_env")
    if url is not None:
        if fault := store_url_fault(url):
            table.error("url", fault)
        elif urlsplit(url).password is not None:
            table.error("url", "passwords do not stand in this file; use url_file or url_env")
    region = table.optional_text("phone_region")
    if region is not None and not (len(region) == 2 and region.isascii() and region.isupper()):
        table.error("phone_region", f'expected two capital letters, as "CN", got "{region}"')
    attachment_mb = table.integer("attachment_mb", 0, 100, 20)
    table.finish()
    file = None if url_file is None else folder / url_file
    return StoreSection(url, file, url_env, region, attachment_mb << 20)


def store_url_fault(url: str) -> str | None:
    """Say what is wrong with a store's URL; None = nothing."""
    try:
        parts = urlsplit(url)
        ok = parts.scheme == POSTGRESQL and len(parts.path) > 1 and (parts.port is None or parts.port > 0)
    except ValueError:
        ok = False
    return None if ok else f"expected {POSTGRESQL}://user@host:port/database; without it SQLite is used"


def read_journal(table: Table) -> JournalSection:
    """Read `[journal]`."""
    journal = JournalSection(
        snapshot_every=table.integer("snapshot_every", 10, 10_000_000, 100_000),
        segment_bytes=table.integer("segment_bytes", 1 << 16, 1 << 36, 512 << 20),
        segment_batches=table.integer("segment_batches", 10, 1_000_000_000, 2_000_000),
        days=table.integer("days", 1, 36_500, 400),
        max_bytes=table.integer("max_bytes", 1 << 20, 1 << 60, 1 << 40),
        reserve_bytes=table.integer("reserve_bytes", 0, 1 << 30, 8 << 20),
        format=table.integer("format", 1, 1_000_000, FORMAT_VERSION),
    )
    if journal.format not in WRITABLE_FORMATS:
        table.error("format", unwritable(journal.format))
    table.finish()
    return journal


def _address(table: Table, key: str, default: Address) -> Address:
    text = table.text(key, str(default))
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if colon and host and port.isascii() and port.isdigit() and int(port) <= 65_535:
        return Address(host, int(port))
    table.error(key, f'expected "host:port" with a port 0..65535, got "{text}"')
    return default


def _certificate(table: Table, folder: Path) -> Certificate | None:
    chain, key = table.optional_text("certificate"), table.optional_text("key")
    if chain is not None and key is not None:
        return Certificate(folder / chain, folder / key)
    if chain is not None or key is not None:
        given, missing = ("certificate", "key") if key is None else ("key", "certificate")
        table.error(missing, f"is missing beside {given}; name both PEM files, or neither")
    return None


def _networks(table: Table, key: str) -> tuple[Network, ...]:
    networks = []
    for at, text in table.texts(key):
        try:
            networks.append(ip_network(text))
        except ValueError:
            table.error(at, f'expected an address or a network such as "10.0.0.0/8", got "{text}"')
    if len(networks) > MAX_PROXIES:
        table.error(key, f"{len(networks)} are listed, at most {MAX_PROXIES} can be")
    return tuple(networks)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a host."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def check_addresses(file: Table, config: SiteConfig) -> None:
    """Report two servers at one address, and plain text where others can read it."""
    taken: dict[Address, str] = {}
    for path, address in (
        ("web.bind", config.web.bind),
        ("gateway.bind", config.gateway.bind),
        ("stats.bind", config.stats.bind),
        ("ops.bind", config.ops.bind),
    ):
        if address is None:
            continue
        if address.port and address in taken:
            file.error(path, f"{address} is already {taken[address]}; choose another port")
        taken.setdefault(address, path)
    tls = "give certificate and key, or bind 127.0.0.1 behind a proxy that speaks TLS"
    plain = "bind 127.0.0.1 and reach it through a proxy that speaks TLS, or a tunnel"
    for path, server, secure, instead in (
        ("web", config.web, config.web.certificate is not None, tls),
        ("gateway", config.gateway, config.gateway.certificate is not None, tls),
        ("stats", config.stats, False, plain),
        ("ops", config.ops, False, plain),
    ):
        bind = server.bind
        if bind is None or secure or server.insecure or is_loopback(bind.host):
            continue
        file.error(
            f"{path}.bind",
            f"{bind} would be plain text for everybody on the way; {instead}. "
            f"If the network is safe as it is, say insecure = true in [{path}]",
        )

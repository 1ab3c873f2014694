"""The sections of the configuration file that say where servers listen."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Final

from engine.config_table import Table
from engine.config_types import Address, Certificate, Gateway, Network, Ops, SiteConfig, Stats, Web

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
    table.finish()
    return Gateway(bind, insecure, certificate, None if socket is None else data / socket)


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

"""The sections of the configuration file that say where servers listen and what the journal keeps."""

from __future__ import annotations

from pathlib import Path

from engine.config_table import Table
from engine.config_types import Address, Gateway, JournalSection, SiteConfig, Stats, Web


def read_web(table: Table) -> Web:
    """Read `[web]`."""
    web = Web(bind=_address(table, "bind", Address("127.0.0.1", 8700)))
    table.finish()
    return web


def read_gateway(table: Table, data: Path) -> Gateway:
    """Read `[gateway]`."""
    bind = _address(table, "bind", Address("127.0.0.1", 8701))
    socket = table.optional_text("socket")
    table.finish()
    return Gateway(bind=bind, socket=None if socket is None else data / socket)


def read_stats(table: Table) -> Stats:
    """Read `[stats]`."""
    stats = Stats(
        bind=_address(table, "bind", Address("127.0.0.1", 8702)),
        flush_ms=table.integer("flush_ms", 10, 60_000, 250),
        query_timeout_ms=table.integer("query_timeout_ms", 100, 600_000, 10_000),
        max_rows=table.integer("max_rows", 1, 1_000_000, 10_000),
        max_reply_bytes=table.integer("max_reply_bytes", 1_024, 1 << 30, 16 << 20),
        memory_limit_mb=table.integer("memory_limit_mb", 64, 1 << 20, 512),
        process_limit_mb=table.integer("process_limit_mb", 512, 1 << 24, 4_096),
    )
    table.finish()
    return stats


def read_journal(table: Table) -> JournalSection:
    """Read `[journal]`."""
    journal = JournalSection(
        snapshot_every=table.integer("snapshot_every", 10, 10_000_000, 100_000),
        segment_bytes=table.integer("segment_bytes", 1 << 16, 1 << 36, 512 << 20),
        segment_batches=table.integer("segment_batches", 10, 1_000_000_000, 2_000_000),
        days=table.integer("days", 1, 36_500, 400),
        max_bytes=table.integer("max_bytes", 1 << 20, 1 << 60, 1 << 40),
        reserve_bytes=table.integer("reserve_bytes", 0, 1 << 30, 8 << 20),
    )
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


def check_addresses(file: Table, config: SiteConfig) -> None:
    """Report two servers at one address."""
    taken: dict[Address, str] = {}
    for path, address in (
        ("web.bind", config.web.bind),
        ("gateway.bind", config.gateway.bind),
        ("stats.bind", config.stats.bind),
    ):
        if address.port and address in taken:
            file.error(path, f"{address} is already {taken[address]}; choose another port")
        taken.setdefault(address, path)

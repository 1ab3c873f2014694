"""Ports for a site of one's own: no other flood, test or outgoing connection of this machine gets them."""

import random
import socket
from pathlib import Path

from loadtest.errors import FloodError
from loadtest.site_file import LOOPBACK

LOWEST, END = 10_000, 65_536
EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
"""What the kernel gives to whoever connects, or binds port 0."""


def free_ports(count: int) -> range:
    """Finds ports in a row that are free, and keeps them until this process ends.

    Each is claimed by the name of a socket, which the kernel gives to one process at a time and takes back
    when that process ends; so two processes that ask at the same moment get different ones. They lie below
    the ports that the kernel gives away, so none is lost to a connection before the site listens on it, or
    while a site that was killed is not yet there again.

    Args:
        count: how many.

    Raises:
        FloodError: no row is free.
    """
    rows = _rows(count)
    for start in random.sample(rows, len(rows)):
        row = range(start, start + count)
        if _claimed(row):
            return row
    raise FloodError(f"no {count} ports in a row are free from {rows.start} to {rows.stop + count - 2}")


def _rows(count: int) -> range:
    """Returns the first port of every row; where the kernel may give away everything, of all of them."""
    first_ephemeral = int(EPHEMERAL.read_text("ascii").split()[0])
    end = first_ephemeral if first_ephemeral >= LOWEST + count else END
    return range(LOWEST, end - count + 1)


def _claimed(row: range) -> bool:
    """Claims every port of a row, or none."""
    claims: list[socket.socket] = []
    for port in row:
        if (claim := _claim(port)) is None:
            for one in claims:
                one.close()
            return False
        claims.append(claim)
    for one in claims:
        one.detach()  # and so it stays open
    return True


def _claim(port: int) -> socket.socket | None:
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        claim.bind(f"\0paidui port {port}")
        with socket.socket() as probe:
            # As servers do: a connection of the past does not make a port taken.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((LOOPBACK, port))
    except OSError:
        claim.close()
        return None
    return claim

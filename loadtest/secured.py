"""TLS for a link: OpenSSL over a socket that never blocks, used as a plain one is."""

import argparse
import ssl
from dataclasses import dataclass
from pathlib import Path
from socket import socket
from typing import TypeAlias

import trio

from engine.tls import client_context
from loadtest.errors import InputError


@dataclass(frozen=True, slots=True)
class Tls:
    """What a link speaks TLS with.

    Attributes:
        context: whom it trusts.
        name: whose certificate it expects; None = the address's.
    """

    context: ssl.SSLContext
    name: str | None = None

    @classmethod
    def trusting(cls, ca: Path | None, name: str | None = None) -> "Tls":
        """Trusts who stands in a PEM file, or whom the system trusts.

        Raises:
            InputError: the file cannot be read, or holds no certificate.
        """
        try:
            return cls(client_context(None if ca is None else str(ca)), name)
        except ssl.SSLError as error:
            raise InputError(f"--tls-ca: {ca}: expected certificates in PEM form") from error
        except OSError as error:
            raise InputError(f"--tls-ca: {ca}: {error.strerror}; name a PEM file") from error


def add_tls_options(parser: argparse._ActionsContainer) -> None:
    """Adds `--tls-ca` and `--tls-name`."""
    parser.add_argument(
        "--tls-ca",
        type=Path,
        metavar="FILE",
        help="who may vouch for the gateway's certificate, as PEM (default: whom the system trusts)",
    )
    parser.add_argument(
        "--tls-name", metavar="NAME", help="whose name stands in that certificate (default: the address)"
    )


class SecuredSocket:
    """A socket that has shaken hands; what would block is a `BlockingIOError`, as with a plain one."""

    def __init__(self, secured: ssl.SSLSocket) -> None:
        """Takes it over."""
        self._secured = secured

    def fileno(self) -> int:
        """What to wait for."""
        return self._secured.fileno()

    def send(self, data: bytes | bytearray) -> int:
        """Sends some of it; who met an error gives the same bytes again, and what has come behind them."""
        try:
            return self._secured.send(data)
        except (ssl.SSLWantWriteError, ssl.SSLWantReadError) as error:
            raise BlockingIOError from error

    def recv(self, size: int) -> bytes:
        """Returns what has come; with less than a record's 16 KiB some may stay behind unseen."""
        try:
            return self._secured.recv(size)
        except (ssl.SSLWantWriteError, ssl.SSLWantReadError) as error:
            raise BlockingIOError from error

    def close(self) -> None:
        """Closes it without a word."""
        self._secured.close()


Wire: TypeAlias = socket | SecuredSocket
"""What a link is carried by."""


async def secured(plain: socket, tls: Tls, host: str) -> SecuredSocket:
    """Shakes hands over a connected socket, which is used up.

    Raises:
        OSError: the other side does not speak TLS, or is not who it should be (`ssl.SSLError`).
    """
    over = tls.context.wrap_socket(plain, server_hostname=tls.name or host, do_handshake_on_connect=False)
    try:
        while True:
            try:
                over.do_handshake()
            except ssl.SSLWantReadError:
                await trio.lowlevel.wait_readable(over)
            except ssl.SSLWantWriteError:
                await trio.lowlevel.wait_writable(over)
            else:
                return SecuredSocket(over)
    except BaseException:
        over.close()
        raise

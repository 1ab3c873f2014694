"""TLS for the servers: contexts from PEM files, read again on demand, and streams that carry it.

TLS 1.2 is the least. A certificate is read again into the context in use, so that connections that are open
stay and new ones get the new one; files that do not fit leave the old one in force.
"""

from __future__ import annotations

import ssl
from typing import Final, TypeAlias

import structlog
import trio

from engine.config_types import Certificate
from engine.errors import ConfigError

_log = structlog.get_logger(__name__)

HANDSHAKE_S: Final = 5.0
"""Who has not finished the handshake by then is cut."""


class ServerTls:
    """What a server speaks TLS with.

    Args:
        certificate: the PEM files.
        setting: what the configuration calls the server, `web`.

    Attributes:
        context: for new connections.
        setting: as given.

    Raises:
        ConfigError: the files cannot be read or do not belong together.
    """

    def __init__(self, certificate: Certificate, setting: str) -> None:
        self._certificate = certificate
        self.setting = setting
        self.context = self._read(None)

    def reload(self) -> None:
        """Read the files again.

        Raises:
            ConfigError: they cannot be used; the certificate before stays.
        """
        self._read(None)  # a trial: a context that has taken half of a pair is of no use
        self._read(self.context)

    def _read(self, into: ssl.SSLContext | None) -> ssl.SSLContext:
        context = into or server_context()
        chain, key = self._certificate.chain, self._certificate.key
        for name, path in (("certificate", chain), ("key", key)):
            try:
                path.read_bytes()
            except OSError as error:
                why = f"{path}: {error.strerror}; name a PEM file that this user can read"
                raise ConfigError([f"{self.setting}.{name}: {why}"]) from error
        try:
            context.load_cert_chain(chain, key, password=_no_password)
        except (ssl.SSLError, ValueError) as error:
            why = f"{chain} is no PEM certificate, or {key} is not its key, or has a password"
            raise ConfigError([f"{self.setting}.certificate: {why} ({_reason(error)})"]) from error
        return context


def tls_of(certificate: Certificate | None, setting: str) -> ServerTls | None:
    """Return what a server of the configuration speaks TLS with; None = it speaks plain text.

    Raises:
        ConfigError: the files cannot be used.
    """
    return None if certificate is None else ServerTls(certificate, setting)


def server_context() -> ssl.SSLContext:
    """A context for a server: TLS 1.2 or later, HTTP/1.1 where the client asks what is spoken."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    return context


def client_context(ca: str | None = None) -> ssl.SSLContext:
    """A context for a client.

    Args:
        ca: a PEM file with who may vouch for the server; None = whom the system trusts.
    """
    context = ssl.create_default_context(cafile=ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class TlsStream(trio.abc.HalfCloseableStream):
    """TLS over a socket, with what the servers ask of a stream.

    It closes as HTTP does it: nobody waits for a close-notify, so no client that is gone holds us up.

    Attributes:
        socket: the socket below.
    """

    def __init__(
        self,
        stream: trio.SocketStream,
        context: ssl.SSLContext,
        *,
        server_side: bool = False,
        server_hostname: str | None = None,
    ) -> None:
        self.socket = stream.socket
        self._tls = trio.SSLStream(
            stream, context, server_side=server_side, server_hostname=server_hostname, https_compatible=True
        )

    async def do_handshake(self) -> None:
        """Agree on keys; `trio.BrokenResourceError` when the two do not come together."""
        await self._tls.do_handshake()

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes."""
        await self._tls.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until there is room for more."""
        await self._tls.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Return what has come; nothing = the other side has closed."""
        return await self._tls.receive_some(max_bytes)

    async def send_eof(self) -> None:
        """TLS has no half of an end: what was sent is out, and closing says the rest."""
        await trio.lowlevel.checkpoint()

    async def aclose(self) -> None:
        """Say good-bye and close."""
        await self._tls.aclose()


Stream: TypeAlias = trio.SocketStream | TlsStream
"""What a connection is carried by."""


async def accepted(stream: trio.SocketStream, tls: ServerTls | None) -> Stream | None:
    """Return what an accepted connection is spoken over; None = the handshake failed, it is closed."""
    if tls is None:
        return stream
    secured = TlsStream(stream, tls.context, server_side=True)
    with trio.move_on_after(HANDSHAKE_S):
        try:
            await secured.do_handshake()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            await trio.aclose_forcefully(stream)
            return None
        return secured
    await trio.aclose_forcefully(stream)
    return None


def _no_password() -> str:
    """Instead of asking at a terminal that nobody sits at."""
    raise ValueError("the key needs a password")


def _reason(error: Exception) -> str:
    return str(getattr(error, "reason", None) or error)


def read_again(certificate: ServerTls) -> None:
    """Read a certificate's files again and log it; those that cannot be used change nothing."""
    try:
        certificate.reload()
    except ConfigError as error:
        _log.error("a certificate was not read again, the one before stays", errors=error.errors)
    else:
        _log.info("a certificate was read again", server=certificate.setting)

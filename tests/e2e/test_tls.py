"""TLS of the pages and the gateway, over real sockets of the real process."""

from __future__ import annotations

import signal
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio
import trio.testing
import trustme

from engine import model
from engine.auth import Tokens
from engine.config import Address
from engine.config_types import Certificate
from engine.errors import ConfigError
from engine.gateway import Gateway
from engine.testing.fixtures import small_service
from engine.tls import ServerTls, client_context
from engine.web import serve_web
from engine.web_mounts import Mounts
from engine.wire_client import Disconnected, connect
from tests.e2e.serve_process import Serve


def write(folder: Path, issued: trustme.LeafCert) -> Certificate:
    """The PEM files of a certificate, over those that stand there."""
    chain, key = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    key.write_bytes(issued.private_key_pem.bytes())
    return Certificate(chain, key)


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.mark.slow  # a process that starts and stops
async def test_both_servers_speak_tls_and_take_a_new_certificate(tmp_path: Path) -> None:
    authority, other = trustme.CA(), trustme.CA()
    write(tmp_path, authority.issue_cert("127.0.0.1"))
    pem = 'certificate = "chain.pem"\nkey = "key.pem"'
    site = Serve(tmp_path, web_more=pem, gateway_more=pem)
    site.url = f"https://127.0.0.1:{site.web}"
    gateway = f"127.0.0.1:{site.gateway}"
    async with site.running("--log", "json"):
        assert (await site.ask("/readyz", verify=trusting(authority))).json() == {"ok": True}
        with pytest.raises(httpx.ConnectError) as refused:
            await site.ask("/readyz", verify=trusting(other))
        assert any(isinstance(one, ssl.SSLCertVerificationError) for one in causes(refused.value))
        with pytest.raises(httpx.RemoteProtocolError):
            async with httpx.AsyncClient(trust_env=False) as client:
                await client.get(f"http://127.0.0.1:{site.web}/readyz")

        token = site.token("plugin", channel="line")
        async with connect(gateway, token, "line", tls=trusting(authority)) as line:
            names = line.welcome.names
            arrive = model.Arrive(
                channel=names["channel"]["line"], key=bytes(16), queue=names["queue"]["all"]
            )
            assert await line.request(arrive) == 1
            with pytest.raises(ssl.SSLCertVerificationError):
                async with connect(gateway, token, "line", tls=trusting(other)):
                    pass
            with pytest.raises(Disconnected):
                async with connect(gateway, token, "line"):
                    pass

            write(tmp_path, other.issue_cert("127.0.0.1"))
            site.tell(signal.SIGHUP)
            await until_taken(site, trusting(other))
            async with connect(gateway, token, "line", tls=trusting(other)):
                pass
            # What was open stays, and both files are refused when one of them does not fit.
            assert await line.request(arrive) == 1
            (tmp_path / "key.pem").write_bytes(authority.issue_cert("127.0.0.1").private_key_pem.bytes())
            site.tell(signal.SIGHUP)
            await until_logged(site, "the one before stays")
            async with connect(gateway, token, "line", tls=trusting(other)):
                pass
        site.tell(signal.SIGINT)
        assert await site.end() == 0


def causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


async def until_logged(site: Serve, words: str) -> None:
    with trio.fail_after(30):
        while words not in site.log():  # another process writes it
            await trio.sleep(0.05)


async def until_taken(site: Serve, context: ssl.SSLContext) -> None:
    """Until both servers have said so, and the pages show it."""
    with trio.fail_after(30):
        while site.log().count("was read again") < 2:  # another process writes it
            await trio.sleep(0.05)
    assert (await site.ask("/livez", verify=context)).status_code == 200


@pytest.fixture
def pems(tmp_path: Path) -> tuple[trustme.CA, Certificate]:
    authority = trustme.CA()
    return authority, write(tmp_path, authority.issue_cert("127.0.0.1"))


async def test_old_tls_is_refused(pems: tuple[trustme.CA, Certificate]) -> None:
    authority, certificate = pems
    context = trusting(authority)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    async with served(ServerTls(certificate, "web")) as port, httpx.AsyncClient(verify=context) as client:
        assert (await client.get(f"https://127.0.0.1:{port}/")).text == "https"
    old = trusting(authority)
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    async with served(ServerTls(certificate, "web")) as port, httpx.AsyncClient(verify=old) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"https://127.0.0.1:{port}/")


async def test_who_does_not_shake_hands_holds_up_nobody(
    pems: tuple[trustme.CA, Certificate], autojump_clock: trio.testing.MockClock
) -> None:
    _, certificate = pems
    async with served(ServerTls(certificate, "web")) as port:
        silent = await trio.open_tcp_stream("127.0.0.1", port)
        async with silent:
            assert await silent.receive_some() == b""


async def test_a_gateway_with_tls_keeps_its_unix_socket_plain(
    tmp_path: Path, pems: tuple[trustme.CA, Certificate]
) -> None:
    authority, certificate = pems
    tokens = Tokens(b"k" * 32, "small")
    async with small_service(tmp_path) as service, trio.open_nursery() as nursery:
        serve = Gateway(service, tokens).serve
        path = tmp_path / "gateway.sock"

        async def start(task_status: Any) -> None:
            tls = ServerTls(certificate, "gateway")
            await serve(Address("127.0.0.1", 0), path, tls=tls, task_status=task_status)

        ports = await nursery.start(start)
        token = tokens.issue("follower", "f", 60)
        async with connect(path, token, "f") as local:
            assert local.welcome.site == "small"
        async with connect(f"127.0.0.1:{ports.tcp}", token, "f", tls=trusting(authority)) as remote:
            assert remote.welcome.site == "small"
        nursery.cancel_scope.cancel()


FAULTS: Mapping[str, str] = {
    "missing": r"^web\.key: .*key\.pem: No such file or directory; name a PEM file",
    "another": r"^web\.certificate: .*, or .* is not its key, or has a password",
    "text": r"^web\.certificate: .* is no PEM certificate, or ",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_files_that_do_not_fit_are_named(
    fault: str, tmp_path: Path, pems: tuple[trustme.CA, Certificate]
) -> None:
    _, certificate = pems
    if fault == "missing":
        certificate.key.unlink()
    elif fault == "another":
        certificate.key.write_bytes(trustme.CA().issue_cert("x").private_key_pem.bytes())
    else:
        certificate.chain.write_text("hello")
    with pytest.raises(ConfigError, match=FAULTS[fault]):
        ServerTls(certificate, "web")


def test_a_client_trusts_whom_it_is_told(tmp_path: Path) -> None:
    authority = trustme.CA()
    path = tmp_path / "ca.pem"
    path.write_bytes(authority.cert_pem.bytes())
    context = client_context(str(path))
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.cert_store_stats()["x509_ca"] == 1


@asynccontextmanager
async def served(tls: ServerTls) -> AsyncIterator[int]:
    """A page that says by which scheme it was asked for."""

    async def page(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["scheme"].encode()})

    mounts, shutdown = Mounts(), trio.Event()
    mounts.page("/", page)

    async def start(task_status: Any) -> None:
        await serve_web(mounts, Address("127.0.0.1", 0), shutdown, tls=tls, task_status=task_status)

    async with trio.open_nursery() as nursery:
        yield await nursery.start(start)
        shutdown.set()

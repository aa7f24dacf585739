"""TLS as the service asks for it: who trusts whom, and by which means."""

import asyncio
import socket
import ssl
from pathlib import Path

import pytest

from agents.tls import client_context, new_authority, server_context

DOMAIN = "front-end.service.example"


@pytest.fixture
def server(tmp_path: Path) -> ssl.SSLContext:
    """A server with a certificate of the authority in ca.pem."""
    authority = new_authority()
    authority.write(tmp_path / "ca.pem")
    authority.issue(DOMAIN, tmp_path / "server.pem")
    return server_context(tmp_path / "server.pem", tmp_path / "server.tls")


def _shake_hands(
    server: ssl.SSLContext, client: ssl.SSLContext, domain: str = DOMAIN
) -> tuple[str | None, str]:
    """Version and suite of a connection between the two."""

    async def connect() -> tuple[str | None, str]:
        def closed(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        listening = await asyncio.start_server(closed, "127.0.0.1", ssl=server)
        async with listening:
            port = listening.sockets[0].getsockname()[1]
            _, writer = await asyncio.open_connection(
                "127.0.0.1", port, ssl=client, server_hostname=domain
            )
            used: ssl.SSLObject = writer.get_extra_info("ssl_object")
            found = used.version(), used.cipher()
            writer.close()
        assert found[1]
        return found[0], found[1][0]

    return asyncio.run(connect())


def test_it_is_tls_1_2_with_aes_256_gcm(server: ssl.SSLContext, tmp_path: Path) -> None:
    client = client_context(tmp_path / "ca.pem", tmp_path / "client.tls")
    assert _shake_hands(server, client) == ("TLSv1.2", "ECDHE-ECDSA-AES256-GCM-SHA384")


def test_a_client_with_a_newer_version_comes_down_to_it(
    server: ssl.SSLContext, tmp_path: Path
) -> None:
    anybody = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    assert _shake_hands(server, anybody) == ("TLSv1.2", "ECDHE-ECDSA-AES256-GCM-SHA384")


def test_a_client_with_weaker_ciphers_only_is_refused(
    server: ssl.SSLContext, tmp_path: Path
) -> None:
    weak = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    weak.maximum_version = ssl.TLSVersion.TLSv1_2
    weak.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        _shake_hands(server, weak)


def test_a_client_that_does_not_know_the_authority_refuses(
    server: ssl.SSLContext, tmp_path: Path
) -> None:
    new_authority("another CA").write(tmp_path / "other.pem")
    stranger = client_context(tmp_path / "other.pem", tmp_path / "client.tls")
    assert _refused(server, stranger) == "TLSV1_ALERT_UNKNOWN_CA"
    assert stranger.refusal == "unable to get local issuer certificate"


def test_a_client_refuses_a_server_of_another_name(server: ssl.SSLContext, tmp_path: Path) -> None:
    client = client_context(tmp_path / "ca.pem", tmp_path / "client.tls")
    assert _refused(server, client, "telemetry.service.example") == "SSLV3_ALERT_BAD_CERTIFICATE"
    assert client.refusal
    assert "Hostname mismatch" in client.refusal


def test_a_client_that_trusts_refuses_nothing(server: ssl.SSLContext, tmp_path: Path) -> None:
    client = client_context(tmp_path / "ca.pem", tmp_path / "client.tls")
    _shake_hands(server, client)
    assert client.refusal is None


def _refused(server: ssl.SSLContext, client: ssl.SSLContext, domain: str = DOMAIN) -> str:
    """What the server is told by a client that ends the handshake."""

    async def connect() -> str:
        told = asyncio.get_running_loop().create_future()
        with socket.create_server(("127.0.0.1", 0)) as listening:
            serving = asyncio.to_thread(_serve_once, listening, server)
            asyncio.ensure_future(serving).add_done_callback(
                lambda done: told.set_result(done.result())
            )
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await asyncio.open_connection(
                    *listening.getsockname(), ssl=client, server_hostname=domain
                )
            return str(await told)

    return asyncio.run(connect())


def _serve_once(listening: socket.socket, server: ssl.SSLContext) -> str:
    connection, _ = listening.accept()
    with connection, pytest.raises(ssl.SSLError) as caught:
        server.wrap_socket(connection, server_side=True)
    return str(caught.value.reason)

"""TLS as the service asks for it: who trusts whom, and by which means."""

import asyncio
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
    new_authority().write(tmp_path / "other.pem")
    stranger = client_context(tmp_path / "other.pem", tmp_path / "client.tls")
    with pytest.raises(ssl.SSLCertVerificationError, match="certificate verify failed"):
        _shake_hands(server, stranger)


def test_a_client_refuses_a_server_of_another_name(server: ssl.SSLContext, tmp_path: Path) -> None:
    client = client_context(tmp_path / "ca.pem", tmp_path / "client.tls")
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        _shake_hands(server, client, "telemetry.service.example")

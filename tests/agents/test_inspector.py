"""A box that reads HTTPS shows each client the name that it asked for, under its own CA."""

import ssl
from pathlib import Path

import pytest
from cryptography import x509

from agents.inspector import Inspector
from agents.tls import client_context, new_authority


@pytest.fixture
def inspector(tmp_path: Path) -> Inspector:
    """A box that trusts the authority in run.pem; its own is in own.pem."""
    new_authority("of the run").write(tmp_path / "run.pem")
    own, run = tmp_path / "own.pem", tmp_path / "run.pem"
    return Inspector("of the box", own, run, tmp_path / "box.tls")


def shown(inspector: Inspector, folder: Path, trusted: str, name: str) -> str:
    """Whom a client that trusts this authority is shown, or why it refuses."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    trust = client_context(folder / f"{trusted}.pem", folder / "client.tls")
    client = trust.wrap_bio(to_client, to_server, server_hostname=name)
    server = inspector.context().wrap_bio(to_server, to_client, server_side=True)
    for end in (client, server, client, server, client):
        try:
            end.do_handshake()
        except ssl.SSLError:
            continue
    if trust.refusal:
        return trust.refusal
    der = client.getpeercert(binary_form=True)
    assert der
    certificate = x509.load_der_x509_certificate(der)
    return f"{certificate.issuer.rfc4514_string()}: {certificate.subject.rfc4514_string()}"


@pytest.mark.parametrize("name", ["front-end.service.example", "telemetry.service.example"])
def test_who_trusts_it_is_shown_the_name_asked_for(
    inspector: Inspector, tmp_path: Path, name: str
) -> None:
    assert shown(inspector, tmp_path, "own", name) == f"CN=of the box: CN={name}"


def test_who_trusts_the_run_only_refuses_it(inspector: Inspector, tmp_path: Path) -> None:
    found = shown(inspector, tmp_path, "run", "front-end.service.example")
    assert found == "unable to get local issuer certificate"

"""Certificates and alerts ahead of encryption, out of real handshakes."""

import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from results.protocols.tls_clear import certificate, refusal
from tests.results.tls_sessions import NAME, Flight, handshake, only, segments
from tests.results.tls_sessions import certificate as issue


def shaken(folder: Path, trusted: bool) -> list[Flight]:
    """A handshake with a client that trusts the server, or does not and says so."""
    own = issue(folder / "own.pem", ec.generate_private_key(ec.SECP256R1()))
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(own)
    client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client_context.maximum_version = ssl.TLSVersion.TLSv1_2
    if trusted:
        client_context.check_hostname, client_context.verify_mode = False, ssl.CERT_NONE
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server, server_hostname=NAME)
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    if trusted:
        return handshake(client, server, to_client, to_server)
    return _refused(client, server, to_client, to_server)


def _refused(
    client: ssl.SSLObject, server: ssl.SSLObject, to_client: ssl.MemoryBIO, to_server: ssl.MemoryBIO
) -> list[Flight]:
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    hello = to_server.read()
    to_server.write(hello)
    with pytest.raises(ssl.SSLWantReadError):
        server.do_handshake()
    answer = to_client.read()
    to_client.write(answer)
    with pytest.raises(ssl.SSLCertVerificationError):
        client.do_handshake()
    return [(True, hello), (False, answer), (True, to_server.read())]


@pytest.mark.parametrize("mss", [1460, 100])
def test_a_refusal_is_read_with_its_certificate(tmp_path: Path, mss: int) -> None:
    sent = segments(shaken(tmp_path, trusted=False), mss)
    found = only(tmp_path / "a.pcap", sent)
    shown, said = certificate(found), refusal(found)
    assert shown
    assert said
    assert NAME in shown.certificate.subject.rfc4514_string()
    # A certificate that signs itself and that nobody knows.
    assert (said.description, said.words) == (48, "unknown_ca")
    # The rows are those in which each was complete: the alert is the last segment.
    assert said.row == len(sent) - 1
    assert 2 <= shown.row < said.row


def test_who_trusts_says_nothing_in_clear(tmp_path: Path) -> None:
    found = only(tmp_path / "a.pcap", segments(shaken(tmp_path, trusted=True)))
    assert certificate(found)
    assert refusal(found) is None


def test_what_is_not_there_whole_is_not_read(tmp_path: Path) -> None:
    hello, answer, alert = shaken(tmp_path, trusted=False)
    found = only(tmp_path / "a.pcap", segments([hello, (False, answer[1][:200]), alert]))
    assert certificate(found) is None
    found = only(tmp_path / "b.pcap", segments([hello, answer, (True, alert[1][:4])]))
    assert refusal(found) is None


def test_an_alert_without_a_name_is_told_by_its_number(tmp_path: Path) -> None:
    hello, answer, alert = shaken(tmp_path, trusted=False)
    other = alert[1][:-1] + bytes([80])
    said = refusal(only(tmp_path / "a.pcap", segments([hello, answer, (True, other)])))
    assert said
    assert said.words == "alert 80"


def test_a_warning_is_no_refusal(tmp_path: Path) -> None:
    hello, answer, alert = shaken(tmp_path, trusted=False)
    warning = alert[1][:-2] + bytes([1, 48])
    assert refusal(only(tmp_path / "a.pcap", segments([hello, answer, (True, warning)]))) is None

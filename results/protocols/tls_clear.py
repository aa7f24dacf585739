"""What ends say in clear before a TLS 1.2 connection is encrypted: certificates and alerts."""

from collections.abc import Iterator
from typing import NamedTuple

from cryptography import x509

from results.protocols.tcp import TcpStream
from results.protocols.tls import (
    ALERT,
    CERTIFICATE,
    CHANGE_CIPHER_SPEC,
    HANDSHAKE,
    Connection,
    Cursor,
    Record,
    TlsError,
    records,
)

#: What alerts say of certificates (RFC 5246, section 7.2.2).
_WORDS = {
    42: "bad_certificate",
    43: "unsupported_certificate",
    44: "certificate_revoked",
    45: "certificate_expired",
    46: "certificate_unknown",
    48: "unknown_ca",
}

_FATAL = 2


class Shown(NamedTuple):
    """The certificate with which a server stands for its name, and the row that completed it."""

    certificate: x509.Certificate
    row: int


class Alert(NamedTuple):
    """A fatal alert of the client, and the row in which it stands."""

    description: int
    row: int

    @property
    def words(self) -> str:
        """Its name in the RFC, or its number."""
        return _WORDS.get(self.description, f"alert {self.description}")


def certificate(connection: Connection) -> Shown | None:
    """The server's own certificate; None where none was captured whole."""
    message = b""
    for record in _in_clear(connection.from_server):
        message += record.fragment if record.type == HANDSHAKE else b""
        for kind, body in _messages(message):
            if kind == CERTIFICATE:
                return _shown(body, connection.from_server.row(record.end))
    return None


def refusal(connection: Connection) -> Alert | None:
    """The fatal alert with which a client ended the handshake, if it did."""
    for record in _in_clear(connection.from_client):
        if record.type == ALERT and record.fragment[:1] == bytes([_FATAL]):
            description = int.from_bytes(record.fragment[1:2])
            return Alert(description, connection.from_client.row(record.end))
    return None


def _in_clear(stream: TcpStream) -> Iterator[Record]:
    """The records ahead of ChangeCipherSpec, as far as the stream is TLS."""
    try:
        for record in records(stream.data):
            if record.type == CHANGE_CIPHER_SPEC:
                return
            yield record
    except TlsError:
        return


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The whole handshake messages in a row of them (RFC 5246, section 7.4)."""
    at = 0
    while at + 4 <= len(data):
        start, size = at + 4, int.from_bytes(data[at + 1 : at + 4])
        if start + size > len(data):
            return
        yield data[at], data[start : start + size]
        at = start + size


def _shown(body: bytes, row: int) -> Shown | None:
    """The first certificate of a list, which is the server's (RFC 5246, section 7.4.2)."""
    try:
        der = Cursor(Cursor(body).vector(3)).vector(3)
        return Shown(x509.load_der_x509_certificate(der), row)
    except (TlsError, ValueError):
        return None

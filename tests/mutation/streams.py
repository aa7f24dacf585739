"""What is said within TCP connections with relays, said otherwise: in clear, or sealed anew."""

from collections.abc import Iterator, Mapping

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from results.protocols import tls
from results.protocols.tcp import TcpStream
from results.tracing.places import places_of
from results.tracing.streams import to_relays
from tests.mutation.signalling import tls_keys
from tests.mutation.subject import Subject

_NONCE, _TAG = 8, 16
_CHANGE_CIPHER_SPEC = 20


def on_the_wire(subject: Subject, tap: str, changed: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """Bytes of segments at a tap -> what they become where payloads change.

    Under TLS it is the record around a payload that changes, with the keys of its session.
    """
    table, places = subject.table, places_of(subject.run.network)
    found: dict[bytes, bytes] = {}
    for connection, index in to_relays(table, places):
        if table.taps[index].name != tap:
            continue
        if connection.client_random is None:
            found |= changed
        else:
            found |= _sealed_anew(subject, connection, changed)
    return found


def _sealed_anew(
    subject: Subject, connection: tls.Connection, changed: Mapping[bytes, bytes]
) -> dict[bytes, bytes]:
    keylog = {
        random: secret for log in tls_keys(subject).values() for random, secret in log.items()
    }
    keys = connection._keys(keylog)
    both = (
        (connection.from_client, keys.client, keys.client_iv),
        (connection.from_server, keys.server, keys.server_iv),
    )
    return {
        sealed: again
        for stream, key, iv in both
        for sealed, again in _records(stream, AESGCM(key), iv, changed)
    }


def _records(
    stream: TcpStream, cipher: AESGCM, iv: bytes, changed: Mapping[bytes, bytes]
) -> Iterator[tuple[bytes, bytes]]:
    """Fragments of records with such a payload, and those with another (RFC 5246, 6.2.3.3)."""
    number = -1
    for record in tls.records(stream.data):
        if number >= 0:
            nonce, sealed = record.fragment[:_NONCE], record.fragment[_NONCE:]
            size = len(sealed) - _TAG
            extra = number.to_bytes(8) + bytes([record.type]) + record.version + size.to_bytes(2)
            said = cipher.decrypt(iv + nonce, sealed, extra)
            for payload, other in changed.items():
                if payload in said:
                    again = said.replace(payload, other)
                    yield record.fragment, nonce + cipher.encrypt(iv + nonce, again, extra)
        number += number >= 0 or record.type == _CHANGE_CIPHER_SPEC

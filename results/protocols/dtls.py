"""DTLS 1.2 handshakes as captures show them, and the SRTP keys that they agree on.

A handshake says which certificates the two ends have, to be compared with the
fingerprints of the SDP (RFC 5763, section 5), and with the master secret of a
key log the keys of the media (RFC 5764, section 4.2).
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import NamedTuple

from results.protocols.srtp import Profile
from results.protocols.tls import (
    CERTIFICATE,
    CLIENT_HELLO,
    SERVER_HELLO,
    Cursor,
    ServerHello,
    TlsError,
    prf,
    read_server_hello,
)


class DtlsError(ValueError):
    """A DTLS handshake that does not yield what is asked of it. Speaks to a person."""


class Datagram(NamedTuple):
    """A UDP payload on its way from one end to the other.

    The ends tell associations apart and may be anything that does so: pairs of
    address and port at one tap, or names where the addresses differ along the
    way.
    """

    row: int
    source: Hashable
    destination: Hashable
    payload: bytes


class Certificate(NamedTuple):
    """The certificate of one end (DER), and the row in which it was complete."""

    der: bytes
    row: int

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate as SDP writes it (RFC 8122, section 5)."""
        return sha256(self.der).digest().hex(":").upper()


@dataclass(frozen=True)
class Handshake:
    """One DTLS association; what was not captured is None."""

    client: Hashable
    server: Hashable
    client_random: bytes
    client_hello_row: int
    server_random: bytes | None
    server_hello_row: int | None
    suite: int | None
    #: The number of the chosen protection profile (RFC 5764, section 4.1.2).
    srtp_profile: int | None
    client_certificate: Certificate | None
    server_certificate: Certificate | None


class SrtpKeys(NamedTuple):
    """Master key and salt of each direction, one after the other as libsrtp wants them."""

    profile: Profile
    client: bytes
    server: bytes


def handshakes(datagrams: Iterable[Datagram]) -> list[Handshake]:
    """The DTLS associations among datagrams, in the order of their ClientHellos.

    A ClientHello with another random between the same ends opens a new one.
    Datagrams may repeat; whatever is not DTLS, or malformed, is passed over.
    """
    reader = _Reader()
    for datagram in datagrams:
        reader.add(datagram)
    return reader.found


def srtp_keys(handshake: Handshake, keylog: Mapping[bytes, bytes]) -> SrtpKeys:
    """Derive the keys of both directions (RFC 5764, section 4.2, by the exporter of RFC 5705).

    ``keylog`` is that of results.protocols.tls.read_keylog. Raises DtlsError when the
    handshake was not captured up to its ServerHello, when it chose no profile
    that is known, or when the log lacks its master secret.
    """
    profile, server_random = _profile(handshake), handshake.server_random or b""
    if handshake.client_random not in keylog:
        raise DtlsError(
            f"{_name(handshake)}: none of the {len(keylog)} logged sessions has its client "
            f"random {handshake.client_random.hex()}"
        )
    key, salt = profile.key_size, profile.salt_size
    seed = handshake.client_random + server_random
    prf_hash = "sha384" if handshake.suite in _SHA384_SUITES else "sha256"
    master = keylog[handshake.client_random]
    block = Cursor(prf(master, _EXPORTER_LABEL, seed, 2 * (key + salt), prf_hash))
    client_key, server_key = block.take(key), block.take(key)
    return SrtpKeys(profile, client_key + block.take(salt), server_key + block.take(salt))


_EXPORTER_LABEL = b"EXTRACTOR-dtls_srtp"

#: Suites with certificates whose name ends in SHA384 (RFC 5288, RFC 5289).
_SHA384_SUITES = frozenset({0x009D, 0x009F, 0xC024, 0xC028, 0xC02C, 0xC030})

_RECORD_HEADER = 13
_HANDSHAKE_HEADER = 12
_HANDSHAKE = 22
#: The extension by which both ends agree on SRTP (RFC 5764, section 4.1.1).
_USE_SRTP = 14


def _profile(handshake: Handshake) -> Profile:
    if handshake.server_random is None:
        raise DtlsError(f"{_name(handshake)}: no ServerHello was captured")
    if handshake.srtp_profile is None:
        raise DtlsError(f"{_name(handshake)}: the server chose no SRTP protection profile")
    try:
        return Profile(handshake.srtp_profile)
    except ValueError:
        known = ", ".join(f"0x{item.value:04X} ({item.name})" for item in Profile)
        raise DtlsError(
            f"{_name(handshake)}: SRTP protection profile 0x{handshake.srtp_profile:04X}; "
            f"expected one of {known}"
        ) from None


def _name(handshake: Handshake) -> str:
    return f"DTLS association of {handshake.client} with {handshake.server}"


class _Fragment(NamedTuple):
    """A handshake message or a part of it (RFC 6347, section 4.2.2)."""

    type: int
    length: int
    sequence: int
    offset: int
    data: bytes


def _fragments(payload: bytes) -> Iterator[_Fragment]:
    """The unencrypted handshake fragments of a datagram, up to where it is malformed."""
    for content in _plain_handshake_records(payload):
        cursor = Cursor(content)
        while cursor:
            kind, length, sequence = cursor.number(1), cursor.number(3), cursor.number(2)
            offset, data = cursor.number(3), cursor.vector(3)
            if offset + len(data) > length:
                raise TlsError("a handshake fragment reaches beyond its message")
            yield _Fragment(kind, length, sequence, offset, data)


def _plain_handshake_records(payload: bytes) -> Iterator[bytes]:
    """What handshake records of epoch 0 hold (RFC 6347, section 4.1); later epochs are secret."""
    cursor = Cursor(payload)
    while cursor:
        kind, major = cursor.number(1), cursor.number(1)
        cursor.take(1)  # minor version: 1.0 in a first ClientHello, 1.2 later
        epoch = cursor.number(2)
        cursor.take(6)  # sequence number
        content = cursor.vector(2)
        if (kind, major, epoch) == (_HANDSHAKE, 0xFE, 0):
            yield content


#: A message's type, sequence number and length: what its fragments have in common.
_Key = tuple[Hashable, int, int, int]


class _Reader:
    """Puts handshake messages together and learns from each."""

    def __init__(self) -> None:
        self.found: list[Handshake] = []
        #: Two ends -> index of their latest association.
        self._latest: dict[frozenset[Hashable], int] = {}
        self._parts: dict[frozenset[Hashable], dict[_Key, dict[int, bytes]]] = {}

    def add(self, datagram: Datagram) -> None:
        try:
            for fragment in _fragments(datagram.payload):
                body = self._body(datagram, fragment)
                if body is not None:
                    self._message(datagram, fragment.type, body)
        except TlsError:
            return

    def _body(self, datagram: Datagram, fragment: _Fragment) -> bytes | None:
        """The whole message when this fragment completes it."""
        messages = self._parts.setdefault(_ends(datagram), {})
        key = (datagram.source, fragment.type, fragment.sequence, fragment.length)
        parts = messages.setdefault(key, {})
        if len(fragment.data) >= len(parts.get(fragment.offset, b"")):
            parts[fragment.offset] = fragment.data
        body = _joined(parts)
        if len(body) < fragment.length:
            return None
        del messages[key]
        return body

    def _message(self, datagram: Datagram, kind: int, body: bytes) -> None:
        ends = _ends(datagram)
        index = self._latest.get(ends)
        if kind == CLIENT_HELLO:
            self._hello(datagram, body)
        elif index is not None:
            self.found[index] = _learn(self.found[index], datagram, kind, body)

    def _hello(self, datagram: Datagram, body: bytes) -> None:
        """Open an association, unless the hello repeats the random of the latest one."""
        ends = _ends(datagram)
        cursor = Cursor(body)
        cursor.take(2)  # version
        client_random = cursor.take(32)
        index = self._latest.get(ends)
        if index is not None and self.found[index].client_random == client_random:
            return
        self._latest[ends] = len(self.found)
        self._parts[ends] = {}
        self.found.append(_opened(datagram, client_random))


def _ends(datagram: Datagram) -> frozenset[Hashable]:
    return frozenset((datagram.source, datagram.destination))


def _joined(parts: Mapping[int, bytes]) -> bytes:
    """What is there without a gap; fragments may overlap (RFC 6347, section 4.2.3)."""
    body = b""
    for offset in sorted(parts):
        if offset <= len(body):
            body += parts[offset][len(body) - offset :]
    return body


def _opened(datagram: Datagram, client_random: bytes) -> Handshake:
    return Handshake(
        client=datagram.source,
        server=datagram.destination,
        client_random=client_random,
        client_hello_row=datagram.row,
        server_random=None,
        server_hello_row=None,
        suite=None,
        srtp_profile=None,
        client_certificate=None,
        server_certificate=None,
    )


def _learn(handshake: Handshake, datagram: Datagram, kind: int, body: bytes) -> Handshake:
    """The association with what one more message says; the first of each kind counts."""
    from_client = datagram.source == handshake.client
    if kind == SERVER_HELLO and not from_client and handshake.server_random is None:
        return _with_server_hello(handshake, datagram.row, read_server_hello(body))
    if kind == CERTIFICATE and from_client and handshake.client_certificate is None:
        return replace(handshake, client_certificate=_certificate(body, datagram.row))
    if kind == CERTIFICATE and not from_client and handshake.server_certificate is None:
        return replace(handshake, server_certificate=_certificate(body, datagram.row))
    return handshake


def _with_server_hello(handshake: Handshake, row: int, hello: ServerHello) -> Handshake:
    return replace(
        handshake,
        server_random=hello.random,
        server_hello_row=row,
        suite=hello.suite,
        srtp_profile=_chosen_profile(hello),
    )


def _chosen_profile(hello: ServerHello) -> int | None:
    """The one profile of the server's use_srtp extension (RFC 5764, section 4.1.1)."""
    extension = hello.extensions.get(_USE_SRTP)
    return None if extension is None else Cursor(Cursor(extension).vector(2)).number(2)


def _certificate(body: bytes, row: int) -> Certificate | None:
    """The sender's own certificate, first of its chain (RFC 5246, section 7.4.2)."""
    chain = Cursor(Cursor(body).vector(3))
    return Certificate(chain.vector(3), row) if chain else None

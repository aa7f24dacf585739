"""TLS 1.2 as captures show it: TCP streams put together, records opened with logged keys.

The keys come from an NSS key log (CLIENT_RANDOM lines), so every session must
have been logged by the agent that opened it. TLS 1.3 is refused by name: the
testbed's agents are set to TLS 1.2.
"""

import hmac
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from results.packets import PacketTable
from results.protocols import connect
from results.protocols.tcp import End, TcpConnection, TcpStream, tcp_connections
from topologies.addresses import address_of, with_port

TLS_1_2 = 0x0303
TLS_1_3 = 0x0304


class TlsError(ValueError):
    """A TLS connection that cannot be read. Speaks to a person."""


class Suite(NamedTuple):
    """What a cipher suite means for its record keys (RFC 5288, RFC 5289)."""

    key_size: int
    #: The hash of the pseudorandom function (RFC 5246, section 5).
    prf_hash: str


#: TLS_ECDHE_{ECDSA,RSA}_WITH_AES_{128_GCM_SHA256,256_GCM_SHA384} (RFC 5289, section 3.2).
SUITES = {
    0xC02B: Suite(16, "sha256"),
    0xC02C: Suite(32, "sha384"),
    0xC02F: Suite(16, "sha256"),
    0xC030: Suite(32, "sha384"),
}


#: Those of them with AES-256-GCM, whichever key signs.
AES_256_GCM = frozenset({0xC02C, 0xC030})


class Chunk(NamedTuple):
    """Plaintext of one record, the row in which it was complete, and that row's time in ns."""

    data: bytes
    row: int
    time: int


@dataclass(frozen=True)
class Transcript:
    """What both ends said, in the order in which each said it."""

    from_client: tuple[Chunk, ...]
    from_server: tuple[Chunk, ...]


@dataclass(frozen=True)
class Connection:
    """A TCP connection as one tap saw it, from its SYN on, and what its TLS hellos say."""

    client: End
    server: End
    #: The client's initial sequence number.
    isn: int
    syn_row: int
    #: None where the client did not open with a TLS ClientHello.
    client_random: bytes | None
    #: The server name that the client asked for (RFC 6066, section 3).
    sni: str | None
    #: Chosen by the server; None while no ServerHello was captured.
    version: int | None
    suite: int | None
    server_random: bytes | None
    #: Host and port that the client first asked an HTTP proxy for; None where it asked for none.
    proxied_to: str | None
    #: What follows the proxy's answer, if it asked one.
    from_client: TcpStream = field(repr=False)
    from_server: TcpStream = field(repr=False)
    table: PacketTable = field(repr=False)

    def __str__(self) -> str:
        ends = (with_port(address_of(ip), port) for ip, port in (self.client, self.server))
        return " to ".join(ends) + f" (opened by {_frame(self.table, self.syn_row)})"

    @property
    def says_anything(self) -> bool:
        """Whether application data was sent: one that is given up before has no keys to log."""
        streams = (self.from_client, self.from_server)
        return any(_has_application_data(stream.data) for stream in streams)

    def decrypt(self, keylog: Mapping[bytes, bytes]) -> Transcript:
        """Open the application data of both directions; ``keylog`` as of :func:`read_keylog`.

        A direction ends where its captured bytes end. Raises TlsError when the
        connection is not TLS 1.2 under one of SUITES, when the log lacks its
        keys, or when a record does not authenticate under them.
        """
        keys = self._keys(keylog)
        return Transcript(
            tuple(self._chunks(self.from_client, keys.client, keys.client_iv)),
            tuple(self._chunks(self.from_server, keys.server, keys.server_iv)),
        )

    def _keys(self, keylog: Mapping[bytes, bytes]) -> "_RecordKeys":
        if self.client_random is None:
            raise TlsError(f"{self}: the client did not open with a TLS ClientHello")
        if self.server_random is None:
            raise TlsError(f"{self}: no ServerHello was captured")
        if self.version != TLS_1_2:
            raise TlsError(f"{self} is {_version_name(self.version)}; only TLS 1.2 can be read")
        suite = SUITES.get(self.suite or 0)
        if suite is None:
            raise TlsError(
                f"{self} uses cipher suite 0x{self.suite:04X}; only ECDHE with AES-GCM can be read"
            )
        if self.client_random not in keylog:
            raise TlsError(
                f"{self}: none of the {len(keylog)} logged sessions has its client random "
                f"{self.client_random.hex()}; every session must be a full handshake that its "
                "agent logged, not one resumed from a ticket"
            )
        master = keylog[self.client_random]
        return _RecordKeys.derive(suite, master, self.client_random, self.server_random)

    def _chunks(self, stream: TcpStream, key: bytes, iv: bytes) -> Iterator[Chunk]:
        opener, encrypted, number = AESGCM(key), False, 0
        for record in records(stream.data):
            if encrypted:
                plain = self._open(opener, iv, number, record, stream.row(record.end))
                number += 1
                if plain and record.type == _APPLICATION_DATA:
                    row = stream.row(record.end)
                    yield Chunk(plain, row, int(self.table.time[row]))
            encrypted = encrypted or record.type == CHANGE_CIPHER_SPEC

    def _open(self, opener: AESGCM, iv: bytes, number: int, record: "Record", row: int) -> bytes:
        """Open one AEAD record (RFC 5246, section 6.2.3.3; nonce by RFC 5288, section 3)."""
        size = len(record.fragment) - _GCM_OVERHEAD
        if size < 0:
            raise TlsError(f"{self}: {_frame(self.table, row)} ends a record too short to open")
        nonce = iv + record.fragment[:_EXPLICIT_NONCE]
        extra = number.to_bytes(8) + bytes([record.type]) + record.version + size.to_bytes(2)
        try:
            return opener.decrypt(nonce, record.fragment[_EXPLICIT_NONCE:], extra)
        except InvalidTag:
            raise TlsError(
                f"{self}: the record that {_frame(self.table, row)} completes "
                "does not authenticate under the logged keys"
            ) from None


def connections(table: PacketTable, tap_index: int) -> list[Connection]:
    """Every TCP connection whose SYN the tap saw, in the order of the SYNs, read as TLS."""
    return [_connection(table, tcp) for tcp in tcp_connections(table, tap_index)]


def _connection(table: PacketTable, tcp: TcpConnection) -> Connection:
    opened = connect.beyond(tcp.from_client, tcp.from_server)
    client = _hello(opened.from_client, CLIENT_HELLO, read_client_hello)
    server = _hello(opened.from_server, SERVER_HELLO, read_server_hello) if client else None
    return Connection(
        client=tcp.client,
        server=tcp.server,
        isn=tcp.isn,
        syn_row=tcp.syn_row,
        client_random=client and client.random,
        sni=client and client.server_name,
        version=server and server.version,
        suite=server and server.suite,
        server_random=server and server.random,
        proxied_to=opened.target,
        from_client=opened.from_client,
        from_server=opened.from_server,
        table=table,
    )


def prf(secret: bytes, label: bytes, seed: bytes, size: int, prf_hash: str) -> bytes:
    """The pseudorandom function of TLS 1.2 (RFC 5246, section 5)."""
    block, output = label + seed, b""
    while len(output) < size:
        block = hmac.digest(secret, block, prf_hash)
        output += hmac.digest(secret, block + label + seed, prf_hash)
    return output[:size]


#: Handshake message types (RFC 5246, section 7.4).
CLIENT_HELLO = 1
SERVER_HELLO = 2
CERTIFICATE = 11

#: Record types (RFC 5246, section 6.2.1).
CHANGE_CIPHER_SPEC = 20
ALERT = 21
HANDSHAKE = 22
_APPLICATION_DATA = 23
_RECORD_TYPES = range(20, 24)

_RECORD_HEADER = 5
#: 2**14 bytes and what encryption may add (RFC 5246, section 6.2.3).
_LONGEST_RECORD = 2**14 + 2048
_EXPLICIT_NONCE = 8
_GCM_OVERHEAD = _EXPLICIT_NONCE + 16

#: Extensions (RFC 6066, section 3; RFC 8446, section 4.2.1).
_SERVER_NAME = 0
_SUPPORTED_VERSIONS = 43


class Cursor:
    """Reads the fields of a TLS structure one after the other (RFC 5246, section 4)."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._data)

    def take(self, size: int) -> bytes:
        """The next bytes; TlsError when the structure ends before."""
        start, self._at = self._at, self._at + size
        if self._at > len(self._data):
            raise TlsError(f"expected {size} bytes at byte {start} of {len(self._data)}")
        return self._data[start : self._at]

    def number(self, size: int) -> int:
        """An unsigned number of so many bytes."""
        return int.from_bytes(self.take(size))

    def vector(self, size: int) -> bytes:
        """The contents of a vector whose length takes so many bytes."""
        return self.take(self.number(size))


class ClientHello(NamedTuple):
    """What the client opened with (RFC 5246, section 7.4.1.2)."""

    random: bytes
    #: The server name that it asked for (RFC 6066, section 3).
    server_name: str | None


class ServerHello(NamedTuple):
    """What the server chose (RFC 5246, section 7.4.1.3)."""

    version: int
    random: bytes
    suite: int
    extensions: dict[int, bytes]


def read_server_hello(body: bytes) -> ServerHello:
    """Read the body of a ServerHello of TLS or DTLS; TlsError when it is malformed."""
    cursor = Cursor(body)
    version, server_random = cursor.number(2), cursor.take(32)
    cursor.vector(1)  # session id
    suite = cursor.number(2)
    cursor.take(1)  # compression method
    extensions = _extensions(cursor)
    chosen = extensions.get(_SUPPORTED_VERSIONS)
    return ServerHello(
        int.from_bytes(chosen) if chosen else version, server_random, suite, extensions
    )


def read_client_hello(body: bytes) -> ClientHello:
    """Read the body of a ClientHello of TLS; TlsError when it is malformed."""
    cursor = Cursor(body)
    cursor.take(2)  # version
    client_random = cursor.take(32)
    for length_size in (1, 2, 1):  # session id, cipher suites, compression methods
        cursor.vector(length_size)
    names = Cursor(_extensions(cursor).get(_SERVER_NAME, b""))
    return ClientHello(client_random, _server_name(names) if names else None)


def _extensions(cursor: Cursor) -> dict[int, bytes]:
    """The extensions that end a hello, which may have none (RFC 5246, section 7.4.1.4)."""
    block = Cursor(cursor.vector(2) if cursor else b"")
    extensions = {}
    while block:
        kind = block.number(2)
        extensions[kind] = block.vector(2)
    return extensions


def _server_name(cursor: Cursor) -> str:
    names = Cursor(cursor.vector(2))
    names.take(1)  # name type: host_name is the only one
    return names.vector(2).decode("ascii", "backslashreplace")


class Record(NamedTuple):
    """One TLS record; ``end`` is where it ends in its stream."""

    type: int
    version: bytes
    fragment: bytes
    end: int


Hello = TypeVar("Hello", ClientHello, ServerHello)


def records(data: bytearray) -> Iterator[Record]:
    """The whole records of a stream (RFC 5246, section 6.2.1); TlsError where it is not TLS."""
    at = 0
    while at + _RECORD_HEADER <= len(data):
        kind, version = data[at], bytes(data[at + 1 : at + 3])
        size = int.from_bytes(data[at + 3 : at + 5])
        if kind not in _RECORD_TYPES or version[0] != 3 or size > _LONGEST_RECORD:
            raise TlsError(f"no TLS record at byte {at} of the stream")
        start, at = at + _RECORD_HEADER, at + _RECORD_HEADER + size
        if at > len(data):
            return
        yield Record(kind, version, bytes(data[start:at]), at)


def _has_application_data(data: bytearray) -> bool:
    try:
        return any(record.type == _APPLICATION_DATA for record in records(data))
    except TlsError:
        return True


def _hello(stream: TcpStream, kind: int, read: Callable[[bytes], Hello]) -> Hello | None:
    """The hello that opens a stream, or None when the stream does not begin with a whole one.

    It is the first that its sender says (RFC 5246, section 7.3), and may be
    spread over several records.
    """
    message = b""
    try:
        for record in records(stream.data):
            message += record.fragment if record.type == HANDSHAKE else b""
            end = 4 + int.from_bytes(message[1:4])
            if message[:1] == bytes([kind]) and len(message) >= end:
                return read(message[4:end])
    except TlsError:
        return None
    return None


class _RecordKeys(NamedTuple):
    """The key block of an AEAD suite (RFC 5246, section 6.3), in its order."""

    client: bytes
    server: bytes
    client_iv: bytes
    server_iv: bytes

    @classmethod
    def derive(
        cls, suite: Suite, master: bytes, client_random: bytes, server_random: bytes
    ) -> "_RecordKeys":
        size = suite.key_size
        seed = server_random + client_random
        block = Cursor(prf(master, b"key expansion", seed, 2 * size + 8, suite.prf_hash))
        return cls(block.take(size), block.take(size), block.take(4), block.take(4))


def _version_name(version: int | None) -> str:
    return "TLS 1.3" if version == TLS_1_3 else f"TLS version 0x{version or 0:04x}"


def _frame(table: PacketTable, row: int) -> str:
    return f"frame {table.frame[row]} of {table.tap_name(row)}"

"""The SRTP keys of a call: from the DTLS handshakes on its ICE sockets and the key logs.

A handshake belongs to a call when it ran between sockets that the call's ICE
checks used, and it counts only when both ends showed the certificates that the
SDPs announced (RFC 8122, section 5; RFC 5763, section 5).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from results.packets import Kind, PacketTable
from results.problems import Ground, Problem, cite
from results.protocols.dtls import (
    Certificate,
    Datagram,
    DtlsError,
    Handshake,
    SrtpKeys,
    handshakes,
    srtp_keys,
)
from results.protocols.srtp import Profile
from results.setup.calls import Call
from results.tracing.paths import Path, Travels
from topologies.addresses import address_of, with_port

_HASH = "sha-256"


class Socket(NamedTuple):
    """Where a host sends from, at its own tap."""

    host: str
    address: int
    port: int

    def __str__(self) -> str:
        return f"{self.host} ({with_port(address_of(self.address), self.port)})"


@dataclass(frozen=True)
class MediaKey:
    """Master key and salt with which one participant protects what it sends."""

    call: str
    sender: str
    receiver: str
    profile: Profile
    key: bytes


def socket_at_start(path: Path) -> Socket:
    """The socket that sent a packet."""
    return Socket(path.origin, path.first.ends.src, path.first.ends.sport)


def socket_at_end(path: Path) -> Socket:
    """The socket that a packet reached."""
    return Socket(path.target, path.last.ends.dst, path.last.ends.dport)


def dtls_handshakes(table: PacketTable, udp: Travels) -> list[Handshake]:
    """The DTLS associations of a run between sockets; rows are those of arrival."""
    paths = [path for path in udp.paths if path.complete and path.first.kind is Kind.DTLS]
    paths.sort(key=lambda path: path.last.time)
    return handshakes(
        Datagram(
            path.last.row,
            socket_at_start(path),
            socket_at_end(path),
            table.innermost(path.last.row),
        )
        for path in paths
    )


def keys_of_call(
    table: PacketTable,
    call: Call,
    sockets: Collection[Socket],
    found: Iterable[Handshake],
    keylog: Mapping[bytes, bytes],
) -> tuple[list[MediaKey], list[Problem]]:
    """The keys of both directions, and what speaks against some of the handshakes."""
    own = [shake for shake in found if {shake.client, shake.server} <= set(sockets)]
    if not own:
        name = " and ".join(call.participants)
        text = f"no DTLS handshake between {name} was seen on the ICE sockets of call {call.id}"
        return [], [Problem(Ground.CALL, text)]
    keys: list[MediaKey] = []
    problems: list[Problem] = []
    for shake in own:
        wrong = _wrong_certificate(table, call, shake)
        if wrong:
            problems.append(wrong)
            continue
        try:
            keys += _media_keys(call, shake, srtp_keys(shake, keylog))
        except DtlsError as error:
            where = cite(table, shake.client_hello_row, "ClientHello of this association")
            problems.append(Problem(Ground.KEYS, str(error), (where,)))
    return keys, problems


def _wrong_certificate(table: PacketTable, call: Call, shake: Handshake) -> Problem | None:
    for socket, certificate in (
        (shake.client, shake.client_certificate),
        (shake.server, shake.server_certificate),
    ):
        if isinstance(socket, Socket) and not _announced(call, socket, certificate):
            row = certificate.row if certificate else shake.client_hello_row
            shown = f"certificate {certificate.fingerprint}" if certificate else "no certificate"
            text = f"{socket} showed {shown} in DTLS, not what its SDP of call {call.id} announces"
            return Problem(Ground.CALL, text, (cite(table, row, f"what {socket.host} showed"),))
    return None


def _announced(call: Call, socket: Socket, certificate: Certificate | None) -> bool:
    if certificate is None:
        return False
    digest = certificate.fingerprint.replace(":", "").lower()
    return (_HASH, digest) in call.described[socket.host].fingerprints


def _media_keys(call: Call, shake: Handshake, keys: SrtpKeys) -> list[MediaKey]:
    client, server = (end.host for end in (shake.client, shake.server) if isinstance(end, Socket))
    return [
        MediaKey(call.id, client, server, keys.profile, keys.client),
        MediaKey(call.id, server, client, keys.profile, keys.server),
    ]

"""Real TLS sessions, made in memory and wrapped into packets by hand."""

import datetime
import ssl
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw
from scapy.utils import wrpcap

from results.packets import PacketTable, read_table
from results.protocols.tls import (
    Chunk,
    Connection,
    TlsError,
    connections,
)
from topologies.spec import Tap

TAP = Tap(name="alice-eth0", host="alice", interface="alice-eth0", link="head", mac=None)
ALICE, FRONT_END = ("10.10.0.11", 40000), ("203.0.113.5", 443)
NAME = "front-end.service.example"
WRAPS = 2**32 - 5

REQUEST, ANSWER, NEXT, LAST = b"GET /inbox", b"x" * 3000, b"POST /telemetry", b"bye"
#: Bytes that one end sent at once, and whether it was the client.
Flight = tuple[bool, bytes]

DIALOGUE: tuple[Flight, ...] = ((True, REQUEST), (False, ANSWER), (True, NEXT), (False, LAST))


class Segment(NamedTuple):
    """A TCP segment, still to be wrapped."""

    from_client: bool
    seq: int
    flags: str
    payload: bytes = b""

    def packet(self, client: tuple[str, int] = ALICE) -> Packet:
        """The frame that carries it between the client and the front end."""
        ends = (client, FRONT_END) if self.from_client else (FRONT_END, client)
        (src, sport), (dst, dport) = ends
        tcp = TCP(sport=sport, dport=dport, seq=self.seq % 2**32, flags=self.flags)
        return Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / (
            IP(src=src, dst=dst) / tcp / Raw(self.payload)
        )


class Session(NamedTuple):
    """A real session: what each end sent, and the log of its keys."""

    flights: list[Flight]
    keylog: Path


def certificate(path: Path, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> Path:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    now = datetime.datetime.now(datetime.UTC)
    built = x509.CertificateBuilder(
        name, name, key.public_key(), 1, now, now + datetime.timedelta(days=1)
    ).sign(key, hashes.SHA256())
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + built.public_bytes(serialization.Encoding.PEM)
    )
    return path


def session(
    certificate: Path,
    keylog: Path,
    ciphers: str,
    version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2,
    dialogue: Iterable[Flight] = DIALOGUE,
) -> Session:
    """Shake hands and hold the dialogue, both in memory."""
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(certificate)
    client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client_context.check_hostname, client_context.verify_mode = False, ssl.CERT_NONE
    client_context.keylog_filename = str(keylog)
    for context in (server_context, client_context):
        context.minimum_version = context.maximum_version = version
        context.set_ciphers(ciphers)
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server, server_hostname=NAME)
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    flights = handshake(client, server, to_client, to_server)
    for from_client, data in dialogue:
        (client if from_client else server).write(data)
        flights.append((from_client, (to_server if from_client else to_client).read()))
    return Session(flights, keylog)


def handshake(
    client: ssl.SSLObject, server: ssl.SSLObject, to_client: ssl.MemoryBIO, to_server: ssl.MemoryBIO
) -> list[Flight]:
    """What both ends send until both are done."""
    flights: list[Flight] = []
    done = False
    while not done:
        client_done = _step(client, to_server, flights, from_client=True)
        done = _step(server, to_client, flights, from_client=False) and client_done
    return flights


def _step(end: ssl.SSLObject, out: ssl.MemoryBIO, flights: list[Flight], from_client: bool) -> bool:
    try:
        end.do_handshake()
        done = True
    except ssl.SSLWantReadError:
        done = False
    sent = out.read()
    if sent:
        flights.append((from_client, sent))
        out.write(sent)
    return done


def segments(
    flights: Iterable[Flight], mss: int = 1460, isn: int = 1000, server_isn: int = 9000
) -> list[Segment]:
    """The segments of a connection in the order of their sending."""
    sent = [Segment(True, isn, "S"), Segment(False, server_isn, "SA")]
    position = {True: isn + 1, False: server_isn + 1}
    for from_client, data in flights:
        for start in range(0, len(data), mss):
            seq = position[from_client] + start
            sent.append(Segment(from_client, seq, "PA", data[start : start + mss]))
        position[from_client] += len(data)
    return sent


def capture(path: Path, packets: Iterable[Packet]) -> PacketTable:
    stamped = list(packets)
    for index, packet in enumerate(stamped):
        packet.time = 1_700_000_000 + index / 8
    wrpcap(str(path), stamped, nano=True, linktype=1)
    return read_table({TAP: path})


def captured(path: Path, sent: Iterable[Segment]) -> list[Connection]:
    return connections(capture(path, (segment.packet() for segment in sent)), 0)


def only(path: Path, sent: Iterable[Segment]) -> Connection:
    (connection,) = captured(path, sent)
    return connection


def text(chunks: Iterable[Chunk]) -> bytes:
    return b"".join(chunk.data for chunk in chunks)


def refusal(connection: Connection, keylog: dict[bytes, bytes]) -> str:
    with pytest.raises(TlsError) as caught:
        connection.decrypt(keylog)
    return str(caught.value)

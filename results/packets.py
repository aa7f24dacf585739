"""The packet table: every packet of a run, one row each, in columns.

Evidence selects rows by their columns and looks at the bytes of the few that
matter. The table keeps the bytes of all captures in one buffer and, for each
row, where frame, payload and innermost payload lie in it; how the columns are
filled is a matter of :func:`read_table` alone.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from results import stun
from results.capture import Capture, Record
from results.captures import read_capture
from results.schema import CANARY_ETHERTYPE
from topologies.spec import Tap

_ETHERTYPE_IPV4 = 0x0800
_ETHERTYPE_ARP = 0x0806

# Sizes of headers in bytes; of RTCP a header and the sender's SSRC.
_ETHERNET_HEADER = 14
_IPV4_HEADER = 20
_UDP_HEADER = 8
_TCP_HEADER = 20
_DTLS_RECORD_HEADER = 13
_RTP_HEADER = 12
_RTCP_HEADER = 8
_CHANNEL_DATA_HEADER = 4

#: The bits of the IPv4 flags field that hold the fragment offset (RFC 791, section 3.1).
_FRAGMENT_OFFSET = 0x1FFF

#: Message types of the Send and the Data indication (RFC 8656, section 17).
_INDICATIONS = (b"\x00\x16", b"\x00\x17")

#: IP protocol numbers (IANA "Assigned Internet Protocol Numbers").
IP_ICMP = 1
IP_TCP = 6
IP_UDP = 17

DNS_PORT = 53

#: TCP flags (RFC 9293, section 3.1).
FIN = 0x01
SYN = 0x02
RST = 0x04
ACK = 0x10


class Kind(IntEnum):
    """What a packet is, as far as its own bytes and ports tell.

    RTP and DTLS are guesses by first byte (RFC 7983): only authentication and a
    parsed handshake prove them.
    """

    OTHER = 0
    ARP = 1
    ICMP = 2
    TCP = 3
    #: UDP that is none of the following.
    UDP = 4
    DNS = 5
    STUN = 6
    CHANNEL_DATA = 7
    DTLS = 8
    RTP = 9
    RTCP = 10
    CANARY = 11


class TcpHeader(NamedTuple):
    """The fields of a TCP header that order a stream (RFC 9293, section 3.1)."""

    seq: int
    ack: int
    flags: int


@dataclass(frozen=True, eq=False)
class PacketTable:
    """All packets of all taps, sorted by time; packets of one time keep the order of the taps.

    Addresses are numbers in the obvious reading: ``int(IPv4Address("10.0.0.1"))``,
    the six bytes of a MAC address as one integer. A column is 0 where the packet
    has no such thing.
    """

    taps: tuple[Tap, ...]
    #: The bytes of all captures, one after the other; read them by the methods below.
    buffer: bytes
    #: Index into ``taps``.
    tap: NDArray[np.int16]
    #: Number of the frame in its tap's capture, from 1, as Wireshark shows it.
    frame: NDArray[np.int64]
    #: Nanoseconds since the epoch.
    time: NDArray[np.int64]
    #: True when the frame left the tap's host here; never on a tap without a MAC address.
    outgoing: NDArray[np.bool_]
    src_mac: NDArray[np.uint64]
    dst_mac: NDArray[np.uint64]
    src: NDArray[np.uint32]
    dst: NDArray[np.uint32]
    sport: NDArray[np.uint16]
    dport: NDArray[np.uint16]
    #: IP protocol number, 0 where the packet is not IPv4.
    protocol: NDArray[np.uint8]
    #: Kind of the outermost payload.
    kind: NDArray[np.uint8]
    #: Kind of the innermost payload; equal to ``kind`` where nothing is wrapped.
    inner_kind: NDArray[np.uint8]
    #: 64-bit BLAKE2b of the innermost UDP payload, 0 where there is none.
    fingerprint: NDArray[np.uint64]
    # Where things lie in the buffer: the frame, the IP payload, what is in that.
    frame_start: NDArray[np.int64]
    frame_size: NDArray[np.int64]
    transport_start: NDArray[np.int64]
    payload_start: NDArray[np.int64]
    payload_size: NDArray[np.int64]
    inner_start: NDArray[np.int64]
    inner_size: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.time)

    def ethernet(self, row: int) -> bytes:
        """The whole captured frame, padding included."""
        return self._bytes(self.frame_start[row], self.frame_size[row])

    def payload(self, row: int) -> bytes:
        """What UDP or TCP carries; of ICMP the message, of ARP and canaries all after Ethernet.

        Empty for kind OTHER: a packet that could not be read to its payload.
        """
        return self._bytes(self.payload_start[row], self.payload_size[row])

    def innermost(self, row: int) -> bytes:
        """The payload after unwrapping ChannelData and Send and Data indications."""
        return self._bytes(self.inner_start[row], self.inner_size[row])

    def peer(self, row: int) -> tuple[int, int] | None:
        """XOR-PEER-ADDRESS of a Send or Data indication as (IPv4 address, port)."""
        if self.kind[row] != Kind.STUN or not _is_indication(self.payload(row)):
            return None
        try:
            peer = stun.parse(self.payload(row)).xor_peer_address
        except stun.StunError:
            return None
        return (int(peer.ip), peer.port) if peer and peer.ip.version == 4 else None

    def channel(self, row: int) -> int | None:
        """The channel number of a ChannelData message (RFC 8656, section 12.4)."""
        if self.kind[row] != Kind.CHANNEL_DATA:
            return None
        return int.from_bytes(self.payload(row)[:2])

    def tcp(self, row: int) -> TcpHeader:
        """The TCP header; ValueError when the packet is not TCP."""
        if self.kind[row] != Kind.TCP:
            raise ValueError(f"frame {self.frame[row]} of {self.tap_name(row)} is not TCP")
        header = struct.unpack_from(">4xIIxB", self.buffer, self.transport_start[row])
        return TcpHeader(*header)

    def tap_name(self, row: int) -> str:
        """Name of the tap that captured the packet."""
        return self.taps[int(self.tap[row])].name

    def _bytes(self, start: np.int64, size: np.int64) -> bytes:
        return self.buffer[start : start + size]


def read_table(captures: Mapping[Tap, Path]) -> PacketTable:
    """Read the captures of all taps into one table.

    Raises CaptureError when one of the files cannot be read.
    """
    taps = tuple(captures)
    files = [read_capture(path) for path in captures.values()]
    buffer = b"".join(file.data for file in files)
    rows = np.array(list(_all_rows(taps, files, buffer)), dtype=_ROW)
    rows = rows[np.argsort(rows["time"], kind="stable")]
    columns = {name: np.ascontiguousarray(rows[name]) for name in _ROW.fields or ()}
    return PacketTable(taps=taps, buffer=buffer, **columns)


def demultiplex(payload: bytes) -> Kind:
    """The kind of a UDP payload by its first byte (RFC 7983, section 7; RFC 5761, section 4)."""
    first = payload[0] if payload else 0
    if first <= 3:
        return Kind.STUN if _is_stun(payload) else Kind.UDP
    if 20 <= first <= 63:
        return Kind.DTLS if len(payload) >= _DTLS_RECORD_HEADER else Kind.UDP
    if 64 <= first <= 79:
        return Kind.CHANNEL_DATA if _is_channel_data(payload) else Kind.UDP
    if 128 <= first <= 191:
        return _rtp_or_rtcp(payload)
    return Kind.UDP


def _is_stun(payload: bytes) -> bool:
    return len(payload) >= stun.HEADER_SIZE and payload[4:8] == stun.MAGIC


def _is_indication(payload: bytes) -> bool:
    return payload[:2] in _INDICATIONS


def _is_channel_data(payload: bytes) -> bool:
    """Whether the length field fits; over UDP, padding to 4 bytes may follow (RFC 8656, 12.5)."""
    padding = len(payload) - _CHANNEL_DATA_HEADER - int.from_bytes(payload[2:4])
    return 0 <= padding <= 3


def _rtp_or_rtcp(payload: bytes) -> Kind:
    if len(payload) >= _RTCP_HEADER and 192 <= payload[1] <= 223:
        return Kind.RTCP
    return Kind.RTP if len(payload) >= _RTP_HEADER else Kind.UDP


#: One row while the table is being read: the columns of PacketTable in their order.
_ROW = np.dtype(
    [
        ("tap", np.int16),
        ("frame", np.int64),
        ("time", np.int64),
        ("outgoing", np.bool_),
        ("src_mac", np.uint64),
        ("dst_mac", np.uint64),
        ("src", np.uint32),
        ("dst", np.uint32),
        ("sport", np.uint16),
        ("dport", np.uint16),
        ("protocol", np.uint8),
        ("kind", np.uint8),
        ("inner_kind", np.uint8),
        ("fingerprint", np.uint64),
        ("frame_start", np.int64),
        ("frame_size", np.int64),
        ("transport_start", np.int64),
        ("payload_start", np.int64),
        ("payload_size", np.int64),
        ("inner_start", np.int64),
        ("inner_size", np.int64),
    ]
)


class _Span(NamedTuple):
    """Bytes of the buffer, and what they are."""

    kind: Kind
    start: int
    end: int


class _Packet(NamedTuple):
    """What the headers of one frame say."""

    payload: _Span
    src: int = 0
    dst: int = 0
    sport: int = 0
    dport: int = 0
    protocol: int = 0
    transport: int = 0


def _all_rows(
    taps: tuple[Tap, ...], files: list[Capture], buffer: bytes
) -> Iterator[tuple[int, ...]]:
    base = 0
    for index, (tap, file) in enumerate(zip(taps, files, strict=True)):
        own = None if tap.mac is None else int(tap.mac.replace(":", ""), 16)
        for number, record in enumerate(file.records, start=1):
            here = record._replace(start=base + record.start)
            yield index, number, record.time, *_frame_columns(buffer, here, own)
        base += len(file.data)


def _frame_columns(buffer: bytes, record: Record, own_mac: int | None) -> tuple[int, ...]:
    """The columns of _ROW from ``outgoing`` on."""
    start, end = record.start, record.start + record.size
    dst_mac = int.from_bytes(buffer[start : min(start + 6, end)])
    src_mac = int.from_bytes(buffer[start + 6 : min(start + 12, end)])
    whole = record.size >= max(record.original, _ETHERNET_HEADER)
    packet = _ethernet(buffer, start, end) if whole else _Packet(_nothing(end))
    payload, inner = packet.payload, _innermost(buffer, packet.payload)
    return (
        src_mac == own_mac,
        src_mac,
        dst_mac,
        packet.src,
        packet.dst,
        packet.sport,
        packet.dport,
        packet.protocol,
        payload.kind,
        inner.kind,
        _fingerprint(buffer, inner) if packet.protocol == IP_UDP else 0,
        start,
        record.size,
        packet.transport,
        payload.start,
        payload.end - payload.start,
        inner.start,
        inner.end - inner.start,
    )


def _nothing(end: int) -> _Span:
    """No payload that could be read."""
    return _Span(Kind.OTHER, end, end)


def _ethernet(buffer: bytes, start: int, end: int) -> _Packet:
    ethertype = int.from_bytes(buffer[start + 12 : start + 14])
    payload = start + _ETHERNET_HEADER
    if ethertype == _ETHERTYPE_IPV4:
        return _ipv4(buffer, payload, end)
    kind = _BY_ETHERTYPE.get(ethertype)
    return _Packet(_nothing(end) if kind is None else _Span(kind, payload, end))


_BY_ETHERTYPE = {_ETHERTYPE_ARP: Kind.ARP, CANARY_ETHERTYPE: Kind.CANARY}


def _ipv4(buffer: bytes, start: int, end: int) -> _Packet:
    """Read an IPv4 packet (RFC 791, section 3.1); bytes after it are padding of the frame."""
    if end - start < _IPV4_HEADER or buffer[start] >> 4 != 4:
        return _Packet(_nothing(end))
    version_ihl, total, fragment, protocol, src, dst = struct.unpack_from(
        ">BxHxxHxBxxII", buffer, start
    )
    # Segmentation offload may leave the length of a large segment 0: it fills the frame.
    packet_end = start + total if total else end
    transport = start + (version_ihl & 0x0F) * 4
    packet = _Packet(_nothing(end), src, dst, protocol=protocol)
    read = _TRANSPORTS.get(protocol)
    fits = start + _IPV4_HEADER <= transport <= packet_end <= end
    if read is None or not fits or fragment & _FRAGMENT_OFFSET:
        return packet
    return read(buffer, packet, transport, packet_end)


def _udp(buffer: bytes, packet: _Packet, start: int, end: int) -> _Packet:
    """Read a UDP datagram (RFC 768); one that its packet does not hold whole stays OTHER."""
    if end - start < _UDP_HEADER:
        return packet
    sport, dport, size = struct.unpack_from(">HHH", buffer, start)
    packet = packet._replace(sport=sport, dport=dport)
    if not _UDP_HEADER <= size <= end - start:
        return packet
    payload, payload_end = start + _UDP_HEADER, start + size
    is_dns = DNS_PORT in (sport, dport)
    kind = Kind.DNS if is_dns else demultiplex(buffer[payload:payload_end])
    return packet._replace(payload=_Span(kind, payload, payload_end))


def _tcp(buffer: bytes, packet: _Packet, start: int, end: int) -> _Packet:
    """Read a TCP segment (RFC 9293, section 3.1)."""
    if end - start < _TCP_HEADER:
        return packet
    sport, dport = struct.unpack_from(">HH", buffer, start)
    payload = start + (buffer[start + 12] >> 4) * 4
    if not start + _TCP_HEADER <= payload <= end:
        return packet._replace(sport=sport, dport=dport)
    span = _Span(Kind.TCP, payload, end)
    return packet._replace(payload=span, sport=sport, dport=dport, transport=start)


def _icmp(_buffer: bytes, packet: _Packet, start: int, end: int) -> _Packet:
    return packet._replace(payload=_Span(Kind.ICMP, start, end))


_TRANSPORTS = {IP_ICMP: _icmp, IP_TCP: _tcp, IP_UDP: _udp}


def _innermost(buffer: bytes, span: _Span) -> _Span:
    """Unwrap ChannelData and indications until something else comes to light."""
    while inside := _wrapped(buffer, span):
        start, end = inside
        span = _Span(demultiplex(buffer[start:end]), start, end)
    return span


def _wrapped(buffer: bytes, span: _Span) -> tuple[int, int] | None:
    """Start and end of what a TURN message carries for a peer (RFC 8656, sections 11 and 12)."""
    if span.kind is Kind.CHANNEL_DATA:
        start = span.start + _CHANNEL_DATA_HEADER
        return start, start + int.from_bytes(buffer[span.start + 2 : start])
    message = buffer[span.start : span.end]
    if span.kind is not Kind.STUN or not _is_indication(message):
        return None
    try:
        data = stun.parse(message).find(stun.AttributeType.DATA)
    except stun.StunError:
        return None
    return data and (span.start + data.start, span.start + data.start + len(data.value))


def _fingerprint(buffer: bytes, span: _Span) -> int:
    if span.start == span.end:
        return 0
    digest = blake2b(buffer[span.start : span.end], digest_size=8)
    return int.from_bytes(digest.digest())

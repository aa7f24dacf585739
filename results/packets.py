"""The packet table: every packet of a run, one row each, in columns.

Evidence selects rows by their columns and looks at the bytes of the few that
matter. The table keeps the bytes of all captures in one buffer and, for each
row, where frame, payload and innermost payload lie in it; how the columns are
filled is a matter of :func:`read_table` alone.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from results import stun
from results.capture import Capture, LinkType, Record
from results.captures import read_capture
from results.frames import (
    IP_ICMP,
    IP_TCP,
    IP_UDP,
    Kind,
    Span,
    demultiplex,
    headers,
    innermost,
    is_indication,
)
from results.tunnels import Tunnel, mark_tunnel
from topologies.spec import Tap

__all__ = [
    "ACK",
    "FIN",
    "IP_ICMP",
    "IP_TCP",
    "IP_UDP",
    "RST",
    "SYN",
    "Kind",
    "PacketTable",
    "TcpHeader",
    "demultiplex",
    "read_table",
]

#: TCP flags (RFC 9293, section 3.1).
FIN = 0x01
SYN = 0x02
RST = 0x04
ACK = 0x10


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
    #: True when the frame left the tap's host here; never on a loopback.
    outgoing: NDArray[np.bool_]
    src_mac: NDArray[np.uint64]
    dst_mac: NDArray[np.uint64]
    src: NDArray[np.uint32]
    dst: NDArray[np.uint32]
    sport: NDArray[np.uint16]
    dport: NDArray[np.uint16]
    #: IP protocol number, 0 where the packet is not IPv4.
    protocol: NDArray[np.uint8]
    #: Time to live, which every router on the way takes one from (RFC 791, section 3.2).
    ttl: NDArray[np.uint8]
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
    #: The interface that each capture names as its own, in the order of the taps.
    interfaces: tuple[str | None, ...] = ()

    def __len__(self) -> int:
        return len(self.time)

    def ethernet(self, row: int) -> bytes:
        """The whole captured frame, padding included."""
        return self._bytes(self.frame_start[row], self.frame_size[row])

    def payload(self, row: int) -> bytes:
        """What UDP or TCP carries; of ICMP its message, of ARP and canary frames all but Ethernet.

        Empty for kind OTHER: a packet that could not be read to its payload.
        """
        return self._bytes(self.payload_start[row], self.payload_size[row])

    def innermost(self, row: int) -> bytes:
        """The payload after unwrapping ChannelData and Send and Data indications."""
        return self._bytes(self.inner_start[row], self.inner_size[row])

    def peer(self, row: int) -> tuple[int, int] | None:
        """XOR-PEER-ADDRESS of a Send or Data indication as (IPv4 address, port)."""
        if self.kind[row] != Kind.STUN or not is_indication(self.payload(row)):
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


def read_table(captures: Mapping[Tap, Path], tunnels: Sequence[Tunnel] = ()) -> PacketTable:
    """Read the captures of all taps into one table; ``tunnels`` are those of the network.

    Raises CaptureError when one of the files cannot be read.
    """
    taps = tuple(captures)
    files = [read_capture(path) for path in captures.values()]
    buffer = b"".join(file.data for file in files)
    rows = np.array(list(_all_rows(taps, files, buffer)), dtype=_ROW)
    rows = rows[np.argsort(rows["time"], kind="stable")]
    for tunnel in tunnels:
        mark_tunnel(rows, buffer, taps, tunnel)
    columns = {name: np.ascontiguousarray(rows[name]) for name in _ROW.fields or ()}
    interfaces = tuple(file.interface for file in files)
    return PacketTable(taps=taps, buffer=buffer, interfaces=interfaces, **columns)


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
        ("ttl", np.uint8),
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


def _all_rows(
    taps: tuple[Tap, ...], files: list[Capture], buffer: bytes
) -> Iterator[tuple[int, ...]]:
    base = 0
    for index, (tap, file) in enumerate(zip(taps, files, strict=True)):
        own = None if tap.mac is None else int(tap.mac.replace(":", ""), 16)
        for number, record in enumerate(file.records, start=1):
            here = record._replace(start=base + record.start)
            columns = _frame_columns(buffer, here, file.link_type, own)
            yield index, number, record.time, *columns
        base += len(file.data)


def _frame_columns(
    buffer: bytes, record: Record, link_type: LinkType, own_mac: int | None
) -> tuple[int, ...]:
    """The columns of _ROW from ``outgoing`` on."""
    packet = headers(buffer, record, link_type)
    payload, inner = packet.payload, innermost(buffer, packet.payload)
    return (
        packet.src_mac == own_mac,
        packet.src_mac,
        packet.dst_mac,
        packet.src,
        packet.dst,
        packet.sport,
        packet.dport,
        packet.protocol,
        packet.ttl,
        payload.kind,
        inner.kind,
        _fingerprint(buffer, inner) if packet.protocol == IP_UDP else 0,
        record.start,
        record.size,
        packet.transport,
        payload.start,
        payload.end - payload.start,
        inner.start,
        inner.end - inner.start,
    )


def _fingerprint(buffer: bytes, span: Span) -> int:
    if span.start == span.end:
        return 0
    digest = blake2b(buffer[span.start : span.end], digest_size=8)
    return int.from_bytes(digest.digest())

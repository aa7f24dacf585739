"""The columns of the packet table, one row each packet."""

from dataclasses import dataclass, fields
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from results.wire.data import Flags, Places


@dataclass(eq=False)
class Columns:
    """What each packet is, and where it lies in its file.

    Addresses are numbers in the obvious reading: ``int(IPv4Address("10.0.0.1"))``,
    the six bytes of a MAC address as one integer. A column is 0 where the packet
    has no such thing.
    """

    #: Number of the frame in its tap's capture, from 1, as Wireshark shows it.
    frame: NDArray[np.int64]
    #: Nanoseconds since the epoch.
    time: NDArray[np.int64]
    #: True when the frame left the tap's host here; never on a loopback.
    outgoing: NDArray[np.bool_]
    src_mac: NDArray[np.uint64]
    dst_mac: NDArray[np.uint64]
    #: 4 or 6.
    version: NDArray[np.uint8]
    #: Addresses of IPv4.
    src: NDArray[np.uint32]
    dst: NDArray[np.uint32]
    #: Addresses of IPv6: upper and lower half, one row each packet.
    src6: NDArray[np.uint64]
    dst6: NDArray[np.uint64]
    sport: NDArray[np.uint16]
    dport: NDArray[np.uint16]
    #: IP protocol number; of IPv6 that of the last header.
    protocol: NDArray[np.uint8]
    #: Time to live, which every router on the way takes one from (RFC 791, section 3.2).
    ttl: NDArray[np.uint8]
    #: Sequence number and flags of TCP (RFC 9293, section 3.1).
    tcp_seq: NDArray[np.uint32]
    tcp_flags: NDArray[np.uint8]
    #: Of fragments: the flag "more fragments" and the offset as in IPv4 (RFC 791, section 3.1),
    #: and what the fragments of one packet have in common.
    fragment: NDArray[np.uint16]
    fragment_id: NDArray[np.uint32]
    #: Kind of the outermost payload.
    kind: NDArray[np.uint8]
    #: Kind of the innermost payload; equal to ``kind`` where nothing is wrapped.
    inner_kind: NDArray[np.uint8]
    #: Message type of STUN: method and class (RFC 8489, section 5), of the outermost payload
    #: and of the innermost.
    stun_type: NDArray[np.uint16]
    inner_stun_type: NDArray[np.uint16]
    #: Of the innermost payload: SSRC of RTP, and of the sender of RTCP (RFC 3550).
    ssrc: NDArray[np.uint32]
    #: Sequence number, timestamp and payload type of RTP; of RTCP the packet type.
    sequence: NDArray[np.uint16]
    rtp_time: NDArray[np.uint32]
    payload_type: NDArray[np.uint8]
    #: Of the innermost UDP payload (results.wire.fingerprint), 0 where there is none.
    fingerprint: NDArray[np.uint64]
    # Where things lie in the file: the frame, the IP payload, what is in that.
    frame_start: NDArray[np.int64]
    frame_size: NDArray[np.int64]
    transport_start: NDArray[np.int64]
    transport_size: NDArray[np.int64]
    payload_start: NDArray[np.int64]
    payload_size: NDArray[np.int64]
    inner_start: NDArray[np.int64]
    inner_size: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.time)

    def addresses(self, rows: NDArray[np.intp]) -> tuple[list[int], list[int]]:
        """Source and destination of packets as numbers, of IPv6 of 128 bits."""
        six = np.flatnonzero(self.version[rows] == 6)
        both = []
        for four, halves in ((self.src, self.src6), (self.dst, self.dst6)):
            numbers: list[int] = four[rows].tolist()
            for place, (upper, lower) in zip(six.tolist(), halves[rows[six]].tolist(), strict=True):
                numbers[place] = upper << _HALF_BITS | lower
            both.append(numbers)
        return both[0], both[1]

    def addresses_of(self, row: int) -> tuple[int, int]:
        """Source and destination of one packet."""
        if self.version[row] != 6:
            return int(self.src[row]), int(self.dst[row])
        source, target = self.src6[row].tolist(), self.dst6[row].tolist()
        return source[0] << _HALF_BITS | source[1], target[0] << _HALF_BITS | target[1]

    def is_from(self, address: int, rows: slice) -> Flags:
        """Which of some packets come from an address."""
        return _equal(self.src[rows], self.src6[rows], address)

    def is_to(self, address: int, rows: slice) -> Flags:
        """Which of some packets go to an address."""
        return _equal(self.dst[rows], self.dst6[rows], address)

    @classmethod
    def blank(cls, count: int) -> Self:
        """So many packets of which nothing is known."""
        return cls(**{name: np.zeros(shape(name, count), kind) for name, kind in TYPES.items()})


#: Name of a column -> the type of its numbers.
TYPES: dict[str, np.dtype[np.generic]] = {
    "frame": np.dtype(np.int64),
    "time": np.dtype(np.int64),
    "outgoing": np.dtype(np.bool_),
    "src_mac": np.dtype(np.uint64),
    "dst_mac": np.dtype(np.uint64),
    "version": np.dtype(np.uint8),
    "src": np.dtype(np.uint32),
    "dst": np.dtype(np.uint32),
    "src6": np.dtype(np.uint64),
    "dst6": np.dtype(np.uint64),
    "sport": np.dtype(np.uint16),
    "dport": np.dtype(np.uint16),
    "protocol": np.dtype(np.uint8),
    "ttl": np.dtype(np.uint8),
    "tcp_seq": np.dtype(np.uint32),
    "tcp_flags": np.dtype(np.uint8),
    "fragment": np.dtype(np.uint16),
    "fragment_id": np.dtype(np.uint32),
    "kind": np.dtype(np.uint8),
    "inner_kind": np.dtype(np.uint8),
    "stun_type": np.dtype(np.uint16),
    "inner_stun_type": np.dtype(np.uint16),
    "ssrc": np.dtype(np.uint32),
    "sequence": np.dtype(np.uint16),
    "rtp_time": np.dtype(np.uint32),
    "payload_type": np.dtype(np.uint8),
    "fingerprint": np.dtype(np.uint64),
    "frame_start": np.dtype(np.int64),
    "frame_size": np.dtype(np.int64),
    "transport_start": np.dtype(np.int64),
    "transport_size": np.dtype(np.int64),
    "payload_start": np.dtype(np.int64),
    "payload_size": np.dtype(np.int64),
    "inner_start": np.dtype(np.int64),
    "inner_size": np.dtype(np.int64),
}

NAMES = tuple(field.name for field in fields(Columns))

_PAIRS = ("src6", "dst6")

#: Bits of half an IPv6 address.
_HALF_BITS = 64


def shape(name: str, count: int) -> tuple[int, ...]:
    """The shape of a column with so many rows."""
    return (count, 2) if name in _PAIRS else (count,)


def _equal(four: NDArray[np.uint32], six: NDArray[np.uint64], address: int) -> Flags:
    upper, lower = address >> _HALF_BITS, address % 2**_HALF_BITS
    if not upper:
        return np.asarray(four == lower, np.bool_)
    return np.asarray((six[:, 0] == upper) & (six[:, 1] == lower), np.bool_)


class Spans(NamedTuple):
    """Rows of some packets, and where in each of them something lies."""

    rows: NDArray[np.intp]
    start: Places
    end: Places

    @property
    def sizes(self) -> Places:
        """Sizes in bytes."""
        return self.end - self.start

    def only(self, which: Flags) -> "Spans":
        """Those that are flagged."""
        return self if which.all() else self.at(np.flatnonzero(which))

    def at(self, index: NDArray[np.intp]) -> "Spans":
        """Those with these numbers."""
        return Spans(self.rows[index], self.start[index], self.end[index])

"""Lanes: one conversation over UDP as one file has it, before and after each NAT and relay.

A lane is a file, two transport addresses, and within TURN also the peer, since one
client has many peers by way of one relay.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from results import stun
from results.packets import IP_UDP, Kind, PacketTable

Rows = NDArray[np.intp]
Numbers = NDArray[np.int64]

#: What ICE agents send each other, and what carries it for them.
_OF_CALLS = (Kind.STUN, Kind.CHANNEL_DATA, Kind.DTLS, Kind.RTP, Kind.RTCP)

_PORT_BITS = 16
_CHANNEL = np.dtype(">u2")


class End(NamedTuple):
    """A transport address."""

    ip: IPv4Address | IPv6Address
    port: int

    def __str__(self) -> str:
        return f"[{self.ip}]:{self.port}" if self.ip.version == 6 else f"{self.ip}:{self.port}"


class Ends(NamedTuple):
    """From where to where."""

    src: End
    dst: End


@dataclass(frozen=True, eq=False)
class Lane:
    """The packets of one conversation in one file, in the order of their times."""

    table: PacketTable
    #: Index of the file.
    file: int
    #: The two ends, in no particular order.
    ends: Ends
    #: With whom the client speaks by way of the relay; None where nothing is wrapped, a channel's
    #: number where its binding was not seen.
    peer: End | int | None
    rows: Rows
    #: Whether each packet goes from the first end to the second.
    forward: NDArray[np.bool_]

    @property
    def wrapped(self) -> bool:
        """Whether TURN carries the packets here."""
        return self.peer is not None

    @property
    def name(self) -> str:
        """The file."""
        return self.table.taps[self.file].name

    def sent(self, *, forward: bool) -> Rows:
        """The packets of one direction."""
        found: Rows = self.rows[self.forward == forward]
        return found

    def directed(self, *, forward: bool) -> Ends:
        """The ends as the packets of one direction have them."""
        return self.ends if forward else Ends(self.ends.dst, self.ends.src)

    def of_kind(self, *kinds: Kind) -> Rows:
        """The packets with this innermost payload."""
        found: Rows = self.rows[np.isin(self.table.inner_kind[self.rows], kinds)]
        return found

    def goes_forward(self, row: int) -> bool:
        """Whether one of the packets goes from the first end to the second."""
        return bool(self.forward[np.searchsorted(self.rows, row)])


def end(address: int, port: int) -> End:
    """An end whose IPv4 address is a number."""
    return End(IPv4Address(int(address)), int(port))


def ends_of(table: PacketTable, row: int) -> Ends:
    """The outer ends of a packet."""
    return Ends(
        end(table.src[row], table.sport[row]),
        end(table.dst[row], table.dport[row]),
    )


def lanes_of(table: PacketTable) -> list[Lane]:
    """All lanes in which something is that ICE agents may send."""
    rows = np.flatnonzero((table.protocol == IP_UDP) & np.isin(table.kind, _OF_CALLS))
    src = _packed(table.src[rows], table.sport[rows])
    dst = _packed(table.dst[rows], table.dport[rows])
    low, high = np.minimum(src, dst), np.maximum(src, dst)
    peers = _peers(table, rows, low, high)
    keys = np.stack([table.tap[rows].astype(np.int64), low, high, peers], axis=1)
    distinct, label = np.unique(keys, axis=0, return_inverse=True)
    order = np.argsort(label.ravel(), kind="stable")
    bounds = np.searchsorted(label.ravel()[order], np.arange(len(distinct) + 1))
    found = []
    for index, (file, first, second, peer) in enumerate(distinct.tolist()):
        own = order[bounds[index] : bounds[index + 1]]
        lane_ends = Ends(_unpacked(first), _unpacked(second))
        found.append(Lane(table, file, lane_ends, _peer(peer), rows[own], src[own] == low[own]))
    return sorted(found, key=lambda lane: int(lane.rows[0]))


def _packed(address: NDArray[np.integer], port: NDArray[np.integer]) -> Numbers:
    """Address and port as one number."""
    return address.astype(np.int64) << _PORT_BITS | port.astype(np.int64)


def _unpacked(packed: int) -> End:
    return end(packed >> _PORT_BITS, packed & 0xFFFF)


def _peer(number: int) -> End | int | None:
    if number == 0:
        return None
    return _unpacked(number) if number >> _PORT_BITS else number


def _peers(table: PacketTable, rows: Rows, low: Numbers, high: Numbers) -> Numbers:
    """For each packet the peer within TURN, as a number; 0 where nothing is wrapped."""
    peers = np.zeros(len(rows), np.int64)
    channel = np.flatnonzero(table.kind[rows] == Kind.CHANNEL_DATA)
    places = table.payload_start[rows[channel]][:, None] + np.arange(_CHANNEL.itemsize)
    peers[channel] = np.frombuffer(table.buffer, np.uint8)[places].view(_CHANNEL).ravel()
    said = np.flatnonzero(table.kind[rows] == Kind.STUN)
    bound: dict[tuple[int, int, int, int], int] = {}
    for at in said.tolist():
        row = int(rows[at])
        peer = table.peer(row)
        if peer:
            peers[at] = peer[0] << _PORT_BITS | peer[1]
        for number, packed in _bindings(table, row):
            bound[int(table.tap[row]), int(low[at]), int(high[at]), number] = packed
    _name_channels(peers, channel, (table.tap[rows], low, high), bound)
    return peers


def _bindings(table: PacketTable, row: int) -> Iterator[tuple[int, int]]:
    """The channel and the peer of a ChannelBind request (RFC 8656, section 12.1)."""
    try:
        message = stun.parse(table.payload(row))
        peer, channel = message.xor_peer_address, message.channel_number
    except stun.StunError:
        return
    if message.method == stun.Method.CHANNEL_BIND and peer and channel and peer.ip.version == 4:
        yield channel, int(peer.ip) << _PORT_BITS | peer.port


def _name_channels(
    peers: Numbers,
    channel: Rows,
    lane: tuple[NDArray[np.int16], Numbers, Numbers],
    bound: Mapping[tuple[int, int, int, int], int],
) -> None:
    """Put peers in the place of the channels' numbers, where their bindings were seen."""
    tap, low, high = lane
    for (file, first, second, number), packed in bound.items():
        own = (tap[channel] == file) & (low[channel] == first) & (high[channel] == second)
        own &= peers[channel] == number
        peers[channel[own]] = packed

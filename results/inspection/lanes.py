"""Lanes: one conversation over UDP as one file has it, before and after each NAT and relay.

A lane is a file, two transport addresses, and within TURN also the peer, since one
client has many peers by way of one relay.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from results.packets import IP_UDP, Kind, PacketTable
from results.protocols import stun
from results.tracing.identity import identities

Rows = NDArray[np.intp]
Numbers = NDArray[np.int64]

#: What ICE agents send each other, and what carries it for them.
_OF_CALLS = (Kind.STUN, Kind.CHANNEL_DATA, Kind.DTLS, Kind.RTP, Kind.RTCP)

#: Types of the messages that name a peer: Send, Data, ChannelBind (RFC 8656, section 17).
_CHANNEL_BIND = 0x0009
_NAMING_PEERS = (0x0016, 0x0017, _CHANNEL_BIND)

_HALF_BITS = 64


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
    #: Index of the file, or of the interface where a file has several: of the table's tap.
    file: int
    #: The two ends, in no particular order.
    ends: Ends
    #: With whom the client speaks by way of the relay; a channel's number where its binding
    #: was not seen; None where nothing is wrapped.
    peer: End | int | None
    rows: Rows
    #: Whether each packet goes from the first end to the second.
    forward: NDArray[np.bool_]
    #: Row of the table -> a number, equal where the innermost payloads are the same bytes.
    identity: Numbers

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


def ends_of(table: PacketTable, row: int) -> Ends:
    """The outer ends of a packet."""
    if table.version[row] == 6:
        source, target = (_ipv6(halves[row]) for halves in (table.src6, table.dst6))
        return Ends(End(source, int(table.sport[row])), End(target, int(table.dport[row])))
    src, dst = IPv4Address(int(table.src[row])), IPv4Address(int(table.dst[row]))
    return Ends(End(src, int(table.sport[row])), End(dst, int(table.dport[row])))


def _ipv6(halves: NDArray[np.uint64]) -> IPv6Address:
    return IPv6Address(int(halves[0]) << _HALF_BITS | int(halves[1]))


def labels(*columns: NDArray[np.generic]) -> Numbers:
    """The same number for rows that are alike in all columns."""
    label = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        distinct, own = np.unique(column, return_inverse=True)
        label = np.unique(label * max(len(distinct), 1) + own, return_inverse=True)[1]
    return label


def end_labels(table: PacketTable, rows: Rows) -> tuple[Numbers, Numbers]:
    """The same number for the same transport address, whether a packet is from or to it."""
    high = np.concatenate([table.src6[rows, 0], table.dst6[rows, 0]])
    low = np.concatenate([table.src6[rows, 1], table.dst6[rows, 1]])
    ipv4 = np.concatenate([table.src[rows], table.dst[rows]])
    port = np.concatenate([table.sport[rows], table.dport[rows]])
    label = labels(high, low, ipv4, port)
    return label[: len(rows)], label[len(rows) :]


def lanes_of(table: PacketTable) -> list[Lane]:
    """All lanes in which something is that ICE agents may send, by their first packets."""
    rows = np.flatnonzero((table.protocol == IP_UDP) & np.isin(table.kind, _OF_CALLS))
    src, dst = end_labels(table, rows)
    low, high = np.minimum(src, dst), np.maximum(src, dst)
    link = labels(table.tap[rows], low, high)
    peers, names = _peers(table, rows, link)
    lane = labels(link, peers)
    order = np.argsort(lane, kind="stable")
    identity = np.full(len(table), -1)
    identity[rows] = identities(table, rows)
    parts = np.split(order, np.flatnonzero(np.diff(lane[order])) + 1) if len(rows) else []
    found = [
        Lane(
            table=table,
            file=int(table.tap[rows[own[0]]]),
            ends=ends_of(table, int(rows[own[0]])),
            peer=names[int(peers[own[0]])],
            rows=rows[own],
            forward=src[own] == src[own[0]],
            identity=identity,
        )
        for own in parts
    ]
    return sorted(found, key=lambda one: int(one.rows[0]))


def _peers(table: PacketTable, rows: Rows, link: Numbers) -> tuple[Numbers, list[End | int | None]]:
    """For each packet the number of its peer within TURN, and the names of the numbers."""
    numbers: dict[End | int | None, int] = {None: 0}
    peers = np.zeros(len(rows), np.int64)
    channels = np.flatnonzero(table.kind[rows] == Kind.CHANNEL_DATA)
    head = table.octets(rows[channels], table.payload_start[rows[channels]], 2).astype(np.int64)
    channel = head[:, 0] << 8 | head[:, 1]
    for one in np.unique(channel).tolist():
        peers[channels[channel == one]] = numbers.setdefault(one, len(numbers))
    bound: dict[tuple[int, int], int] = {}
    for at in np.flatnonzero(np.isin(table.stun_type[rows], _NAMING_PEERS)).tolist():
        peer, number = _named(table, int(rows[at]))
        if peer and number is None:
            peers[at] = numbers.setdefault(peer, len(numbers))
        elif peer and number:
            bound[int(link[at]), number] = numbers.setdefault(peer, len(numbers))
    for (where, number), name in bound.items():
        peers[channels[(channel == number) & (link[channels] == where)]] = name
    return peers, list(numbers)


def _named(table: PacketTable, row: int) -> tuple[End | None, int | None]:
    """The peer that a message names, and the channel to which it binds it, if any."""
    try:
        message = stun.parse(table.payload(row))
        peer, channel = message.xor_peer_address, message.channel_number
    except stun.StunError:
        return None, None
    bound = channel if message.method == stun.Method.CHANNEL_BIND else None
    wanted = peer is not None and (bound is None) is (message.method != stun.Method.CHANNEL_BIND)
    return (End(*peer) if peer and wanted else None), bound

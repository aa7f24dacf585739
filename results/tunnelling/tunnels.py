"""What a VPN's description tells about its packets, and no capture alone does.

On a tunnel's interface there is no link layer: the addresses alone say which way a
packet went. Each end takes in and lets out only what WireGuard's cryptokey routing
allows: at the gateway, a client's packets bear the client's address.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from results.canary_frames import CANARY_PORT
from results.wire.kinds import Kind
from results.wire.transport import IP_UDP
from topologies.spec import Network, Tap, Vpn

if TYPE_CHECKING:
    from results.packets import PacketTable

#: Sizes in bytes of what WireGuard adds to a padded packet, and of its padding
#: (whitepaper, section 5.4.6): a header of 16 and a tag of 16; padded to 16.
DATA_OVERHEAD = 32
PADDING = 16

#: Message types (whitepaper, section 5.4); three zero bytes follow.
TRANSPORT_DATA = 4
_TYPES = (1, 2, 3, TRANSPORT_DATA)

#: What every canary's payload begins with (results.canary_frames.canary).
_CANARY = b"callpath "

#: Where time to live and checksum lie in an IPv4 header: what a router changes.
_TTL, _AFTER_TTL, _CHECKSUM, _AFTER_CHECKSUM = 8, 9, 10, 12


@dataclass(frozen=True)
class Tunnel:
    """A VPN with its addresses as numbers, as in the packet table."""

    vpn: Vpn
    #: Where the gateway listens.
    outside: tuple[int, int]
    #: Address in the tunnel -> host.
    clients: dict[int, str]

    def address(self, host: str) -> int:
        """The address of an end in the tunnel."""
        return int(self.vpn.ends()[host])

    def reaches(self, address: int) -> bool:
        """Whether a client's AllowedIPs hold an address: both as destination and as source."""
        allowed = (*self.vpn.tunnelled, IPv4Network(self.vpn.gateway_address))
        return any(IPv4Address(address) in prefix for prefix in allowed)

    def client_at(self, address: int) -> str | None:
        """The client that has this address in the tunnel, or None."""
        return self.clients.get(address)


def tunnels_of(network: Network) -> tuple[Tunnel, ...]:
    """The tunnels of a network."""
    return tuple(_tunnel(network, vpn) for vpn in network.vpns)


def _tunnel(network: Network, vpn: Vpn) -> Tunnel:
    legs = network.host(vpn.gateway).interfaces
    outside = next(leg.address.ip for leg in legs if leg.link == vpn.outside)
    clients = {int(client.address): client.host for client in vpn.clients}
    return Tunnel(vpn, (int(outside), vpn.port), clients)


def mark_tunnels(table: "PacketTable", tunnels: Sequence[Tunnel]) -> None:
    """Set the direction of packets in tunnels, and the kinds of those that only they have."""
    guessed = np.flatnonzero(table.kind == Kind.WIREGUARD)
    table.kind[guessed] = table.inner_kind[guessed] = Kind.UDP
    for tunnel in tunnels:
        _mark_wireguard(table, tunnel)
        for index, tap in enumerate(table.taps):
            if tap.tunnel == tunnel.vpn.name:
                here = np.flatnonzero(table.tap == index)
                table.outgoing[here] = _outgoing(table, here, tunnel, tap)
                _mark_canaries(table, here)


def _mark_wireguard(table: "PacketTable", tunnel: Tunnel) -> None:
    address, port = tunnel.outside
    there = ((table.dst == address) & (table.dport == port)) | (
        (table.src == address) & (table.sport == port)
    )
    sized = table.payload_size >= DATA_OVERHEAD
    rows = np.flatnonzero(there & sized & (table.protocol == IP_UDP) & (table.version == 4))
    head = table.octets(rows, table.payload_start[rows], 4)
    rows = rows[np.isin(head[:, 0], _TYPES) & ~head[:, 1:].any(axis=1)]
    table.kind[rows] = table.inner_kind[rows] = Kind.WIREGUARD


def _mark_canaries(table: "PacketTable", here: NDArray[np.intp]) -> None:
    """Canaries that are UDP packets, since there are no frames; they have no path to follow."""
    for row in here[table.dport[here] == CANARY_PORT].tolist():
        if table.payload(row).startswith(_CANARY):
            table.kind[row] = table.inner_kind[row] = Kind.CANARY
            table.fingerprint[row] = 0


def _outgoing(
    table: "PacketTable", here: NDArray[np.intp], tunnel: Tunnel, tap: Tap
) -> NDArray[np.bool_]:
    """Which packets left the tap's host into the tunnel."""
    if tap.host != tunnel.vpn.gateway:
        return np.asarray(table.dst[here] != tunnel.address(tap.host), dtype=np.bool_)
    clients = np.array(list(tunnel.clients), dtype=np.uint32)
    outgoing = np.isin(table.dst[here], clients)
    between = np.flatnonzero(outgoing & np.isin(table.src[here], clients))
    outgoing[between] = _turned_back(table, here[between])
    return outgoing


def _turned_back(table: "PacketTable", rows: NDArray[np.intp]) -> list[bool]:
    """Of packets from client to client: which the gateway sends on, not takes in.

    Between the two lie the routers of its inner side, so a packet that is sent on
    has less time to live than the same one had before.
    """
    same = [_unrouted(table.ethernet(row)) for row in rows.tolist()]
    lives = table.ttl[rows].tolist()
    first: dict[bytes, int] = {}
    for packet, ttl in zip(same, lives, strict=True):
        first[packet] = max(first.get(packet, 0), ttl)
    return [ttl < first[packet] for packet, ttl in zip(same, lives, strict=True)]


def _unrouted(packet: bytes) -> bytes:
    """A packet without what routers change in it."""
    return packet[:_TTL] + packet[_AFTER_TTL:_CHECKSUM] + packet[_AFTER_CHECKSUM:]

"""What routers and hosts say of packets that they cannot deliver.

An ICMP error (RFC 792, "Destination Unreachable Message"; RFC 4443, section 3.1) quotes the
header of the packet that it is about, as it was where the error was made.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from results.packets import IP_UDP, Kind, PacketTable
from results.tracing.places import Places
from results.tracing.sightings import INVERSION, LONGEST_HOP, Ends, Sighting

#: The type of the error, by the version of IP.
_DESTINATION_UNREACHABLE = {4: 3, 6: 1}

#: The header of ICMP, that of IPv4 without options, and that of IPv6.
_ICMP_HEADER, _IPV4_HEADER, _IPV6_HEADER = 8, 20, 40

#: Codes of RFC 792 and RFC 1812, section 5.2.7.1; of RFC 4443, section 3.1.
_CODES = {
    4: {
        0: "network unreachable",
        1: "host unreachable",
        2: "protocol unreachable",
        3: "port unreachable",
        9: "network administratively prohibited",
        10: "host administratively prohibited",
        13: "communication administratively prohibited",
    },
    6: {
        0: "no route to destination",
        1: "communication administratively prohibited",
        3: "address unreachable",
        4: "port unreachable",
    },
}
_NO_ROUTE = {4: (0, 1), 6: (0, 3)}


class Unreachable(NamedTuple):
    """An error that a host sent about a UDP packet; ``about`` are that packet's ends."""

    row: int
    time: int
    host: str
    code: int
    about: Ends
    #: Of IP.
    version: int = 4

    @property
    def no_route(self) -> bool:
        """Whether there was no way to the destination, rather than nobody who wanted it."""
        return self.code in _NO_ROUTE[self.version]

    @property
    def words(self) -> str:
        """The error in words."""
        return _CODES[self.version].get(self.code, f"destination unreachable, code {self.code}")

    def answers(self, seen: Sighting) -> bool:
        """Whether this is the host's error about a packet that it had just seen."""
        soon = -INVERSION <= self.time - seen.time <= LONGEST_HOP
        return soon and self.host == seen.tap.host and self.about == seen.ends


def unreachables(table: PacketTable, places: Places) -> list[Unreachable]:
    """All such errors of a run, each where it was made, in the order of time."""
    return list(_unreachables(table, places))


def _unreachables(table: PacketTable, places: Places) -> Iterator[Unreachable]:
    is_icmp = (table.kind == Kind.ICMP) | (table.kind == Kind.ICMPV6)
    for row in np.flatnonzero(is_icmp & table.outgoing).tolist():
        host = table.taps[int(table.tap[row])].host
        message, version = table.payload(row), int(table.version[row])
        about = _quoted(message, version)
        if about and places.owner(table.addresses_of(row)[0]) == host:
            yield Unreachable(row, int(table.time[row]), host, message[1], about, version)


def _quoted(message: bytes, version: int) -> Ends | None:
    """The ends of the UDP packet that an error is about; None of anything else."""
    packet = message[_ICMP_HEADER:]
    shortest = _IPV4_HEADER if version == 4 else _IPV6_HEADER
    if message[:1] != bytes([_DESTINATION_UNREACHABLE[version]]) or len(packet) < shortest:
        return None
    if version == 4:
        protocol, addresses, ports = packet[9], (12, 16, 20), (packet[0] & 0x0F) * 4
    else:
        # No sender of ours uses extension headers.
        protocol, addresses, ports = packet[6], (8, 24, 40), _IPV6_HEADER
    if protocol != IP_UDP or len(packet) < ports + 4:
        return None
    bounds = (*pairwise(addresses), (ports, ports + 2), (ports + 2, ports + 4))
    src, dst, sport, dport = (int.from_bytes(packet[at:end]) for at, end in bounds)
    return Ends(src, sport, dst, dport)

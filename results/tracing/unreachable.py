"""What routers and hosts say of packets that they cannot deliver.

An ICMP error (RFC 792, "Destination Unreachable Message") quotes the header of the
packet that it is about, as it was where the error was made.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from results.packets import IP_UDP, Kind, PacketTable
from results.tracing.places import Places
from results.tracing.sightings import INVERSION, LONGEST_HOP, Ends, Sighting

_DESTINATION_UNREACHABLE = 3

#: The ICMP header, and an IPv4 header without options.
_ICMP_HEADER, _IPV4_HEADER = 8, 20

#: Codes of RFC 792 and RFC 1812, section 5.2.7.1.
_CODES = {
    0: "network unreachable",
    1: "host unreachable",
    2: "protocol unreachable",
    3: "port unreachable",
    9: "network administratively prohibited",
    10: "host administratively prohibited",
    13: "communication administratively prohibited",
}
_NO_ROUTE = (0, 1)


class Unreachable(NamedTuple):
    """An error that a host sent about a UDP packet; ``about`` are that packet's ends."""

    row: int
    time: int
    host: str
    code: int
    about: Ends

    @property
    def no_route(self) -> bool:
        """Whether there was no way to the destination, rather than nobody who wanted it."""
        return self.code in _NO_ROUTE

    @property
    def words(self) -> str:
        """The error in words."""
        return _CODES.get(self.code, f"destination unreachable, code {self.code}")

    def answers(self, seen: Sighting) -> bool:
        """Whether this is the host's error about a packet that it had just seen."""
        soon = -INVERSION <= self.time - seen.time <= LONGEST_HOP
        return soon and self.host == seen.tap.host and self.about == seen.ends


def unreachables(table: PacketTable, places: Places) -> list[Unreachable]:
    """All such errors of a run, each where it was made, in the order of time."""
    return list(_unreachables(table, places))


def _unreachables(table: PacketTable, places: Places) -> Iterator[Unreachable]:
    for row in np.flatnonzero((table.kind == Kind.ICMP) & table.outgoing).tolist():
        host = table.taps[int(table.tap[row])].host
        message = table.payload(row)
        about = _quoted(message)
        if about and places.owner(int(table.src[row])) == host:
            yield Unreachable(row, int(table.time[row]), host, message[1], about)


def _quoted(message: bytes) -> Ends | None:
    """The ends of the UDP packet that an error is about; None of anything else."""
    packet = message[_ICMP_HEADER:]
    if message[:1] != bytes([_DESTINATION_UNREACHABLE]) or len(packet) < _IPV4_HEADER:
        return None
    ports = (packet[0] & 0x0F) * 4
    if packet[9] != IP_UDP or len(packet) < ports + 4:
        return None
    numbers = (packet[at:end] for at, end in ((12, 16), (16, 20), (ports, ports + 2)))
    src, dst, sport = (int.from_bytes(number) for number in numbers)
    return Ends(src, sport, dst, int.from_bytes(packet[ports + 2 : ports + 4]))

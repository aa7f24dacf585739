"""One packet seen at one tap, and which sightings are of the same packet.

A frame's Ethernet source tells which interface sent it and its destination which
one takes it, so two sightings are joined across a link only where the MACs say so,
and inside a host only from an arrival to a departure. Nearness in time keeps a
retransmission from being joined with a copy that was dropped: payloads are equal,
but no retransmission of STUN comes sooner than 500 ms (RFC 8489, section 6.2.1;
RFC 8445, section 14.3), of DNS, DTLS and a TCP SYN 1 s (RFC 6347, section 4.2.4.1;
RFC 6298, section 2). SRTP and SRTCP are never sent again as they were: each packet has
an index of its own (RFC 3711, section 3.3).
"""

from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from results.packets import Kind, PacketTable
from results.tracing.lines import PLAIN, Line
from results.tracing.places import Places
from topologies.spec import Role, Tap

#: Longest time, in ns, that a packet may take over one link or through one host, and over an
#: impaired link more than it delays, whatever the packet is.
LONGEST_HOP = 400_000_000
#: The same for kinds that are sent again later than STUN, or never. A machine with too few
#: or emulated processors holds packets that long.
_LONGEST_HOPS = {
    Kind.DNS: 900_000_000,
    Kind.DTLS: 900_000_000,
    Kind.TCP: 900_000_000,
    Kind.RTP: 2_000_000_000,
    Kind.RTCP: 2_000_000_000,
}
#: The clocks of the two ends of a veth can invert by some µs; ns.
INVERSION = 1_000_000


class Way(Enum):
    """Which way a packet went past its tap."""

    OUT = "left the host"
    IN = "reached the host"
    LOOP = "went over the host's loopback"


class Ends(NamedTuple):
    """Addresses and ports of a packet's outer header, whatever its family."""

    src: int
    sport: int
    dst: int
    dport: int

    def reversed(self) -> "Ends":
        """The same two ends, in the other direction."""
        return Ends(self.dst, self.dport, self.src, self.sport)


class Sighting(NamedTuple):
    """One packet at one tap.

    ``far`` is the tap at the other end of its hop, by its MAC; in a tunnel, which is one
    hop whatever lies outside it, by its addresses.
    """

    row: int
    time: int
    tap: Tap
    way: Way
    far: Tap | None
    ends: Ends
    kind: Kind
    #: Within ChannelData or a Send or Data indication.
    wrapped: bool
    ttl: int

    @property
    def sender(self) -> str:
        """The host that sent the frame, by its source MAC."""
        return self.far.host if self.way is Way.IN and self.far else self.tap.host


def sightings(
    table: PacketTable, places: Places, rows: NDArray[np.intp]
) -> Iterator[Sighting | None]:
    """The sighting of each row; None for a frame that was only overheard.

    A switch floods frames to interfaces that do not take them.
    """
    for src, dst, row, time, tap_index, outgoing, src_mac, dst_mac, sport, dport, *rest in zip(
        *table.addresses(rows), *_columns(table, rows), strict=True
    ):
        tap = table.taps[tap_index]
        ends, (kind, inner, ttl) = Ends(src, sport, dst, dport), rest
        way = _way(tap, outgoing)
        if tap.mac:
            far = places.by_mac.get(dst_mac if outgoing else src_mac)
        else:
            far = places.through_tunnel(tap, outgoing=bool(outgoing), src=ends.src, dst=ends.dst)
        if way is Way.IN and tap.mac and places.by_mac.get(dst_mac) != tap:
            yield None
        else:
            yield Sighting(row, time, tap, way, far, ends, Kind(inner), kind != inner, ttl)


def _columns(table: PacketTable, rows: NDArray[np.intp]) -> Iterator[list[int]]:
    yield rows.tolist()
    for column in (
        table.time,
        table.tap,
        table.outgoing,
        table.src_mac,
        table.dst_mac,
        table.sport,
        table.dport,
        table.kind,
        table.inner_kind,
        table.ttl,
    ):
        yield column[rows].tolist()


def _way(tap: Tap, outgoing: int) -> Way:
    if tap.is_loopback:
        return Way.LOOP
    return Way.OUT if outgoing else Way.IN


def hops(places: Places, copies: Sequence[Sighting]) -> dict[int, Sighting]:
    """Row -> the next sighting of the same packet, for sightings of equal payload.

    Of all pairs that may follow each other, the likeliest are joined first.
    """
    pairs = sorted(_pairs(places, copies), key=lambda pair: pair[0])
    following: dict[int, Sighting] = {}
    reached: set[int] = set()
    for _, before, after in pairs:
        if before.row not in following and after.row not in reached:
            following[before.row] = after
            reached.add(after.row)
    return following


#: How unlikely it is that two sightings are of one packet, then how far apart in time.
_Cost = tuple[int, int]


def _pairs(
    places: Places, copies: Sequence[Sighting]
) -> Iterator[tuple[_Cost, Sighting, Sighting]]:
    for before in copies:
        line = line_after(places, before)
        for after in copies:
            if before is after or not may_follow(line, before, after):
                continue
            change = _change(places, before, after)
            if change is not None:
                yield (change, abs(after.time - before.time - line.delay)), before, after


def line_after(places: Places, seen: Sighting) -> Line:
    """What the hop does that a packet takes next."""
    return places.line(seen.tap, seen.far) if seen.way is Way.OUT else PLAIN


def may_follow(line: Line, before: Sighting, after: Sighting) -> bool:
    """Whether two sightings are near enough in time to be of one packet."""
    longest = _LONGEST_HOPS.get(before.kind, LONGEST_HOP) + line.longest
    return -INVERSION <= after.time - before.time <= longest


_ROUTING = (Role.ROUTER, Role.NAT)


def _change(places: Places, before: Sighting, after: Sighting) -> int | None:
    """How much a packet would have changed between two sightings; None if it cannot be one."""
    if before.way is Way.OUT:
        return 0 if _same_link(before, after) else None
    if after.way is Way.IN or before.tap.host != after.tap.host:
        return None
    # What went over a loopback has been taken; an equal packet there is another copy.
    if before.way is after.way is Way.LOOP:
        return None
    role = places.role(before.tap.host)
    # What turns back by another router passes here twice, the second time with less to live.
    if role in _ROUTING and after.ttl > before.ttl:
        return None
    return _rewriting(role, before, after)


def _same_link(before: Sighting, after: Sighting) -> bool:
    return (
        after.way is Way.IN
        and before.far == after.tap
        and after.far == before.tap
        and before.tap.link == after.tap.link
        and before.ends == after.ends
    )


def _rewriting(role: Role, before: Sighting, after: Sighting) -> int | None:
    """0 forwarded as it was, 1 one end translated, 2 both ends or the wrapping changed.

    A NAT changes one end, and both where it turns a packet back to its own inside
    (RFC 5382, REQ-8; RFC 4787, REQ-9), as a proxy does always; only a relay wraps.
    """
    rewrapped = before.wrapped != after.wrapped
    if not rewrapped and before.ends == after.ends:
        return 0
    half = before.ends[:2] == after.ends[:2] or before.ends[2:] == after.ends[2:]
    if half and not rewrapped:
        return 1
    may = role is Role.RELAY or (role in (Role.NAT, Role.PROXY) and not rewrapped)
    return 2 if may else None


def grouped(
    seen: Iterable[Sighting | None], identities: NDArray[np.integer]
) -> Iterator[list[Sighting]]:
    """Sightings by identity, in the order of the first of each."""
    groups: dict[int, list[Sighting]] = {}
    for sighting, identity in zip(seen, identities.tolist(), strict=True):
        if sighting is not None:
            groups.setdefault(identity, []).append(sighting)
    yield from groups.values()

"""How far servers are from users: round trips at the user's own tap.

To a front end it is that from SYN to SYN-ACK, to a relay that of a Binding transaction
without USERNAME, which is no check (RFC 8445, section 7.1.2). The shortest one counts: others
waited for a machine that was busy.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from results.packets import ACK, SYN, Kind, PacketTable
from results.protocols import stun
from results.setup.checks import Spoken
from results.tracing.openings import Connections
from results.tracing.places import Places
from results.tracing.sightings import Ends
from topologies.spec import Role

_MILLISECOND = 1e6


class RoundTrip(NamedTuple):
    """From a question to its answer, in ms, and the row of the answer."""

    ms: float
    row: int


#: User and server -> the shortest of the round trips between them.
RoundTrips = Mapping[tuple[str, str], RoundTrip]


def round_trips(
    table: PacketTable, places: Places, tcp: Connections, spoken: Iterable[Spoken]
) -> RoundTrips:
    """All that the captures show."""
    shortest: dict[tuple[str, str], RoundTrip] = {}
    for user, server, trip in (*_handshakes(table, places, tcp), *_bindings(table, places, spoken)):
        shortest[user, server] = min(trip, shortest.get((user, server), trip))
    return shortest


def _handshakes(
    table: PacketTable, places: Places, tcp: Connections
) -> Iterator[tuple[str, str, RoundTrip]]:
    """Of TCP (RFC 9293, section 3.5): the SYN-ACK acknowledges the SYN's sequence number."""
    accepted = _accepted(table)
    for opening in tcp.openings:
        path = opening.path
        if places.role(path.origin) is not Role.USER or not path.complete:
            continue
        row, ends = path.first.row, path.first.ends.reversed()
        answer = accepted.get((int(table.tap[row]), ends, (table.tcp(row).seq + 1) % 2**32))
        if answer is not None:
            yield path.origin, path.target, _trip(table, row, answer)


def _accepted(table: PacketTable) -> dict[tuple[int, Ends, int], int]:
    """Tap, ends and acknowledgment of each SYN-ACK -> the row where it was seen first."""
    both = SYN | ACK
    rows = np.flatnonzero((table.kind == Kind.TCP) & ((table.tcp_flags & both) == both))
    found: dict[tuple[int, Ends, int], int] = {}
    for row, src, dst in zip(rows.tolist(), *table.addresses(rows), strict=True):
        ends = Ends(src, int(table.sport[row]), dst, int(table.dport[row]))
        found.setdefault((int(table.tap[row]), ends, table.tcp(row).ack), row)
    return found


def _bindings(
    table: PacketTable, places: Places, spoken: Iterable[Spoken]
) -> Iterator[tuple[str, str, RoundTrip]]:
    asked: dict[tuple[str, bytes], Spoken] = {}
    for item in sorted(spoken, key=lambda item: item.path.first.time):
        path, message = item.path, item.message
        if message.method != stun.Method.BINDING or message.username or not path.complete:
            continue
        if message.message_class is stun.Class.REQUEST and places.role(path.target) is Role.RELAY:
            asked.setdefault((path.origin, message.transaction_id), item)
        elif (path.target, message.transaction_id) in asked:
            request = asked.pop((path.target, message.transaction_id)).path
            if request.target == path.origin:
                trip = _trip(table, request.first.row, path.last.row)
                yield path.target, path.origin, trip


def _trip(table: PacketTable, asked: int, answered: int) -> RoundTrip:
    return RoundTrip(int(table.time[answered] - table.time[asked]) / _MILLISECOND, answered)

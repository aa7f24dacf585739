"""TURN as packets without keys show it: servers, and the addresses that they allocated."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from results.inspection.lanes import End, Lane, ends_of
from results.packets import Kind
from results.protocols import stun

#: Methods that only clients of a relay ask for, and a relay alone answers (RFC 8656, section 17).
_OF_TURN = {
    stun.Method.ALLOCATE,
    stun.Method.REFRESH,
    stun.Method.CREATE_PERMISSION,
    stun.Method.CHANNEL_BIND,
}


@dataclass(frozen=True)
class Allocation:
    """A relayed address that a server gave to a client (RFC 8656, section 7)."""

    #: Row of the success response.
    row: int
    client: End
    server: End
    relayed: End


@dataclass(frozen=True)
class Turn:
    """What is known of relays."""

    servers: frozenset[End]
    allocations: tuple[Allocation, ...]

    def relay_at(self, end: End) -> End | None:
        """The server that allocated an address, where that was seen; None for other ends."""
        given = (one.server for one in self.allocations if one.relayed == end)
        return next(given, None)

    def relayed(self, client: End, server: End) -> End | None:
        """The relayed address of a client, where its allocation was seen."""
        ends = (client, server)
        given = (one.relayed for one in self.allocations if (one.client, one.server) == ends)
        return next(given, None)


#: Ports of relays: registered (RFC 8656, section 18), Azure's range, and those that pass firewalls.
_PORTS = (3478, 3479, 3480, 3481, 5349, 443)


def server_of(lane: Lane, turn: Turn) -> End | None:
    """Which end of a wrapped lane is the relay; None where neither its words nor ports tell."""
    for known in (turn.servers, [end for end in lane.ends if end.port in _PORTS]):
        found = [end for end in lane.ends if end in known]
        if len(found) == 1:
            return found[0]
    return None


def read_turn(lanes: Iterable[Lane]) -> Turn:
    """The relays of all files."""
    servers: set[End] = set()
    allocations: list[Allocation] = []
    for lane in lanes:
        for row, message in _messages(lane):
            ends = ends_of(lane.table, row)
            server = _server(message, ends.src, ends.dst)
            if server is None:
                continue
            servers.add(server)
            relayed = _relayed(message)
            if relayed:
                allocations.append(Allocation(row, ends.dst, ends.src, relayed))
    distinct = {(one.client, one.server, one.relayed): one for one in reversed(allocations)}
    ordered = sorted(distinct.values(), key=lambda one: one.row)
    return Turn(frozenset(servers), tuple(ordered))


def _messages(lane: Lane) -> Iterator[tuple[int, stun.Message]]:
    table = lane.table
    for row in lane.rows[table.kind[lane.rows] == Kind.STUN].tolist():
        try:
            yield row, stun.parse(table.payload(row))
        except stun.StunError:
            continue


def _server(message: stun.Message, src: End, dst: End) -> End | None:
    """The end that is a relay, as far as a message tells."""
    if message.method == stun.Method.SEND:
        return dst
    if message.method == stun.Method.DATA:
        return src
    if message.method not in _OF_TURN:
        return None
    return {stun.Class.REQUEST: dst, stun.Class.SUCCESS: src}.get(message.message_class)


def _relayed(message: stun.Message) -> End | None:
    answered = message.method == stun.Method.ALLOCATE
    if not answered or message.message_class is not stun.Class.SUCCESS:
        return None
    try:
        address = message.xor_relayed_address
    except stun.StunError:
        return None
    return End(*address) if address else None

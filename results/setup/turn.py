"""What relays granted and refused: allocations, permissions, channels (RFC 8656).

Each answer of a relay is joined with its request by transaction id.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from results.packets import PacketTable
from results.protocols import stun
from results.protocols.sdp import End
from results.setup.checks import Spoken
from results.tracing.paths import Path

_GRANTING = (stun.Method.CREATE_PERMISSION, stun.Method.CHANNEL_BIND)

#: Errors that only ask the client to authenticate (anew) (RFC 8489, section 9.2.5).
_AUTHENTICATE = (401, 438)


@dataclass(frozen=True)
class Allocation:
    """A relayed transport address and the user's socket that it belongs to."""

    user: str
    base: End
    relay: str
    relayed: End
    #: When the relay answered, in ns.
    time: int
    #: When the credentials expire that it was asked with, in seconds since the epoch; None
    #: where the user name does not tell (draft-uberti-behave-turn-rest-00, section 2.2).
    expires: int | None = None


@dataclass(frozen=True)
class PeerAnswer:
    """A relay's answer to a request to let a peer through (CreatePermission, ChannelBind)."""

    user: str
    base: End
    relay: str
    method: stun.Method
    peer: End
    channel: int | None
    #: Code and reason; None where the relay agreed.
    error: tuple[int, str] | None
    #: When the relay answered, in ns, and the row where that arrived.
    time: int
    row: int

    @property
    def asked(self) -> str:
        """The request as the RFC names it."""
        return self.method.name.title().replace("_", "")


@dataclass(frozen=True)
class Turn:
    """All that relays said of allocations and peers, in the order of time."""

    allocations: tuple[Allocation, ...] = ()
    answers: tuple[PeerAnswer, ...] = ()

    def allocation(self, user: str, base: End, time: int) -> Allocation | None:
        """The allocation that a socket of a user has at a time."""
        given = (one for one in self.allocations if (one.user, one.base) == (user, base))
        return _last(given, time)

    def owner(self, relay: str, relayed: End, time: int) -> Allocation | None:
        """The allocation to which a relayed address belongs at a time."""
        given = (one for one in self.allocations if (one.relay, one.relayed) == (relay, relayed))
        return _last(given, time)

    def permits(self, allocation: Allocation, peer: int, time: int) -> bool:
        """Whether the relay had agreed to let an address through (RFC 8656, section 9).

        Permissions are for addresses, whatever the port.
        """
        return any(
            answer.error is None and answer.peer[0] == peer and answer.time <= time
            for answer in self._answers(allocation.user, allocation.base)
        )

    def refusal(self, user: str, base: End, peer: End) -> PeerAnswer | None:
        """The relay's refusal to let a peer through, if it never agreed to."""
        found = [one for one in self._answers(user, base) if one.peer[0] == peer[0]]
        if any(answer.error is None for answer in found):
            return None
        return next(iter(found), None)

    def peer_of(self, table: PacketTable, path: Path) -> End | None:
        """The peer to which a client sends what it has wrapped, as the wrapping says."""
        first = path.first
        named, channel = table.peer(first.row), table.channel(first.row)
        if named or channel is None:
            return named
        bound = self._answers(path.origin, (first.ends.src, first.ends.sport))
        return next((one.peer for one in bound if one.channel == channel), None)

    def passed(self, path: Path) -> tuple[Allocation, ...]:
        """The allocations whose relayed addresses a path went from or to, in its order."""
        found = (
            self.owner(seen.tap.host, end, seen.time)
            for seen in path.sightings
            if not seen.wrapped
            for end in (seen.ends[:2], seen.ends[2:])
        )
        return tuple(dict.fromkeys(one for one in found if one))

    def _answers(self, user: str, base: End) -> list[PeerAnswer]:
        return [one for one in self.answers if (one.user, one.base) == (user, base)]


def read_turn(spoken: Iterable[Spoken]) -> Turn:
    """What relays said in a run, from its STUN messages."""
    allocations: list[Allocation] = []
    answers: list[PeerAnswer] = []
    requests: dict[bytes, Spoken] = {}
    for item in sorted(spoken, key=lambda item: item.path.first.time):
        if item.message.message_class is stun.Class.REQUEST:
            requests[item.message.transaction_id] = item
        elif item.path.complete:
            request = requests.get(item.message.transaction_id)
            allocations += _allocated(item, request)
            answers += _peer_answers(request, item) if request else ()
    return Turn(tuple(allocations), tuple(answers))


def allocated(message: stun.Message) -> End | None:
    """The relayed address in a success response to Allocate (RFC 8656, section 7.3)."""
    if (message.method, message.message_class) != (stun.Method.ALLOCATE, stun.Class.SUCCESS):
        return None
    try:
        address = message.xor_relayed_address
    except stun.StunError:
        return None
    return _end(address) if address else None


def _last(found: Iterable[Allocation], time: int) -> Allocation | None:
    """The latest of some allocations, in order of time, that was there at a time."""
    return next(iter([one for one in found if one.time <= time][::-1]), None)


def _allocated(item: Spoken, request: Spoken | None) -> Iterator[Allocation]:
    relayed, path = allocated(item.message), item.path
    if relayed:
        base = (path.last.ends.dst, path.last.ends.dport)
        expires = _expiry(request) if request else None
        yield Allocation(path.target, base, path.origin, relayed, path.first.time, expires)


def _expiry(request: Spoken) -> int | None:
    """The time in a user name that is of the form TIME:USER."""
    try:
        time, _, _ = (request.message.username or "").partition(":")
    except stun.StunError:
        return None
    return int(time) if time.isdecimal() and time.isascii() else None


def _peer_answers(request: Spoken, answer: Spoken) -> Iterator[PeerAnswer]:
    """What a relay answered of each peer of a request; nothing where it was asked otherwise."""
    asked, said = request.message, answer.message
    if asked.method not in _GRANTING or asked.method != said.method:
        return
    try:
        error, channel = said.error_code, asked.channel_number
        peers = [_end(address) for address in asked.xor_peer_addresses]
    except stun.StunError:
        return
    refused = said.message_class is stun.Class.ERROR
    if refused and (error is None or error[0] in _AUTHENTICATE):
        return
    path = answer.path
    for peer in peers:
        yield PeerAnswer(
            user=path.target,
            base=(path.last.ends.dst, path.last.ends.dport),
            relay=path.origin,
            method=stun.Method(asked.method),
            peer=peer,
            channel=channel,
            error=error if refused else None,
            time=path.first.time,
            row=path.last.row,
        )


def _end(address: stun.Address) -> End:
    """The address as numbers."""
    return int(address.ip), address.port

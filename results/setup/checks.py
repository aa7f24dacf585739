"""ICE as the captures show it: whose checks were answered, and which pair was nominated.

A check is a Binding request whose USERNAME names both ends of the call and whose
MESSAGE-INTEGRITY is made with the password of the SDP (RFC 8445, section 7.1.2);
its answer is the success response with the same transaction id and password
(section 7.2.5.2).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from results.packets import Kind, PacketTable
from results.protocols import stun
from results.protocols.sdp import End
from results.setup.calls import Call
from results.tracing.paths import Path, Travels
from results.tracing.places import Places
from results.tracing.sightings import Sighting
from topologies.spec import Role


class Spoken(NamedTuple):
    """A STUN message of one end to another, and its path."""

    path: Path
    message: stun.Message
    raw: bytes


class Pair(NamedTuple):
    """A candidate pair as one end sees it.

    ``base`` is the socket that it sends from; where ``relayed``, that socket
    speaks with the end's relay. ``remote`` is where a check goes, or the TURN
    peer; None where it cannot be told.
    """

    base: End
    relayed: bool
    remote: End | None


@dataclass(frozen=True)
class Check:
    """One transaction: the request that was answered, or the last one that was sent."""

    sender: str
    request: Path
    #: The request and its retransmissions, as they were sent.
    requests: tuple[Path, ...]
    #: The first success response that arrived at the sender.
    response: Path | None
    #: XOR-MAPPED-ADDRESS of the response: where the other end saw the check come from.
    mapped: End | None
    nominates: bool
    #: The pair as the sender sees it, and as the one who was checked sees it.
    sent_on: Pair
    received_on: Pair | None

    @property
    def answered_at(self) -> int:
        """When the answer left the other end, in ns; 0 when it was not answered."""
        return self.response.first.time if self.response else 0

    @property
    def succeeded_at(self) -> int:
        """When the answer arrived, in ns; 0 when it did not."""
        return self.response.last.time if self.response and self.response.complete else 0


def stun_messages(table: PacketTable, udp: Travels) -> list[Spoken]:
    """Every well-formed STUN message of a run, unwrapped, one for each packet that was sent."""
    return list(_stun_messages(table, udp))


def _stun_messages(table: PacketTable, udp: Travels) -> Iterator[Spoken]:
    for path in udp.paths:
        if path.first.kind is Kind.STUN:
            raw = table.innermost(path.first.row)
            try:
                yield Spoken(path, stun.parse(raw), raw)
            except stun.StunError:
                continue


def checks_of(places: Places, spoken: Iterable[Spoken], call: Call, user: str) -> list[Check]:
    """The checks that a participant sent, in the order of their requests."""
    own, other = call.described[user], call.described[call.other(user)]
    if not (own.ufrag and other.ufrag):
        return []
    name, key = f"{other.ufrag}:{own.ufrag}", other.pwd.encode()
    transactions: dict[bytes, list[Spoken]] = {}
    responses: dict[bytes, list[Spoken]] = {}
    for item in spoken:
        if _is_check(item, user, name) and stun.integrity_ok(item.raw, key):
            transactions.setdefault(item.message.transaction_id, []).append(item)
        elif _is_answer(item, call.other(user)):
            responses.setdefault(item.message.transaction_id, []).append(item)
    return [
        _check(places, user, requests, _proven(responses.get(transaction, []), key))
        for transaction, requests in transactions.items()
    ]


def _is_check(item: Spoken, user: str, name: str) -> bool:
    message = item.message
    return (
        message.method == stun.Method.BINDING
        and message.message_class is stun.Class.REQUEST
        and item.path.origin == user
        and _username(message) == name
    )


def _username(message: stun.Message) -> str | None:
    try:
        return message.username
    except stun.StunError:
        return None


def _is_answer(item: Spoken, sender: str) -> bool:
    message = item.message
    return (
        message.method == stun.Method.BINDING
        and message.message_class is stun.Class.SUCCESS
        and item.path.origin == sender
    )


def _proven(responses: Iterable[Spoken], key: bytes) -> list[Spoken]:
    return [item for item in responses if stun.integrity_ok(item.raw, key)]


def _check(places: Places, user: str, requests: list[Spoken], responses: list[Spoken]) -> Check:
    """The transaction of some requests, which may be retransmissions of one."""
    arrived = [item for item in responses if item.path.complete]
    answer = next(iter(arrived or responses), None)
    request = _answered(requests, answer)
    path = request.path
    return Check(
        sender=user,
        request=path,
        requests=tuple(item.path for item in requests),
        response=answer.path if answer else None,
        mapped=_mapped(answer),
        nominates=_nominates(request.message),
        sent_on=sent_on(places, path),
        received_on=received_on(places, path) if path.complete else None,
    )


def _answered(requests: list[Spoken], answer: Spoken | None) -> Spoken:
    """The request that an answer is to: the last that had arrived when the answer left."""
    if answer is None:
        return requests[-1]
    left = answer.path.first.time
    arrived = [item for item in requests if item.path.complete and item.path.last.time <= left]
    return (arrived or requests)[-1]


def _nominates(message: stun.Message) -> bool:
    """Whether a check nominates its pair, which only a controlling agent may (RFC 8445, 8.1.1)."""
    controlling = message.find(stun.AttributeType.ICE_CONTROLLING)
    return message.use_candidate and controlling is not None


def _mapped(answer: Spoken | None) -> End | None:
    try:
        address = answer.message.xor_mapped_address if answer else None
    except stun.StunError:
        return None
    return (int(address.ip), address.port) if address else None


def sent_on(places: Places, path: Path) -> Pair:
    """The pair of a packet as its sender sees it."""
    first = path.first
    base = (first.ends.src, first.ends.sport)
    if not first.wrapped:
        return Pair(base, False, (first.ends.dst, first.ends.dport))
    plain = next(_between_relays(places, path.sightings), None)
    return Pair(base, True, (plain.ends.dst, plain.ends.dport) if plain else None)


def received_on(places: Places, path: Path) -> Pair:
    """The pair of a packet as the one sees it at whom it arrived."""
    last = path.last
    base = (last.ends.dst, last.ends.dport)
    if not last.wrapped:
        return Pair(base, False, (last.ends.src, last.ends.sport))
    plain = next(_between_relays(places, path.sightings[::-1]), None)
    return Pair(base, True, (plain.ends.src, plain.ends.sport) if plain else None)


def _between_relays(places: Places, sightings: Iterable[Sighting]) -> Iterator[Sighting]:
    """Where a packet is not wrapped: as the relay sent it on, or was sent it."""
    for seen in sightings:
        if not seen.wrapped and places.role(seen.tap.host) is Role.RELAY:
            yield seen

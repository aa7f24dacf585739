"""The flows of signalling: every DNS query and every TCP connection of a run.

Not only those of the steps count: a connection that nobody expected changes
the set of flows, and with it the verdict.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from results.packets import ACK, SYN, Kind, PacketTable
from results.protocols import dns
from results.tracing.legs import UNLISTED, NamedFlow, name_of, parts, reached
from results.tracing.paths import Hole, Path, Travels, follow
from results.tracing.places import Places
from results.tracing.sightings import Ends, Sighting
from topologies.addresses import address_of, with_port
from topologies.flows import flow_between
from topologies.spec import Address, Flow, Role, Segment


@dataclass(frozen=True)
class Opening:
    """A query or a connection that one host initiated toward another.

    ``legs`` are the flows in the order of the way, each with its part of the path:
    one, and another one beyond a VPN gateway. A query within one segment has none, nor
    has a connection with a proxy, nor what a VPN user's goes within the customer network, or
    what regions of the service say to each other. ``segments`` are those of origin and target.
    """

    what: str
    path: Path
    segments: tuple[Segment, Segment]
    legs: tuple[tuple[NamedFlow, tuple[Sighting, ...]], ...]
    #: What a proxy opened in turn, if one was asked to (results.tracing.onward).
    onward: "Opening | None" = None

    @property
    def flows(self) -> tuple[NamedFlow, ...]:
        """The flows in the order of the way."""
        own = tuple(flow for flow, _ in self.legs)
        return own + (self.onward.flows if self.onward else ())


@dataclass(frozen=True)
class Query:
    """A DNS query, and the row at which its answer came back to the one who asked."""

    name: str
    asked_by: str
    asked: str
    opening: Opening
    time: int
    answer_row: int | None
    #: What the answer told.
    addresses: tuple[Address, ...] = ()


@dataclass(frozen=True)
class _Answer:
    """Where an answer came back to the one who asked, and what it told."""

    row: int
    addresses: tuple[Address, ...]


def queries(table: PacketTable, places: Places, udp: Travels) -> list[Query]:
    """Every DNS query that got anywhere, in order of time."""
    answers = dict(_answers(table, udp))
    found = []
    for path in _dns_paths(udp):
        message = dns.parse(table.innermost(path.first.row))
        if message is None or message.is_response:
            continue
        opening = _opening(places, f"a DNS query for {message.qname}", path)
        if opening:
            key = (path.origin, path.first.ends.reversed(), message.id)
            found.append(_query(message, opening, answers.get(key)))
    return sorted(found, key=lambda query: query.time)


@dataclass(frozen=True)
class Connections:
    """Every TCP connection of a run, and holes on the ways of the SYNs."""

    openings: tuple[Opening, ...]
    holes: tuple[Hole, ...]
    #: The ways of all SYNs, those to relays too, and those that got nowhere.
    syns: tuple[Path, ...]
    #: Row of a SYN, wherever it was seen -> the connection that it opens.
    by_syn: dict[int, Opening]


def connections(table: PacketTable, places: Places) -> Connections:
    """Every TCP connection whose SYN got anywhere.

    A SYN keeps its sequence number through a NAT. A connection with a relay is
    gathering, not signalling.
    """
    rows, numbers = syns(table)
    travels = follow(table, places, rows, numbers)
    by_syn: dict[int, Opening] = {}
    for copies in travels.groups:
        opening = _first_opening(places, copies)
        if opening:
            by_syn |= {seen.row: opening for path in copies for seen in path.sightings}
    openings = tuple(dict.fromkeys(by_syn.values()))
    return Connections(openings, travels.holes, travels.paths, by_syn)


def _first_opening(places: Places, copies: Iterable[Path]) -> Opening | None:
    """What a SYN opened, of which there may be retransmissions."""
    for path in sorted(copies, key=lambda path: not path.complete):
        opening = _opening(places, _connection_name(path), path)
        if opening and not _gathers(places, opening):
            return opening
    return None


def syns(table: PacketTable) -> tuple[NDArray[np.intp], NDArray[np.uint32]]:
    """Rows of all SYNs that open a connection, and their initial sequence numbers."""
    opens = (table.tcp_flags & (SYN | ACK)) == SYN
    rows = np.flatnonzero((table.kind == Kind.TCP) & opens & (table.version != 0))
    return rows, table.tcp_seq[rows]


def missing_hello(table: PacketTable, opening: Opening) -> Sighting | None:
    """Where a connection's first data was not seen although its SYN was; None if all is well.

    The first data of TLS holds the ClientHello's random, so equal bytes at every
    tap say that the SYNs are of one connection.
    """
    first, *others = opening.path.sightings
    said = _first_data(table, first)
    if said is None:
        return None
    return next((seen for seen in others if _first_data(table, seen) != said), None)


def is_mute(table: PacketTable, opening: Opening) -> bool:
    """Whether a TCP connection's client said nothing over it."""
    return opening.path.first.kind is Kind.TCP and _first_data(table, opening.path.first) is None


def _first_data(table: PacketTable, syn: Sighting) -> bytes | None:
    """The first data that the client of a connection sent past the tap of its SYN."""
    after = slice(syn.row, None)
    rows = np.flatnonzero(
        table.is_from(syn.ends.src, after)
        & (table.sport[after] == syn.ends.sport)
        & table.is_to(syn.ends.dst, after)
        & (table.dport[after] == syn.ends.dport)
        & (table.tap[after] == table.tap[syn.row])
        & (table.payload_size[after] > 0)
    )
    return table.payload(int(rows[0]) + syn.row) if len(rows) else None


def _opening(places: Places, what: str, path: Path) -> Opening | None:
    """What a first packet opens; None when no perimeter let it through and nobody took it.

    Where it cannot be told who sent it, it is a hole in the evidence and no more.
    """
    if not path.rooted:
        return None
    segments = _segments(places, path, path.sightings)
    legs = tuple(_legs(places, path))
    if segments[0] is segments[1] and not path.complete and not legs:
        return None
    return Opening(what, path, segments, legs)


def _segments(places: Places, path: Path, part: Sequence[Sighting]) -> tuple[Segment, Segment]:
    """The segment where a part of a path begins, and that in which it ends or got lost."""
    origin = places.segment(part[0].sender)
    if path.complete and part[-1] is path.last:
        return origin, places.segment(path.target)
    return origin, reached(places, part)


def _legs(places: Places, path: Path) -> Iterator[tuple[NamedFlow, tuple[Sighting, ...]]]:
    """The flows of the parts of a first packet's way, as far as perimeters let it through."""
    if path.complete and places.between_regions(path.origin, path.target):
        return
    for part in parts(places, path.sightings):
        origin, target = _segments(places, path, part)
        inside = path.last.kind is Kind.DNS or places.role(path.target) is Role.PROXY
        unnumbered = inside or part != path.sightings or not path.complete
        if part[0].tap.tunnel and len(part) > 1:
            yield Flow.F2_VPN, part
        elif origin is not target or not unnumbered:
            yield name_of(flow_between(origin, target)), part


def _gathers(places: Places, opening: Opening) -> bool:
    return places.role(opening.path.target) is Role.RELAY


def _connection_name(path: Path) -> str:
    server = with_port(address_of(path.first.ends.dst), path.first.ends.dport)
    return f"a TCP connection of {path.origin} to {server}"


def _dns_paths(udp: Travels) -> Iterator[Path]:
    return (path for path in udp.paths if path.first.kind is Kind.DNS)


def _answers(table: PacketTable, udp: Travels) -> Iterator[tuple[tuple[str, Ends, int], _Answer]]:
    """Who was answered, on what ends and with what id -> the answer as it arrived."""
    for path in _dns_paths(udp):
        message = dns.parse(table.innermost(path.last.row)) if path.complete else None
        if message and message.is_response:
            answer = _Answer(path.last.row, message.addresses)
            yield (path.target, path.last.ends, message.id), answer


def _query(message: dns.DnsMessage, opening: Opening, answer: _Answer | None) -> Query:
    path = opening.path
    return Query(
        name=message.qname,
        asked_by=path.origin,
        asked=path.target,
        opening=opening,
        time=path.first.time,
        answer_row=answer.row if answer else None,
        addresses=answer.addresses if answer else (),
    )


def unlisted(opening: Opening) -> str | None:
    """Both segments in words, where the documents have no number for an opening."""
    if UNLISTED not in opening.flows:
        return None
    origin, target = opening.segments
    return f"{opening.what} goes from the {origin} to the {target}, which has no flow number"

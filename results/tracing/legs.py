"""Flows: who initiated connectivity toward whom, leg by leg.

A relay makes two conversations of one path, so a path is cut there into legs; so it is
at a VPN gateway, where the user's flow toward the customer network ends (Flow 2').
The direction of a leg is not that of a packet at hand but of the first packet of
its conversation that the perimeters on the way let through (call-flow-topologies,
"Call flows in various topologies": first packets in the reverse direction may be
blocked until packets flow in the other direction).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from results.tracing.paths import Path
from results.tracing.places import Places
from results.tracing.sightings import Ends, Sighting, Way
from topologies.spec import Flow, Role, Segment

#: A path between segments to which the documents give no number.
UNLISTED: Literal["unlisted"] = "unlisted"

NamedFlow = Flow | Literal["unlisted"]


@dataclass(frozen=True)
class Opened:
    """A conversation by its two hosts: ``origin`` initiated it toward ``target``."""

    origin: str
    target: str
    flow: Flow | None
    #: The first packet that was let through: what shows the direction.
    shown_by: Sighting
    #: The hosts on the way, from ``origin`` to ``target``.
    hosts: tuple[str, ...]


#: One side of a conversation: a host, and the ends of what it sends.
_Side = tuple[str, Ends]


@dataclass(frozen=True)
class Leg:
    """The sightings of a path between two hosts that end a conversation."""

    sightings: tuple[Sighting, ...]

    @property
    def origin(self) -> str:
        """The host that sent the packet on this leg."""
        return self.sightings[0].sender

    @property
    def tunnel(self) -> str | None:
        """The VPN through whose tunnel this leg leads, or None."""
        return self.sightings[0].tap.tunnel

    @property
    def target(self) -> str:
        """The host where the packet was seen last on this leg."""
        return self.sightings[-1].tap.host

    @property
    def start(self) -> _Side:
        """The conversation as its sender sees it, in the direction of the packet."""
        return self.origin, self.sightings[0].ends

    @property
    def answered(self) -> _Side:
        """How a packet the other way would leave the host where this one arrived."""
        return self.target, self.sightings[-1].ends.reversed()


def legs(places: Places, path: Path) -> Iterator[Leg]:
    """Cut a path where conversations end: at relays, and where a tunnel ends.

    What passes a relay's loopback belongs to no leg, nor does what goes from the relay of one
    region to that of another, or what a VPN user's packet goes within the customer network,
    beyond the gateway: that has no number.
    """
    for part in parts(places, path.sightings):
        leg = Leg(part)
        if places.between_regions(leg.origin, leg.target):
            continue
        if len(part) > 1 and not goes_on_inside(places, path, part):
            yield leg


def parts(places: Places, sightings: Sequence[Sighting]) -> Iterator[tuple[Sighting, ...]]:
    """The parts of a path between the hosts that end a conversation; at least one."""
    start = 0
    for index, (here, following) in enumerate(pairwise(sightings), start=1):
        within = here.tap.host == following.tap.host
        relayed = places.role(here.tap.host) is Role.RELAY
        if within and (relayed or here.tap.tunnel != following.tap.tunnel):
            yield tuple(sightings[start:index])
            start = index
    yield tuple(sightings[start:])


def hosts_of(part: Sequence[Sighting]) -> tuple[str, ...]:
    """The hosts that a part of a path passed, the sender first, each once."""
    return tuple(dict.fromkeys((part[0].sender, *(seen.tap.host for seen in part))))


def goes_on_inside(places: Places, path: Path, part: Sequence[Sighting]) -> bool:
    """Whether a part of a path through a tunnel lies within the customer network."""
    ends = {places.segment(part[0].sender), places.segment(part[-1].tap.host)}
    tunnelled = any(seen.tap.tunnel for seen in path.sightings)
    return tunnelled and part[0].tap.tunnel is None and ends == {Segment.CUSTOMER}


class Conversations:
    """Every leg of a run, by the conversation it belongs to."""

    def __init__(self, places: Places, paths: Iterable[Path]) -> None:
        self.places = places
        self._sent: dict[_Side, list[Leg]] = {}
        for path in paths:
            for leg in legs(places, path):
                self._sent.setdefault(leg.start, []).append(leg)

    def opened(self, leg: Leg) -> Opened:
        """Who opened the conversation of a leg that arrived.

        In a tunnel, the client did: it alone can begin the tunnel, since the gateway
        does not know where its clients are.
        """
        first = self._first_let_through(leg)
        hosts = hosts_of(leg.sightings)
        if leg.tunnel:
            gateway = self.places.tunnels[leg.tunnel].vpn.gateway
            if leg.origin == gateway:
                hosts = hosts[::-1]
            return Opened(hosts[0], gateway, Flow.F2_VPN, first.sightings[0], hosts)
        origin, target = leg.origin, leg.target
        if first.origin != origin:
            origin, target = target, origin
        if self._is_users(origin, target, leg):
            origin, target = target, origin
        if origin != leg.origin:
            hosts = hosts[::-1]
        flow = self.places.flow(origin, target)
        return Opened(origin, target, flow, first.sightings[0], hosts)

    def _first_let_through(self, leg: Leg) -> Leg:
        there = self._let_through(leg.start, self.places.segment(leg.target))
        back = self._let_through(leg.answered, self.places.segment(leg.origin))
        return min([leg, *there, *back], key=self._passed)

    def _passed(self, leg: Leg) -> int:
        """When a leg passed the customer network's perimeter, or was sent if it passes none.

        Over slow links, what is sent first need not be the first to be let through.
        """
        inside = [self.places.of_tap(seen.tap) is Segment.CUSTOMER for seen in leg.sightings]
        beyond = inside.index(not inside[0]) if len(set(inside)) > 1 else 0
        return leg.sightings[beyond].time

    def _let_through(self, side: _Side, segment: Segment) -> Iterator[Leg]:
        """Legs from one side that got as far as the other side's segment.

        Whether the host there took them, or a home router dropped them, is not
        a matter of the perimeters.
        """
        for leg in self._sent.get(side, ()):
            if reached(self.places, leg.sightings) is segment:
                yield leg

    def _is_users(self, origin: str, target: str, leg: Leg) -> bool:
        """Whether a leg that a relay seems to open is the user's all the same.

        Where no perimeter of a customer network stands between a user and a relay,
        either may be the first to send, by chance; the documents know no flow that the
        service initiates, and a relay sends only what a client asked it to (RFC 8656,
        section 9).
        """
        if self.places.role(origin) is not Role.RELAY:
            return False
        outside = self.places.segment(target) is not Segment.CUSTOMER
        return outside or not any(self.places.guards(seen.tap) for seen in leg.sightings)


def reached(places: Places, sightings: Sequence[Sighting]) -> Segment:
    """The segment in which a packet was last seen to arrive, or from which it came.

    What left an interface and did not arrive at the other end may have been
    stopped by a firewall in between.
    """
    arrived = [seen for seen in sightings if seen.way is not Way.OUT]
    return places.of_tap(arrived[-1].tap) if arrived else places.segment(sightings[0].tap.host)


def in_order(flows: Iterable[NamedFlow]) -> tuple[NamedFlow, ...]:
    """Flows without repetition, in the order of the documents, "unlisted" last."""
    found = set(flows)
    listed: tuple[NamedFlow, ...] = tuple(flow for flow in Flow if flow in found)
    return (*listed, UNLISTED) if UNLISTED in found else listed


def name_of(flow: Flow | None) -> NamedFlow:
    """The flow as the result names it."""
    return UNLISTED if flow is None else flow

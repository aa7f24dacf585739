"""How each line of the drawing runs: through which channels, and in which gate's lane.

The three segments lie side by side. Lines turn in channels: one within the customer
network, one between its wall and the sites of the internet, one between those and
the service. What passes the customer's wall does so in a lane of its own, in a gate.
"""

from dataclasses import dataclass
from enum import IntEnum

from results.report.arrows import Refusal
from results.report.sites import Scenery
from results.tracing.routes import way_around
from topologies.spec import Network, Segment


class Channel(IntEnum):
    """Where lines turn, in the order of the segments."""

    CUSTOMER = 0
    INTERNET = 1
    SERVICE = 2


@dataclass(frozen=True)
class Point:
    """Where a line begins or ends: at a host, or else at a device in a wall.

    ``gate`` is the customer's gate where the device stands; ``site`` the site that
    has a wall of its own, or one toward another site, in which the device stands.
    """

    host: str = ""
    device: str = ""
    gate: str = ""
    site: str = ""


@dataclass(frozen=True)
class Trip:
    """One line; ``gate`` is the customer's gate in whose lane it runs, empty where in none."""

    start: Point
    end: Point
    channels: tuple[Channel, ...]
    gate: str = ""

    @property
    def crosses_internet(self) -> bool:
        """Whether it goes between the customer's wall and the service."""
        return bool(self.gate) and Channel.SERVICE in self.channels


class Planner:
    """Plans the trips of one network's drawing."""

    def __init__(self, network: Network, scenery: Scenery) -> None:
        self._network = network
        self.scenery = scenery

    def along(self, hosts: tuple[str, ...]) -> Trip:
        """The trip of packets that pass these hosts."""
        start, end = self._point(hosts[0]), self._point(hosts[-1])
        return self._trip(start, end, self._gates_on(hosts[1:-1]))

    def of_refusal(self, refusal: Refusal) -> Trip:
        """The trip of refused attempts, up to the device that refused them."""
        start, end = self._point(refusal.origin), self._point(refusal.by)
        own = self.scenery.walled_by(refusal.by)
        if start == end or (own and own == self.scenery.site_of(refusal.origin)):
            return Trip(start, end, ())
        if not (end.host or end.gate or end.site):
            return Trip(start, start, ())  # the device stands in no wall that is drawn
        target = refusal.by if end.host else self._behind(end)
        way = way_around(self._network, refusal.origin, target) if target else ()
        return self._trip(start, end, self._gates_on(way[1:-1]))

    def _gates_on(self, hosts: tuple[str, ...]) -> list[str]:
        return [name for name in hosts if self.scenery.gate_of(name)]

    def _behind(self, end: Point) -> str:
        sites = (site for site in self.scenery.sites if site.name == end.site)
        return next((site.hosts[0].name for site in sites), "")

    def _point(self, name: str) -> Point:
        """Where a host or device is drawn."""
        gate = self.scenery.gate_of(name)
        if self.scenery.site_of(name):
            return Point(host=name)
        if gate:
            return Point(device=name, gate=gate.host)
        site = self.scenery.walled_by(name) or self.scenery.behind(name)
        return Point(device=name, site=site.name if site else "")

    def _trip(self, start: Point, end: Point, crossed: list[str]) -> Trip:
        """A line between two points; ``crossed`` are the gates between them."""
        first, last = self._segment(start, end, crossed), self._segment(end, start, crossed)
        customer, *others = sorted({first, last}, key=list(Segment).index)
        gate = start.gate or end.gate
        if customer is Segment.CUSTOMER and others:
            gate = next(iter(crossed), gate)
        if start.gate and end.gate != start.gate and not crossed:
            gate = end.gate
        return Trip(start, end, _channels(first, last), gate)

    def _segment(self, point: Point, other: Point, crossed: list[str]) -> Segment:
        """The segment into which a line leaves a point; a gate has two sides."""
        if point.gate:
            return self._side_of_gate(point, other, crossed)
        site = self.scenery.site_of(point.host)
        named = (one for one in self.scenery.sites if one.name == point.site)
        found = site or next(named, None)
        return found.segment if found else Segment.CUSTOMER

    def _side_of_gate(self, point: Point, other: Point, crossed: list[str]) -> Segment:
        if crossed or other.gate:
            return Segment.CUSTOMER
        return self._segment(other, point, crossed)


def _channels(first: Segment, last: Segment) -> tuple[Channel, ...]:
    """Where a line turns; what ends in a wall needs no channel beyond it."""
    order = list(Segment)
    a, b = Channel(order.index(first)), Channel(order.index(last))
    if a is b:
        return (a,)
    if Channel.CUSTOMER in (a, b):
        return (a, b)
    return (Channel.SERVICE,)

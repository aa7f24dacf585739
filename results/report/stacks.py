"""Where hosts, sites, walls and lanes stand along the segments' common level.

A drawing has two axes: *u* runs across the segments, from the customer network to the
service, *v* along each of them. Wide drawings have u to the right and v downward,
narrow ones the other way round; lettering is horizontal in both.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from results.report.sites import Gate, Scenery, Site
from results.report.trips import Channel, Point, Trip
from topologies.spec import Segment

#: A place where a line touches something: the trip's number, and which end or passage of it.
Touch = tuple[int, str]


@dataclass(frozen=True)
class Measures:
    """Sizes in pixels of one orientation."""

    wide: bool
    chip_u: float
    chip_v: float
    #: From lane to lane, in both directions.
    lane: float = 18
    pad: float = 10
    gap: float = 14
    line: float = 14

    def band_v(self, lines: int) -> float:
        """What lettering above a box takes of v."""
        return self.line * lines + 6 if self.wide and lines else 0

    def band_u(self, lines: int) -> float:
        """What lettering above boxes takes of u."""
        return 0 if self.wide or not lines else self.line * lines + 6


WIDE = Measures(wide=True, chip_u=112, chip_v=38)
NARROW = Measures(wide=False, chip_u=38, chip_v=82)


@dataclass
class Stacks:
    """Every v of a drawing: spans of hosts, sites and gates, and the levels of lines."""

    hosts: dict[str, tuple[float, float]] = field(default_factory=dict)
    sites: dict[str, tuple[float, float]] = field(default_factory=dict)
    gates: dict[str, tuple[float, float]] = field(default_factory=dict)
    #: The level of each touch of a gate.
    lanes: dict[Touch, float] = field(default_factory=dict)
    #: The level of each end at a host.
    ports: dict[Touch, float] = field(default_factory=dict)
    #: The level of the wall before a site.
    walls: dict[str, float] = field(default_factory=dict)
    length: float = 0


def side_of(trip: Trip, end: str, segment: Segment) -> str:
    """On which side of its host a trip's end lies: near the customer network or far from it."""
    if segment is Segment.CUSTOMER:
        return "far"
    turns = trip.channels[:1] if end == "start" else trip.channels[-1:]
    return "far" if segment is Segment.INTERNET and turns == (Channel.SERVICE,) else "near"


def ends_of(trip: Trip) -> Iterator[tuple[str, Point]]:
    """Both ends by their names."""
    yield "start", trip.start
    yield "end", trip.end


def stack(scenery: Scenery, trips: Sequence[Trip], measures: Measures) -> Stacks:
    """Stack sites and gates so that every line has a level of its own."""
    return _Stacking(scenery, trips, measures).stacks()


class _Stacking:
    def __init__(self, scenery: Scenery, trips: Sequence[Trip], measures: Measures) -> None:
        self._scenery = scenery
        self._trips = trips
        self._m = measures
        self._out = Stacks()
        self._segments = {host.name: site.segment for site in scenery.sites for host in site.hosts}

    def stacks(self) -> Stacks:
        top = self._m.pad + self._m.band_v(2)
        ends = [self._stack_sites(Segment.CUSTOMER, top), self._stack_gates(top)]
        ends += [self._stack_sites(Segment.INTERNET, self._below_lanes(top))]
        ends += [self._stack_sites(Segment.SERVICE, top)]
        self._spread_ports()
        self._out.length = max(ends) + self._m.pad
        return self._out

    def _stack_sites(self, segment: Segment, at: float) -> float:
        """Place the sites of a segment one after the other; where the last one ends."""
        for number, site in enumerate(self._scenery.within(segment)):
            if number:
                at += self._m.gap
            if site.wall:
                self._out.walls[site.name] = at + self._m.band_v(1)
                at += self._m.gap + self._m.band_v(1)
            at = self._stack_site(site, at)
        return at

    def _stack_site(self, site: Site, at: float) -> float:
        start = at
        at += self._m.band_v(_lines(site)) + self._m.pad
        for host in site.hosts:
            size = max(self._m.chip_v, self._m.lane * 0.75 * self._most_ports(host.name) + 8)
            self._out.hosts[host.name] = (at, at + size)
            at += size + self._m.pad
        self._out.sites[site.name] = (start, at)
        return at

    def _most_ports(self, host: str) -> int:
        return max((len(ports) for ports in self._ports(host).values()), default=0)

    def _ports(self, host: str) -> dict[str, list[Touch]]:
        """Side of a host -> the ends of lines there."""
        sides: dict[str, list[Touch]] = {}
        for number, trip in enumerate(self._trips):
            for end, point in ends_of(trip):
                if self._stands_at(point) == host and not (end == "end" and not trip.channels):
                    side = side_of(trip, end, self._segments[host])
                    sides.setdefault(side, []).append((number, end))
        return sides

    def _stands_at(self, point: Point) -> str:
        """The host of an end; for one in the wall around a site, the site's first host."""
        site = self._scenery.walled_by(point.device) if point.site else None
        return site.hosts[0].name if site else point.host

    def _stack_gates(self, at: float) -> float:
        """Place the gates one after the other, each with a lane for every line."""
        gates = self._scenery.gates or (Gate("", ()),)
        for number, gate in enumerate(gates):
            if number:
                at += self._m.gap
            start = at
            at += self._m.band_v(2)
            for touch in self._touches(gate, first=number == 0):
                at += self._m.lane
                self._out.lanes[touch] = at - self._m.lane / 2
            at = max(at, start + self._least(gate)) + self._m.pad / 2
            self._out.gates[gate.host] = (start, at)
        return at

    def _least(self, gate: Gate) -> float:
        """What the lettering of a gate needs of v."""
        letters = max((len(one.name) + len(one.note) for one in gate.devices), default=0)
        return self._m.band_v(2) + 30 if self._m.wide else letters * 6 + 16

    def _touches(self, gate: Gate, first: bool) -> list[Touch]:
        """The lines that pass a gate or end in it; those to the service first."""
        found: list[Touch] = []
        for number, trip in enumerate(self._trips):
            homeless = first and not trip.gate and len(trip.channels) > 1
            if (trip.gate == gate.host and trip.channels) or homeless:
                found.append((number, "gate"))
            if trip.start.gate == gate.host and trip.gate != gate.host:
                found.append((number, "start"))
        return sorted(found, key=self._order)

    def _order(self, touch: Touch) -> tuple[bool, float]:
        trip = self._trips[touch[0]]
        spans = (self._out.hosts.get(point.host) for point in (trip.start, trip.end))
        known = [span[0] for span in spans if span]
        return not trip.crosses_internet, -min(known, default=0.0)

    def _below_lanes(self, top: float) -> float:
        """Where the sites of the internet begin: past the lanes that cross it."""
        crossing = [
            level
            for (number, _), level in self._out.lanes.items()
            if self._trips[number].crosses_internet
        ]
        return max(crossing) + self._m.lane if crossing else top

    def _spread_ports(self) -> None:
        """Give each end at a host its level, in the order of where the lines lead."""
        for host, (start, end) in self._out.hosts.items():
            for touches in self._ports(host).values():
                room = (end - start) / (len(touches) + 1)
                ordered = sorted(touches, key=self._leads_to)
                for number, touch in enumerate(ordered, start=1):
                    self._out.ports[touch] = start + room * number

    def _leads_to(self, touch: Touch) -> float:
        number, end = touch
        trip = self._trips[number]
        if (number, "gate") in self._out.lanes:
            return self._out.lanes[number, "gate"]
        other = trip.end if end == "start" else trip.start
        span = self._out.hosts.get(other.host) or self._out.sites.get(other.site)
        return span[0] if span else self._out.lanes.get((number, "start"), 0.0)


def _lines(site: Site) -> int:
    """How many lines of lettering a site has above it."""
    return 1 + (len(site.gate.devices) if site.gate else 0)


def lettering(sites: Sequence[Site]) -> int:
    """The most lines of lettering above any of some sites."""
    return max(map(_lines, sites), default=0)


def busiest(trips: Sequence[Trip]) -> Counter[str]:
    """Host -> ends of lines there."""
    return Counter(point.host for trip in trips for _, point in ends_of(trip) if point.host)

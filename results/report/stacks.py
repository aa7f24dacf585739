"""Where hosts, sites, walls and lanes stand along the segments' common level.

A drawing has two axes: *u* runs across the segments, from the customer network to the
service, *v* along each of them. Wide drawings have u to the right and v downward,
narrow ones the other way round; lettering is horizontal in both.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from results.report.sites import Gate, Scenery, Site
from results.report.trips import Channel, Point, Trip
from topologies.spec import Segment

#: A place where a line touches something: the trip's number, and which end or passage of it.
Touch = tuple[int, str]


#: How far apart two lines' levels are told apart.
_APART = 5.0

#: The least distance between ends of lines at a host, where there is room for it.
_ROOM = 15.0

#: How far lines keep from a host's corners.
_CORNER = 7.0


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


WIDE = Measures(wide=True, chip_u=134, chip_v=38)
NARROW = Measures(wide=False, chip_u=38, chip_v=78, lane=15, pad=7, gap=11)


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
        at += self._m.band_v(lines_above(site)) + self._m.pad
        for host in site.hosts:
            size = max(self._m.chip_v, _ROOM * (self._most_ports(host.name) + 1))
            self._out.hosts[host.name] = (at, at + size)
            at += size + self._m.pad
        at = max(at, start + self._lettered(site))
        self._out.sites[site.name] = (start, at)
        return at

    def _lettered(self, site: Site) -> float:
        """What the lettering of a site takes of v, where that runs along it."""
        devices = site.gate.devices if site.gate else ()
        letters = max((len(device.note) for device in devices), default=0)
        return 0 if self._m.wide else letters * 7 + 12

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
        inner = [self._out.hosts.get(point.host) for point in (trip.start, trip.end)]
        own = [span[0] for span in inner if span and Channel.CUSTOMER in trip.channels]
        return not trip.crosses_internet, min(own, default=math.inf)

    def _below_lanes(self, top: float) -> float:
        """Where the sites of the internet begin: past the lanes that cross it."""
        crossing = [
            level
            for (number, passage), level in self._out.lanes.items()
            if passage == "gate" and self._trips[number].crosses_internet
        ]
        return max(crossing) + self._m.lane if crossing else top

    def _spread_ports(self) -> None:
        """Give each end at a host its level, in the order of where the lines lead."""
        for host, (start, end) in self._out.hosts.items():
            for touches in self._ports(host).values():
                ordered = sorted(touches, key=self._leads_to)
                toward = [self._leads_to(touch) for touch in ordered]
                for touch, level in zip(ordered, _spread(start, end, toward), strict=True):
                    self._out.ports[touch] = self._clear(touch, level)

    def _clear(self, touch: Touch, level: float) -> float:
        """A level that no other line's lane continues, so that two lines are not taken for one."""
        others = (lane for (number, _), lane in self._out.lanes.items() if number != touch[0])
        near = next((lane for lane in others if abs(lane - level) < _APART), None)
        if near is None:
            return level
        return near + math.copysign(_APART, level - near)

    def _leads_to(self, touch: Touch) -> float:
        number, end = touch
        trip = self._trips[number]
        if (number, "gate") in self._out.lanes:
            return self._out.lanes[number, "gate"]
        other = trip.end if end == "start" else trip.start
        span = self._out.hosts.get(other.host) or self._out.sites.get(other.site)
        return span[0] if span else self._out.lanes.get((number, "start"), 0.0)


def _spread(start: float, end: float, toward: Sequence[float]) -> list[float]:
    """Levels on a side of a host: straight where a line leads, as far as there is room."""
    least = min(_ROOM, (end - start - 2 * _CORNER) / len(toward))
    levels: list[float] = []
    low = start + _CORNER - least
    for number, wanted in enumerate(toward):
        high = end - _CORNER - least * (len(toward) - 1 - number)
        levels.append(min(max(wanted, low + least), high))
        low = levels[-1]
    return levels


def lines_above(site: Site) -> int:
    """How many lines of lettering a site has above it."""
    return 1 + (len(site.gate.devices) if site.gate else 0)


def lettering(sites: Sequence[Site]) -> int:
    """The most lines of lettering above any of some sites."""
    return max(map(lines_above, sites), default=0)

"""Where hosts, channels and walls stand across the segments: every u of a drawing."""

from collections.abc import Sequence
from dataclasses import dataclass

from results.report import lines
from results.report.shapes import BOLD, HALF, At, Box
from results.report.sites import Gate, Scenery, Site
from results.report.stacks import Measures, Stacks, lettering, lines_above, side_of, stack
from results.report.trips import Channel, Point, Trip
from topologies.spec import Segment

#: What a segment's name takes above its sites, in pixels.
_TITLE = 22
#: From one device of a gate to the next in a narrow drawing.
_NARROW_PITCH = 32
#: The least length of a channel, and what it has besides its lanes.
_CHANNEL, _MARGIN = 40, 16


@dataclass(frozen=True)
class Drawn:
    """What is to be drawn: a line's trip, and the words at its end if it was refused."""

    trip: Trip
    words: str = ""


class Columns:
    """The segments side by side, as wide as their lines need them."""

    def __init__(self, scenery: Scenery, drawn: Sequence[Drawn], measures: Measures) -> None:
        self.scenery = scenery
        self.drawn = drawn
        self.trips = [one.trip for one in drawn]
        self.measures = measures
        self.stacks: Stacks = stack(scenery, self.trips, measures)
        turns = lines.turns(self.stacks, self.trips)
        self._lanes = {channel: lines.lanes(turns, channel) for channel in Channel}
        self._segments = {host.name: site.segment for site in scenery.sites for host in site.hosts}
        self.pitch = self._widest_device() if measures.wide else _NARROW_PITCH
        self.hosts: dict[Segment, float] = {}
        self._channels: dict[Channel, float] = {}
        self.wall = self._place_customer(measures.pad)
        self.edge = self._place_internet(self.wall)
        self.end = self._place_service(self.edge)

    def _place_customer(self, at: float) -> float:
        """The customer's hosts, their channel and the wall; where the wall stands."""
        pad = self.measures.pad
        self.hosts[Segment.CUSTOMER] = at = at + pad + self._band(Segment.CUSTOMER)
        self._channels[Channel.CUSTOMER] = at = at + self.measures.chip_u + pad
        devices = max((len(gate.devices) for gate in self.scenery.gates), default=1)
        return at + self.room(Channel.CUSTOMER) + self.pitch * devices

    def _place_internet(self, at: float) -> float:
        """The channel beyond the wall, the sites, the channel before the service; its end."""
        at += 2 * self.measures.pad + (0 if self.measures.wide else _TITLE)
        self._channels[Channel.INTERNET] = at
        at += self.room(Channel.INTERNET) + self.ring(Segment.INTERNET)
        self.hosts[Segment.INTERNET] = at = at + self._band(Segment.INTERNET)
        at += self.measures.chip_u + self.ring(Segment.INTERNET)
        self._channels[Channel.SERVICE] = at
        return at + self.room(Channel.SERVICE)

    def _place_service(self, at: float) -> float:
        pad = self.measures.pad
        self.hosts[Segment.SERVICE] = at = at + 2 * pad + self._band(Segment.SERVICE)
        return at + self.measures.chip_u + pad

    def _band(self, segment: Segment) -> float:
        """What lettering above hosts takes of u: the segment's name, the sites' names."""
        title = 0 if self.measures.wide or segment is Segment.INTERNET else _TITLE
        return title + self.measures.band_u(lettering(self.scenery.within(segment)))

    def ring(self, segment: Segment) -> float:
        """From a host to the outside of the walls around its site."""
        walled = any(site.gate for site in self.scenery.within(segment))
        return self.measures.pad + (12 if walled else 0)

    def room(self, channel: Channel) -> float:
        """The length of a channel: what its lanes, and the words of refusals in it, need."""
        lanes = (max(self._lanes[channel].values(), default=-1) + 1) * self.measures.lane + _MARGIN
        said = [
            one.words for one in self.drawn if one.words and one.trip.channels[-1:] == (channel,)
        ]
        if self.measures.wide:
            return max(lanes, _CHANNEL, *(len(words) * BOLD + 26 for words in said), 0)
        return max(lanes + len(said) * self.measures.line, _CHANNEL)

    def _widest_device(self) -> float:
        devices = [device for gate in self.scenery.gates for device in gate.devices]
        letters = max((max(len(one.name), len(one.note)) for one in devices), default=4)
        return max(letters * BOLD + 18, 64)

    def lane(self, number: int, channel: Channel) -> float | None:
        """Where a trip turns in a channel; None where it goes straight on."""
        lane = self._lanes[channel].get(number)
        return None if lane is None else self._channels[channel] + 12 + self.measures.lane * lane

    def device(self, gate: Gate, number: int) -> float:
        """Where a device of a gate stands: the last one in line with the wall."""
        return self.wall - self.pitch * (len(gate.devices) - 1 - number)

    def gate(self, name: str) -> Gate:
        """The customer's gate of that name."""
        return next(gate for gate in self.scenery.gates if gate.host == name)

    def number_in_gate(self, point: Point) -> int:
        """Which device of its gate a point stands at, counted from the inside."""
        names = [device.name for device in self.gate(point.gate).devices]
        return names.index(point.device)

    def end_of(self, trip: Trip, end: str) -> float:
        """Where a line begins ("start") or ends ("end")."""
        point = trip.start if end == "start" else trip.end
        if not trip.channels:
            return self._stub(trip, end)
        if point.gate:
            return self._at_gate(point, trip, end)
        site = self.scenery.walled_by(point.device) if point.site else None
        segment = self._segments[site.hosts[0].name if site else point.host]
        if side_of(trip, end, segment) == "near":
            return self.hosts[segment] - (self._reach(site) if site else 0)
        return self.hosts[segment] + self.measures.chip_u + (self.ring(segment) if site else 0)

    def _reach(self, site: Site) -> float:
        """From a host back to the outside of the walls around its site, past their lettering."""
        return self.ring(site.segment) + self.measures.band_u(lines_above(site))

    def _stub(self, trip: Trip, end: str) -> float:
        """An end of a line that does not leave its site: from the host to its own wall."""
        site = self._site_at(trip.start)
        if site is None:  # it begins in the customer's wall
            return self.wall + HALF + (0 if end == "start" else 2 * self.measures.pad)
        far = site.segment is Segment.CUSTOMER
        u = self.hosts[site.segment] + (self.measures.chip_u if far else 0)
        length = self.ring(site.segment) if far else self._reach(site)
        if trip.end.host:
            length += 8
        return u if end == "start" else u + (length if far else -length)

    def _site_at(self, point: Point) -> Site | None:
        """The site of a host, or that around which a device stands."""
        named = (site for site in self.scenery.sites if site.name == point.site)
        return next(named, None) or self.scenery.site_of(point.host)

    def _at_gate(self, point: Point, trip: Trip, end: str) -> float:
        """The inner or outer face of a device in the customer's wall."""
        u = self.device(self.gate(point.gate), self.number_in_gate(point))
        turns = trip.channels[0] if end == "start" else trip.channels[-1]
        return u - HALF - 1 if turns is Channel.CUSTOMER else u + HALF + 1

    def box(self, u: float, v: float, du: float, dv: float) -> Box:
        """A rectangle of the drawing in the picture."""
        return Box(u, v, du, dv) if self.measures.wide else Box(v, u, dv, du)

    def at(self, u: float, v: float) -> At:
        """A place of the drawing in the picture."""
        return (u, v) if self.measures.wide else (v, u)

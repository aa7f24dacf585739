"""The drawing of a network with its arrows, as plain shapes in pixels.

Nothing is placed by hand: the description says what stands where, the arrows how much
room their lines need.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from results.report import lines
from results.report.sites import Device, Gate, Scenery, Site
from results.report.stacks import Measures, Stacks, ends_of, lettering, side_of, stack
from results.report.trips import Channel, Point, Trip
from topologies.spec import Host, Segment

#: Width of a letter in labels and in small print, in pixels (DejaVu Sans, the widest in use).
_LETTER = 6.2
#: Half the thickness of a wall.
_HALF = 4
#: What the words of a refusal stand apart from its cross.
_BESIDE = 9


@dataclass(frozen=True)
class Box:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Label:
    """Lettering; ``anchor`` as in SVG: start, middle or end."""

    x: float
    y: float
    text: str
    anchor: str = "start"


@dataclass(frozen=True)
class Panel:
    """A segment."""

    segment: str
    box: Box
    label: Label


@dataclass(frozen=True)
class Wall:
    """A stretch of a wall; ``kind`` is that of its device, or "wall" where nothing passes."""

    kind: str
    box: Box
    labels: tuple[Label, ...] = ()


@dataclass(frozen=True)
class SiteBox:
    """A site, with the kinds of the walls around it from the inside out."""

    box: Box
    labels: tuple[Label, ...]
    rings: tuple[Wall, ...]


@dataclass(frozen=True)
class Chip:
    """A host; ``idle`` where nothing begins or ends there."""

    box: Box
    host: Host
    idle: bool


@dataclass(frozen=True)
class Line:
    """A line: its path, where its number stands, and the cross and words where it was refused."""

    path: str
    middle: tuple[float, float]
    end: tuple[float, float]
    words: Label | None = None


@dataclass(frozen=True)
class Drawn:
    """What is to be drawn: a line's trip, and the words at its end if it was refused."""

    trip: Trip
    words: str = ""


@dataclass(frozen=True)
class Picture:
    """All shapes of a drawing; ``lines`` in the order in which they were asked for."""

    width: float
    height: float
    panels: tuple[Panel, ...]
    sites: tuple[SiteBox, ...]
    walls: tuple[Wall, ...]
    chips: tuple[Chip, ...]
    lines: tuple[Line, ...]


def draw(scenery: Scenery, drawn: Sequence[Drawn], measures: Measures) -> Picture:
    """Place everything."""
    return _Drawing(scenery, drawn, measures).picture()


class _Drawing:
    def __init__(self, scenery: Scenery, drawn: Sequence[Drawn], measures: Measures) -> None:
        self._scenery = scenery
        self._drawn = drawn
        self._trips = [one.trip for one in drawn]
        self._m = measures
        self._stacks: Stacks = stack(scenery, self._trips, measures)
        turns = lines.turns(self._stacks, self._trips)
        self._lanes = {channel: lines.lanes(turns, channel) for channel in Channel}
        self._segments = {host.name: site.segment for site in scenery.sites for host in site.hosts}
        self._place_columns()

    # --- along u ----------------------------------------------------------------

    def _place_columns(self) -> None:
        """The u of hosts, channels and the wall, segment by segment."""
        m = self._m
        devices = max((len(gate.devices) for gate in self._scenery.gates), default=1)
        hosts: dict[Segment, float] = {}
        channel: dict[Channel, float] = {}
        at = m.pad
        hosts[Segment.CUSTOMER] = at = at + m.pad + self._band(Segment.CUSTOMER)
        channel[Channel.CUSTOMER] = at = at + m.chip_u + m.pad
        at += self._room(Channel.CUSTOMER)
        self._pitch = self._widest_device() if m.wide else 32
        self._wall = at = at + self._pitch * devices
        channel[Channel.INTERNET] = at = at + 2 * m.pad + (0 if m.wide else m.line)
        at += self._room(Channel.INTERNET)
        hosts[Segment.INTERNET] = at = (
            at + self._ring(Segment.INTERNET) + self._band(Segment.INTERNET)
        )
        channel[Channel.SERVICE] = at = at + m.chip_u + self._ring(Segment.INTERNET)
        self._edge = at = at + self._room(Channel.SERVICE)
        hosts[Segment.SERVICE] = at = at + 2 * m.pad + self._band(Segment.SERVICE)
        self._end = at + m.chip_u + m.pad
        self._hosts, self._channels = hosts, channel

    def _band(self, segment: Segment) -> float:
        """What lettering above hosts takes of u: the segment's name, the sites' names."""
        title = 1 if segment is not Segment.INTERNET else 0
        return self._m.band_u(title + lettering(self._scenery.within(segment)))

    def _ring(self, segment: Segment) -> float:
        walled = any(site.gate for site in self._scenery.within(segment))
        return self._m.pad + (12 if walled else 0)

    def _room(self, channel: Channel) -> float:
        """What the lanes and the words of refusals take of a channel."""
        count = max(self._lanes[channel].values(), default=-1) + 1
        lanes = count * self._m.lane + 16
        words = [
            len(one.words) * _LETTER + 26
            for one in self._drawn
            if one.words and self._m.wide and one.trip.channels[-1:] == (channel,)
        ]
        refused = [one for one in self._drawn if one.words and one.trip.channels[-1:] == (channel,)]
        stagger = 0 if self._m.wide else len(refused) * self._m.line
        return max(lanes, *words, 40) if words else max(lanes + stagger, 40)

    def _widest_device(self) -> float:
        devices = [device for gate in self._scenery.gates for device in gate.devices]
        letters = max((max(len(one.name), len(one.note)) for one in devices), default=4)
        return max(letters * _LETTER + 18, 64)

    def _lane(self, number: int, channel: Channel) -> float:
        return self._channels[channel] + 12 + self._m.lane * self._lanes[channel].get(number, 0)

    # --- from u and v to x and y --------------------------------------------------

    def _box(self, u: float, v: float, du: float, dv: float) -> Box:
        return Box(u, v, du, dv) if self._m.wide else Box(v, u, dv, du)

    def _at(self, u: float, v: float) -> tuple[float, float]:
        return (u, v) if self._m.wide else (v, u)

    def picture(self) -> Picture:
        """All shapes."""
        end, length = self._end + 2 * self._m.pad, self._stacks.length + self._m.pad
        width, height = self._at(end, length)
        return Picture(
            width=width,
            height=height,
            panels=tuple(self._panels()),
            sites=tuple(map(self._site, self._scenery.sites)),
            walls=(*self._customer_walls(), *self._inner_walls()),
            chips=tuple(self._chips()),
            lines=tuple(self._line(number) for number in range(len(self._drawn))),
        )

    def _panels(self) -> Iterator[Panel]:
        pad = self._m.pad
        spans = {
            Segment.CUSTOMER: (pad, self._wall),
            Segment.INTERNET: (self._wall + 2, self._edge),
            Segment.SERVICE: (self._edge + pad, self._end + pad),
        }
        for segment, (start, end) in spans.items():
            box = self._box(start, pad, end - start, self._stacks.length - pad)
            x, y = (box.x + 10, box.y + 19)
            yield Panel(segment.value, box, Label(x, y, segment.value.capitalize()))

    def _site(self, site: Site) -> SiteBox:
        start, end = self._stacks.sites[site.name]
        pad = self._m.pad
        u = self._hosts[site.segment] - pad - self._m.band_u(self._lines(site))
        du = self._m.chip_u + 2 * pad + self._m.band_u(self._lines(site))
        box = self._box(u, start, du, end - start)
        rings = tuple(_ring(device.kind, box, 3 + 6 * n) for n, device in enumerate(_devices(site)))
        return SiteBox(box, tuple(self._site_labels(site, box)), rings)

    def _lines(self, site: Site) -> int:
        return 1 + len(_devices(site))

    def _site_labels(self, site: Site, box: Box) -> Iterator[Label]:
        name = f"{site.name} {site.prefix}" if self._m.wide else site.name
        yield Label(box.x + 10, box.y + 15, name)
        for number, device in enumerate(reversed(_devices(site)), start=1):
            said = f"{device.name}: {device.note}" if self._m.wide else device.note
            yield Label(box.x + 10, box.y + 15 + self._m.line * number, said)

    def _chips(self) -> Iterator[Chip]:
        used = {point.host for trip in self._trips for _, point in ends_of(trip)}
        for site in self._scenery.sites:
            for host in site.hosts:
                start, end = self._stacks.hosts[host.name]
                box = self._box(self._hosts[site.segment], start, self._m.chip_u, end - start)
                yield Chip(box, host, host.name not in used)

    # --- walls --------------------------------------------------------------------

    def _customer_walls(self) -> Iterator[Wall]:
        """The wall of the customer network, and the devices of its gates."""
        pad = self._m.pad
        yield Wall("wall", self._bar(self._wall, pad, self._stacks.length))
        for gate in self._scenery.gates:
            start, end = self._stacks.gates[gate.host]
            for number, device in enumerate(gate.devices):
                u = self._bar_of(gate, number)
                box = self._bar(u, start + self._m.band_v(2), end)
                yield Wall(
                    device.kind, box, tuple(self._bar_labels(device.name, device.note, u, start))
                )

    def _bar(self, u: float, start: float, end: float) -> Box:
        return self._box(u - _HALF, start, 2 * _HALF, end - start)

    def _bar_of(self, gate: Gate, number: int) -> float:
        """The u of a device in the wall: the last one stands in line with the wall."""
        return self._wall - self._pitch * (len(gate.devices) - 1 - number)

    def _bar_labels(self, name: str, note: str, u: float, start: float) -> Iterator[Label]:
        if self._m.wide:
            yield Label(u + _HALF, start + 13, name, "end")
            yield Label(u + _HALF, start + 13 + self._m.line, note, "end")
        else:
            yield Label(start + 3, u - _HALF - 5, f"{name}: {note}")

    def _inner_walls(self) -> Iterator[Wall]:
        """Firewalls between sites of the customer network."""
        for site in self._scenery.sites:
            if site.wall:
                level = self._stacks.walls[site.name]
                start = self._hosts[site.segment] - self._m.pad
                length = self._m.chip_u + 2 * self._m.pad + self._room(Channel.CUSTOMER)
                box = self._box(start, level - _HALF, length, 2 * _HALF)
                yield Wall(site.wall.kind, box, (self._wall_label(site, level, start),))

    def _wall_label(self, site: Site, level: float, u: float) -> Label:
        said = f"{site.wall.name}: {site.wall.note}" if site.wall else ""
        if self._m.wide:
            return Label(u, level - _HALF - 5, said)
        return Label(
            level,
            u + self._m.chip_u + 4 * self._m.pad + self._room(Channel.CUSTOMER),
            said,
            "middle",
        )

    # --- lines --------------------------------------------------------------------

    def _line(self, number: int) -> Line:
        points = [self._at(*point) for point in self._points(number)]
        words = self._words(number, points)
        return Line(lines.rounded(points), lines.middle_of_longest(points), points[-1], words)

    def _points(self, number: int) -> list[tuple[float, float]]:
        """The corners of a line, in u and v."""
        trip = self._trips[number]
        levels = lines.levels(self._stacks, self._trips, number)
        at = self._end_of(number, "start", trip)
        points = [(at, levels[0])]
        for channel, (before, after) in zip(trip.channels, zip(levels, levels[1:]), strict=False):
            if number in self._lanes[channel]:
                lane = self._lane(number, channel)
                points += [(lane, before), (lane, after)]
        if self._ends_in_wall(trip):
            return points
        return [*points, (self._end_of(number, "end", trip), levels[-1])]

    def _ends_in_wall(self, trip: Trip) -> bool:
        """Whether a line ends within a channel, at the wall before a site."""
        return trip.end.site in self._stacks.walls and bool(trip.end.device) and bool(trip.channels)

    def _end_of(self, number: int, end: str, trip: Trip) -> float:
        """The u where a line begins or ends."""
        point = trip.start if end == "start" else trip.end
        if not trip.channels:
            return self._stub(trip, end)
        if point.gate:
            return self._at_gate(point, trip, end)
        site = self._scenery.walled_by(point.device) if point.site else None
        host = site.hosts[0].name if site else point.host
        segment = self._segments[host]
        reach = self._ring(segment) if site else 0
        u = self._hosts[segment]
        near = side_of(trip, end, segment) == "near"
        return u - reach if near else u + self._m.chip_u + reach

    def _stub(self, trip: Trip, end: str) -> float:
        """Both ends of a line that does not leave its site: from the host to its own wall."""
        segment = self._segments[trip.start.host]
        far = segment is Segment.CUSTOMER
        u = self._hosts[segment] + (self._m.chip_u if far else 0)
        length = self._ring(segment) + (0 if trip.end.site else 8)
        return u if end == "start" else u + (length if far else -length)

    def _at_gate(self, point: Point, trip: Trip, end: str) -> float:
        """The inner or outer face of a device in the customer's wall."""
        gate = next(gate for gate in self._scenery.gates if gate.host == point.gate)
        names = [device.name for device in gate.devices]
        u = self._bar_of(gate, names.index(point.device))
        turns = trip.channels[0] if end == "start" else trip.channels[-1]
        return u - _HALF - 1 if turns is Channel.CUSTOMER else u + _HALF + 1

    def _words(self, number: int, points: Sequence[tuple[float, float]]) -> Label | None:
        said = self._drawn[number].words
        if not said:
            return None
        (x, y), before = points[-1], points[-2]
        if self._m.wide:
            leftward = before[0] > x
            side, anchor = (_BESIDE, "start") if leftward else (-_BESIDE, "end")
            return Label(x + side, y - 5, said, anchor)
        earlier = sum(
            1
            for one in self._drawn[:number]
            if one.words and one.trip.end == self._trips[number].end
        )
        back = (1 if before[1] > y else -1) * (self._m.line * earlier + 4)
        right = x + _BESIDE + len(said) * _LETTER < self._stacks.length
        return Label(
            x + (_BESIDE if right else -_BESIDE), y + back, said, "start" if right else "end"
        )


def _devices(site: Site) -> tuple[Device, ...]:
    return site.gate.devices if site.gate else ()


def _ring(kind: str, box: Box, out: float) -> Wall:
    return Wall(kind, Box(box.x - out, box.y - out, box.width + 2 * out, box.height + 2 * out))

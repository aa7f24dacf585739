"""The drawing of a network with its arrows, as plain shapes.

Nothing is placed by hand: the description says what stands where, the arrows how much
room their lines need.
"""

from collections.abc import Iterator, Sequence

from results.report.columns import Columns, Drawn
from results.report.courses import courses
from results.report.shapes import BOLD, HALF, Box, Chip, Label, Panel, Picture, SiteBox, Wall
from results.report.sites import Device, Scenery, Site
from results.report.stacks import Measures, ends_of
from results.report.trips import Channel
from topologies.spec import Segment

#: The thickness of a wall around a site.
_RING = 6


def draw(scenery: Scenery, drawn: Sequence[Drawn], measures: Measures) -> Picture:
    """Place everything."""
    columns = Columns(scenery, drawn, measures)
    pad = measures.pad
    width, height = columns.at(columns.end + 2 * pad, columns.stacks.length + pad)
    walls = (*_customer_walls(columns), *_inner_walls(columns))
    taken = [box for wall in walls for box in (wall.box, *(label.box for label in wall.labels))]
    return Picture(
        width=width,
        height=height,
        panels=tuple(_panels(columns)),
        sites=tuple(_site(columns, site) for site in scenery.sites),
        walls=walls,
        chips=tuple(_chips(columns)),
        lines=tuple(courses(columns, taken)),
    )


def _panels(columns: Columns) -> Iterator[Panel]:
    pad = columns.measures.pad
    spans = {
        Segment.CUSTOMER: (pad, columns.wall),
        Segment.INTERNET: (columns.wall + 2, columns.edge),
        Segment.SERVICE: (columns.edge + pad, columns.end + pad),
    }
    for segment, (start, end) in spans.items():
        box = columns.box(start, pad, end - start, columns.stacks.length - pad)
        label = Label(box.x + 10, box.y + 19, segment.value.capitalize())
        yield Panel(segment.value, box, label)


def _site(columns: Columns, site: Site) -> SiteBox:
    start, end = columns.stacks.sites[site.name]
    pad, devices = columns.measures.pad, _devices(site)
    band = columns.measures.band_u(1 + len(devices))
    u = columns.hosts[site.segment] - pad - band
    box = columns.box(u, start, columns.measures.chip_u + 2 * pad + band, end - start)
    rings = [Wall(one.kind, box.around(3 + _RING * n)) for n, one in enumerate(devices)]
    return SiteBox(box, tuple(_site_labels(columns, site, box)), tuple(rings))


def _devices(site: Site) -> tuple[Device, ...]:
    return site.gate.devices if site.gate else ()


def _site_labels(columns: Columns, site: Site, box: Box) -> Iterator[Label]:
    name = f"{site.name} {site.prefix}" if columns.measures.wide else site.name
    yield Label(box.x + 6, box.y + 15, name)
    for number, device in enumerate(reversed(_devices(site)), start=1):
        said = f"{device.name}: {device.note}"
        fits = len(said) * BOLD < box.width - 8
        y = box.y + 15 + columns.measures.line * number
        yield Label(box.x + 6, y, said if fits else device.note)


def _chips(columns: Columns) -> Iterator[Chip]:
    used = {point.host for trip in columns.trips for _, point in ends_of(trip)}
    for site in columns.scenery.sites:
        for host in site.hosts:
            start, end = columns.stacks.hosts[host.name]
            u = columns.hosts[site.segment]
            box = columns.box(u, start, columns.measures.chip_u, end - start)
            yield Chip(box, host, host.name not in used)


def _customer_walls(columns: Columns) -> Iterator[Wall]:
    """The wall of the customer network, and the devices of its gates."""
    yield Wall("wall", _bar(columns, columns.wall, columns.measures.pad, columns.stacks.length))
    for gate in columns.scenery.gates:
        start, end = columns.stacks.gates[gate.host]
        for number, device in enumerate(gate.devices):
            u = columns.device(gate, number)
            box = _bar(columns, u, start + columns.measures.band_v(2), end)
            yield Wall(device.kind, box, tuple(_bar_labels(columns, device, u, start)))


def _bar(columns: Columns, u: float, start: float, end: float) -> Box:
    return columns.box(u - HALF, start, 2 * HALF, end - start)


def _bar_labels(columns: Columns, device: Device, u: float, start: float) -> Iterator[Label]:
    if columns.measures.wide:
        x, y = u - HALF - 5, start + 13
        yield Label(x, y, device.name, "end")
        yield Label(x, y + columns.measures.line, device.note, "end")
    else:
        yield Label(start + 3, u - HALF - 5, f"{device.name}: {device.note}")


def _inner_walls(columns: Columns) -> Iterator[Wall]:
    """Firewalls between sites of one segment."""
    pad = columns.measures.pad
    for site in columns.scenery.sites:
        if site.wall:
            level = columns.stacks.walls[site.name]
            start = columns.hosts[site.segment] - pad
            room = columns.room(Channel(list(Segment).index(site.segment)))
            length = columns.measures.chip_u + 2 * pad + room
            box = columns.box(start, level - HALF, length, 2 * HALF)
            yield Wall(site.wall.kind, box, (_wall_label(columns, site.wall, box),))


def _wall_label(columns: Columns, device: Device, box: Box) -> Label:
    said = f"{device.name}: {device.note}"
    if columns.measures.wide:
        return Label(box.x, box.y - 5, said)
    return Label(box.x + HALF, box.y + box.height + 14, said, "middle")

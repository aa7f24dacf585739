"""A network as the reference documents draw it: sites in three segments, walls with devices.

Only the description says what belongs together: hosts that reach each other without
crossing a firewall, a NAT or a VPN gateway form a site. The customer network has one
wall toward the internet, with a gate where each NAT and VPN gateway stands; a site
elsewhere that lies behind a perimeter of its own, such as a home, is walled in.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from topologies.spec import Firewall, Host, Network, Perimeter, Role, Segment, Vpn

DeviceKind = Literal["firewall", "NAT", "VPN gateway"]


@dataclass(frozen=True)
class Device:
    """What a wall is made of; ``note`` says what it does: a policy's name, or its kind."""

    kind: DeviceKind
    name: str
    note: str


@dataclass(frozen=True)
class Gate:
    """Where one may pass a wall: its devices, from the inside out."""

    host: str
    devices: tuple[Device, ...]


@dataclass(frozen=True)
class Site:
    """Hosts with no perimeter between them; routers that only pass packets on are left out."""

    name: str
    prefix: str
    segment: Segment
    hosts: tuple[Host, ...]
    #: Where the site has a wall of its own around it.
    gate: Gate | None = None
    #: A firewall within a segment, between this site and one before it.
    wall: Device | None = None


@dataclass(frozen=True)
class Scenery:
    """All sites in the order of the description, and the gates of the customer network."""

    sites: tuple[Site, ...]
    gates: tuple[Gate, ...]

    def within(self, segment: Segment) -> tuple[Site, ...]:
        """The sites of a segment."""
        return tuple(site for site in self.sites if site.segment is segment)

    def only(self, names: Collection[str]) -> "Scenery":
        """The same with no other hosts than these, and those behind devices of these names."""
        kept = (
            replace(site, hosts=tuple(host for host in site.hosts if host.name in names))
            if not _devices_of(site) & {*names}
            else site
            for site in self.sites
        )
        return Scenery(tuple(site for site in kept if site.hosts), self.gates)

    def site_of(self, host: str) -> Site | None:
        """The site where a host is drawn; None for one that stands in a wall, or is left out."""
        return next((site for site in self.sites if _has(site, host)), None)

    def gate_of(self, device: str) -> Gate | None:
        """The gate of the customer network in which a device stands."""
        return next((gate for gate in self.gates if device in names_of(gate)), None)

    def walled_by(self, device: str) -> Site | None:
        """The site in whose own wall a device stands."""
        walled = (site for site in self.sites if site.gate)
        return next((site for site in walled if site.gate and device in names_of(site.gate)), None)

    def behind(self, firewall: str) -> Site | None:
        """The site that a firewall within the segment parts from those before it."""
        return next((s for s in self.sites if s.wall and s.wall.name == firewall), None)


def names_of(gate: Gate) -> set[str]:
    """By what names the devices of a gate are known: their own, and that of the host."""
    return {gate.host, *(device.name for device in gate.devices)}


def _devices_of(site: Site) -> set[str]:
    """The names of what stands in the walls of a site."""
    return (names_of(site.gate) if site.gate else set()) | (
        {site.wall.name} if site.wall else set()
    )


def _has(site: Site, host: str) -> bool:
    return any(one.name == host for one in site.hosts)


def scenery(network: Network, policies: Mapping[str, str], shown: Collection[str]) -> Scenery:
    """The sites and walls of a network.

    ``policies`` has the policy of each firewall that enforces one (another is a plain
    cable); ``shown`` are routers to draw all the same, since something ends there.
    """
    gates = {_host(gate): _gate(network, gate, policies) for gate in _gates(network)}
    groups = list(_groups(network, set(gates)))
    sites: list[Site] = []
    for group in groups:
        drawn = tuple(h for h in group if h.role is not Role.ROUTER or h.name in shown)
        if drawn:
            site = _site(network, group, drawn, gates)
            alike = sum(other.name.partition(" ")[0] == site.name for other in sites)
            sites.append(replace(site, name=f"{site.name} {alike + 1}") if alike else site)
    wall = tuple(gates[name] for name in gates if _is_customers(network.host(name)))
    return Scenery(tuple(_with_walls(network, sites, groups, policies)), wall)


def _gates(network: Network) -> Iterator[Perimeter | Vpn]:
    yield from network.perimeters
    yield from network.vpns


def _host(gate: Perimeter | Vpn) -> str:
    return gate.host if isinstance(gate, Perimeter) else gate.gateway


def _is_customers(host: Host) -> bool:
    return host.segment is Segment.CUSTOMER


def _gate(network: Network, gate: Perimeter | Vpn, policies: Mapping[str, str]) -> Gate:
    kind: DeviceKind = "NAT" if isinstance(gate, Perimeter) else "VPN gateway"
    own = Device(kind, _host(gate), kind)
    inner, outer = (
        [_firewall(one, policies) for one in network.firewalls if one.link == link]
        for link in (gate.inside, gate.outside)
    )
    devices = (*inner, own, *outer)
    return Gate(_host(gate), tuple(device for device in devices if device))


def _firewall(firewall: Firewall, policies: Mapping[str, str]) -> Device | None:
    policy = policies.get(firewall.name)
    return Device("firewall", firewall.name, policy) if policy else None


def _groups(network: Network, gates: Collection[str]) -> Iterator[tuple[Host, ...]]:
    """Hosts that reach each other without crossing a perimeter, in the order of declaration."""
    left = [host for host in network.hosts if host.name not in gates]
    joined = list(_joined(network))
    while left:
        group = {left[0].name}
        while more := {name for one in joined if group & one for name in one - group - {*gates}}:
            group |= more
        yield tuple(host for host in left if host.name in group)
        left = [host for host in left if host.name not in group]


def _joined(network: Network) -> Iterator[set[str]]:
    """The hosts on each link, or on each side of the firewall there; those of a region alone."""
    sides = {firewall.link: firewall.sides for firewall in network.firewalls}
    for link in network.links:
        own = {host.name for host, _ in network.attached(link.name) if host.segment is link.segment}
        if link.name in sides:
            yield from (own & {*names} for names in sides[link.name].values())
        else:
            regions = {network.region_of(name) for name in own}
            yield from ({n for n in own if network.region_of(n) == one} for one in regions)


def _site(
    network: Network,
    group: tuple[Host, ...],
    drawn: tuple[Host, ...],
    gates: Mapping[str, Gate],
) -> Site:
    link = network.link(drawn[0].interfaces[0].link)
    inside = {_host(gate): gate.inside for gate in _gates(network)}
    legs = {leg.link for host in group for leg in host.interfaces}
    own = [gates[name] for name, link in inside.items() if link in legs]
    walled = own[0] if own and drawn[0].segment is not Segment.CUSTOMER else None
    return Site(link.name, str(link.prefix), drawn[0].segment, drawn, walled)


def _with_walls(
    network: Network,
    sites: list[Site],
    groups: list[tuple[Host, ...]],
    policies: Mapping[str, str],
) -> Iterator[Site]:
    """The sites, each with the firewall within the segment that parts it from one before."""
    links = {link for gate in _gates(network) for link in (gate.inside, gate.outside)}
    inner = [one for one in network.firewalls if one.link not in links and one.name in policies]
    seen: set[str] = set()
    for site in sites:
        members = {h.name for group in groups if site.hosts[0] in group for h in group}
        parts = [one for one in inner if _parts(one, members, seen)]
        seen |= members
        yield replace(site, wall=_firewall(parts[0], policies)) if parts else site


def _parts(firewall: Firewall, members: set[str], before: set[str]) -> bool:
    """Whether a firewall has these hosts on one side and earlier ones on another."""
    hosts = {name for names in firewall.sides.values() for name in names}
    return bool(hosts & members and hosts & before)

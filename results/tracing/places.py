"""Who stands where: which host owns an address, which tap a frame's MAC names.

All of it is read from the network's description in run.json; nothing here is
an observation.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv6Network

from results.tracing.lines import PLAIN, Hop, Line, lines_of
from results.tunnelling.tunnels import Tunnel, tunnels_of
from topologies.addresses import address_of
from topologies.flows import flow_between
from topologies.spec import Flow, Host, Network, Role, Segment, Tap


@dataclass(frozen=True)
class Places:
    """Look-ups into one network; addresses and MACs are numbers as in the packet table."""

    hosts: Mapping[str, Host]
    #: Address of an interface, or of an end of a tunnel -> name of the host that has it.
    owners: Mapping[int, str]
    #: MAC address -> the tap on the interface that has it.
    by_mac: Mapping[int, Tap]
    #: Link -> the segment it belongs to.
    segments: Mapping[str, Segment]
    #: Hosts at which two segments meet, and links with a firewall in line.
    perimeters: frozenset[str]
    guarded: frozenset[str]
    #: DNS name -> host.
    domains: Mapping[str, Host]
    #: Name of a VPN -> its tunnel.
    tunnels: Mapping[str, Tunnel]
    #: Name of a VPN and a host -> the tap on the host's end of the tunnel.
    tunnel_taps: Mapping[tuple[str, str], Tap]
    #: What hops add that are impaired.
    lines: Mapping[Hop, Line]
    #: Host -> its region, where the service has several.
    regions: Mapping[str, str]
    #: The prefix under which those with IPv6 alone reach IPv4, where there is a NAT64.
    nat64: IPv6Network | None = None

    def segment(self, host: str) -> Segment:
        """The segment of a host; KeyError when there is no such host."""
        return self.hosts[host].segment

    def role(self, host: str) -> Role:
        """What a host is there for; KeyError when there is no such host."""
        return self.hosts[host].role

    def address_for(self, server: str, host: str) -> int:
        """The address at which a host reaches a server: of its own family, or a NAT64's for it."""
        version = self.hosts[host].address.version
        own = self.hosts[server].addresses
        alike = next((int(address) for address in own if address.version == version), None)
        if alike is None and self.nat64:
            return int(self.nat64.network_address) + int(own[0])
        return int(own[0]) if alike is None else alike

    def owner(self, address: int) -> str | None:
        """The host that has this address, or None when nobody has it."""
        return self.owners.get(address)

    def reached_at(self, address: int) -> str | None:
        """The host that is reached at an address: its owner, or whose IPv4 a NAT64 leads to.

        The last 32 bits of what a NAT64 translates are the IPv4 address (RFC 6052, section 2.2).
        """
        if self.nat64 and address_of(address) in self.nat64:
            return self.owner(address - int(self.nat64.network_address))
        return self.owner(address)

    def of_tap(self, tap: Tap) -> Segment:
        """The segment of the link that a tap watches; of loopback and tunnels, the host's own."""
        return self.segments[tap.link] if tap.link else self.segment(tap.host)

    def through_tunnel(self, tap: Tap, *, outgoing: bool, src: int, dst: int) -> Tap | None:
        """The tap at the other end of a tunnel, by a packet's addresses; None when it has none."""
        if tap.tunnel is None:
            return None
        tunnel = self.tunnels[tap.tunnel]
        if tap.host != tunnel.vpn.gateway:
            return self.tunnel_taps.get((tap.tunnel, tunnel.vpn.gateway))
        client = tunnel.client_at(dst if outgoing else src)
        return self.tunnel_taps.get((tap.tunnel, client)) if client else None

    def line(self, tap: Tap, far: Tap | None) -> Line:
        """What the hop from one tap to the tap at its other end adds."""
        return self.lines.get((tap.name, far.name), PLAIN) if far else PLAIN

    def between_regions(self, origin: str, target: str) -> bool:
        """Whether two hosts are of two regions: what they say has no number, as it is inside."""
        own, other = self.regions.get(origin), self.regions.get(target)
        return own is not None and other is not None and own != other

    def guards(self, tap: Tap) -> bool:
        """Whether a tap stands at a perimeter."""
        return tap.host in self.perimeters or tap.link in self.guarded or tap.tunnel is not None

    def flow(self, origin: str, target: str) -> Flow | None:
        """The flow between two hosts, by their segments."""
        return flow_between(self.segment(origin), self.segment(target))


def places_of(network: Network) -> Places:
    """The look-ups of a network."""
    return Places(
        hosts={host.name: host for host in network.hosts},
        owners=dict(_owners(network)),
        by_mac=_by_mac(network.taps()),
        segments={link.name: link.segment for link in network.links},
        perimeters=frozenset(perimeter.host for perimeter in network.perimeters),
        guarded=frozenset(firewall.link for firewall in network.firewalls),
        domains={host.domain: host for host in network.hosts if host.domain},
        tunnels={tunnel.vpn.name: tunnel for tunnel in tunnels_of(network)},
        tunnel_taps={(tap.tunnel, tap.host): tap for tap in network.taps() if tap.tunnel},
        lines=lines_of(network),
        regions={name: region.name for region in network.regions for name in region.hosts},
        nat64=network.nat64,
    )


def _owners(network: Network) -> Iterator[tuple[int, str]]:
    for host in network.hosts:
        for interface in host.interfaces:
            for own in interface.addresses:
                yield int(own.ip), host.name
    for vpn in network.vpns:
        for name, address in vpn.ends().items():
            yield int(address), name


def _by_mac(taps: Iterable[Tap]) -> dict[int, Tap]:
    return {int(tap.mac.replace(":", ""), 16): tap for tap in taps if tap.mac}

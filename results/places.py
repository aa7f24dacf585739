"""Who stands where: which host owns an address, which tap a frame's MAC names.

All of it is read from the network's description in run.json; nothing here is
an observation.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from topologies.spec import Flow, Host, Network, Role, Segment, Tap, flow_between


@dataclass(frozen=True)
class Places:
    """Look-ups into one network; addresses and MACs are numbers as in the packet table."""

    hosts: Mapping[str, Host]
    #: Interface address -> name of the host that has it.
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

    def segment(self, host: str) -> Segment:
        """The segment of a host; KeyError when there is no such host."""
        return self.hosts[host].segment

    def role(self, host: str) -> Role:
        """What a host is there for; KeyError when there is no such host."""
        return self.hosts[host].role

    def owner(self, address: int) -> str | None:
        """The host that has this address, or None when nobody has it."""
        return self.owners.get(address)

    def of_tap(self, tap: Tap) -> Segment:
        """The segment of the link that a tap watches; of loopback, the host's own."""
        return self.segments[tap.link] if tap.link else self.segment(tap.host)

    def guards(self, tap: Tap) -> bool:
        """Whether a tap stands at a perimeter."""
        return tap.host in self.perimeters or tap.link in self.guarded

    def flow(self, origin: str, target: str) -> Flow | None:
        """The flow between two hosts, by their segments."""
        return flow_between(self.segment(origin), self.segment(target))


def places_of(network: Network) -> Places:
    """The look-ups of a network."""
    return Places(
        hosts={host.name: host for host in network.hosts},
        owners={
            int(interface.address.ip): host.name
            for host in network.hosts
            for interface in host.interfaces
        },
        by_mac=_by_mac(network.taps()),
        segments={link.name: link.segment for link in network.links},
        perimeters=frozenset(perimeter.host for perimeter in network.perimeters),
        guarded=frozenset(firewall.link for firewall in network.firewalls),
        domains={host.domain: host for host in network.hosts if host.domain},
    )


def _by_mac(taps: Iterable[Tap]) -> dict[int, Tap]:
    return {int(tap.mac.replace(":", ""), 16): tap for tap in taps if tap.mac}

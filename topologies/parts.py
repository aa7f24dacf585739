"""Parts that networks are put together from: links, interfaces, routes, homes."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, ip_address, ip_interface, ip_network
from typing import Literal

from topologies.spec import (
    Firewall,
    Host,
    Impairment,
    Inspection,
    Interface,
    Link,
    Nat,
    Network,
    Perimeter,
    Role,
    Route,
    Segment,
    Shaper,
)


def default_route(via: str) -> Route:
    """The route to everywhere else."""
    next_hop = ip_address(via)
    everywhere = "0.0.0.0/0" if next_hop.version == 4 else "::/0"
    return Route(to=ip_network(everywhere), via=next_hop)


def static_route(to: str, via: str) -> Route:
    """A route to one prefix."""
    return Route(to=ip_network(to), via=ip_address(via))


def attached_to(**addresses: str) -> tuple[Interface, ...]:
    """Interfaces in order, written as link=address."""
    return tuple(
        Interface(link=link, address=ip_interface(address)) for link, address in addresses.items()
    )


def new_link(name: str, prefix: str, segment: Segment) -> Link:
    """A link, its prefix written as text."""
    return Link(name=name, prefix=ip_network(prefix), segment=segment)


def with_leg(host: Host, link: str, address: str, *routes: Route) -> Host:
    """The host with one more interface, the last, and more routes."""
    interfaces = (*host.interfaces, *attached_to(**{link: address}))
    return with_route(host.model_copy(update={"interfaces": interfaces}), *routes)


def with_route(host: Host, *routes: Route) -> Host:
    """The host with more routes."""
    return host.model_copy(update={"routes": (*host.routes, *routes)})


def impaired(
    network: Network,
    link: str,
    *,
    sender: str | None = None,
    delay_ms: float = 0.0,
    jitter_ms: float = 0.0,
    loss: float = 0.0,
) -> Network:
    """The network with a cable that impairs what one ``sender`` sends, or what both ends do.

    Pydantic's ValidationError when the link is no cable, KeyError when it is not there.
    """
    cable = network.link(link)
    ends = [host.name for host, _ in network.attached(link)]
    senders = ends if sender is None else [sender]
    kept = [one for one in cable.impairments if one.sender not in senders]
    new = [
        Impairment(sender=name, delay_ms=delay_ms, jitter_ms=jitter_ms, loss=loss)
        for name in senders
    ]
    worse = cable.model_copy(update={"impairments": (*kept, *new)})
    links = tuple(worse if one is cable else one for one in network.links)
    return Network(**{**dict(network), "links": links})


def offering(network: Network, *transports: Literal["udp", "tcp", "tls"]) -> Network:
    """The network whose service offers its relays over these transports, in this order."""
    return network.model_copy(update={"relay_transports": transports})


def shaped(network: Network, perimeter: str, shaper: Shaper) -> Network:
    """The network with a packet shaper in the router of a perimeter.

    KeyError when there is no such perimeter.
    """
    return _with_box(network, perimeter, {"shaper": shaper})


def inspected(network: Network, perimeter: str, inspection: Inspection) -> Network:
    """The network with a box in the router of a perimeter that reads HTTPS.

    KeyError when there is no such perimeter.
    """
    return _with_box(network, perimeter, {"inspection": inspection})


def _with_box(network: Network, name: str, box: dict[str, Shaper | Inspection]) -> Network:
    if name not in {one.name for one in network.perimeters}:
        raise KeyError(name)
    changed = tuple(
        one.model_copy(update=box) if one.name == name else one for one in network.perimeters
    )
    return Network(**{**dict(network), "perimeters": changed})


@dataclass(frozen=True)
class Home:
    """A user at home: a LAN ``lan``.0/24, a NAT router, and its access to the internet."""

    user: str
    lan: str
    access_prefix: str
    nat: Nat

    @property
    def access(self) -> str:
        """The link between the home's router and its provider."""
        return f"{self.user}_up"

    @property
    def uplink(self) -> list[IPv4Address]:
        """Network, provider's router, own router, broadcast."""
        return list(IPv4Network(self.access_prefix))

    def links(self) -> tuple[Link, ...]:
        """The home's LAN, and its access."""
        return (
            new_link(f"{self.user}_lan", f"{self.lan}.0/24", Segment.INTERNET),
            new_link(self.access, self.access_prefix, Segment.INTERNET),
        )

    def hosts(self) -> tuple[Host, ...]:
        """The user's machine and the NAT router."""
        user = Host(
            name=self.user,
            role=Role.USER,
            segment=Segment.INTERNET,
            interfaces=attached_to(**{f"{self.user}_lan": f"{self.lan}.11/24"}),
            routes=(default_route(f"{self.lan}.1"),),
            nameserver="resolver",
        )
        router = Host(
            name=f"{self.user}_nat",
            role=Role.NAT,
            segment=Segment.INTERNET,
            interfaces=attached_to(
                **{f"{self.user}_lan": f"{self.lan}.1/24", self.access: f"{self.uplink[2]}/30"}
            ),
            routes=(default_route(str(self.uplink[1])),),
        )
        return user, router

    def firewall(self) -> Firewall:
        """A place for a firewall on the inner side of the home's NAT."""
        return Firewall(
            name=f"{self.user}_home",
            link=f"{self.user}_lan",
            sides={"inside": (self.user,), "outside": (f"{self.user}_nat",)},
        )

    def perimeter(self) -> Perimeter:
        """Where the home meets the internet."""
        return Perimeter(
            name=f"{self.user}_home",
            host=f"{self.user}_nat",
            inside=f"{self.user}_lan",
            outside=self.access,
            nat=self.nat,
        )

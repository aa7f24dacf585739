"""Reference networks with IPv6: both families everywhere, or IPv6 alone at the customer's.

The addresses are those of :func:`topologies.reference.office_and_homes`, and of IPv6 the prefix
of the link with the number after the last dot as it is written: alice has 10.10.0.11 and
2001:db8:10:1::11::

    link         IPv6 prefix            link         IPv6 prefix
    head         2001:db8:10:1::/64     eve_lan      2001:db8:e1:1::/64
    branch       2001:db8:10:2::/64     eve_up       2001:db8:a:8::/64
    wan          2001:db8:10:f1::/64    nina_lan     2001:db8:e2:1::/64
    edge         2001:db8:10:f0::/64    nina_up      2001:db8:a:12::/64
    access       2001:db8:a:1::/64      service      2001:db8:203::/64
    backbone     2001:db8:53::/64

IPv6 is routed: the internet knows that 2001:db8:10::/48 is at office_nat, and each home's prefix
at its router. These translate IPv4 only; of IPv6 they let in what answers (RFC 6092).
"""

from collections.abc import Collection, Iterator, Mapping
from ipaddress import IPv6Interface, IPv6Network

from topologies.parts import default_route, static_route
from topologies.reference import office_and_homes
from topologies.spec import Host, Interface, Link, Network, Role, Route, Segment

#: Link -> its IPv6 prefix.
PREFIXES = {
    link: IPv6Network(f"2001:db8:{prefix}::/64")
    for link, prefix in {
        "head": "10:1",
        "branch": "10:2",
        "wan": "10:f1",
        "edge": "10:f0",
        "access": "a:1",
        "backbone": "53",
        "service": "203",
        "eve_lan": "e1:1",
        "eve_up": "a:8",
        "nina_lan": "e2:1",
        "nina_up": "a:12",
    }.items()
}

_OFFICE_LINKS = ("head", "branch", "wan", "edge")

#: Under which the office reaches IPv4, where it has a NAT64.
NAT64 = IPv6Network("2001:db8:64::/96")

#: The office's prefix at its provider; of homes it is that of their LAN.
OFFICE = "2001:db8:10::/48"


def dual_stack() -> Network:
    """Office and homes, all with both families."""
    network = _with_ipv6(office_and_homes(), PREFIXES)
    return network.model_copy(update={"name": "dual_stack"})


def ipv6_only() -> Network:
    """Office and homes have IPv6 alone; the service and the internet have both families.

    Their routers have no IPv4 inside, and so nothing to translate.
    """
    network = dual_stack()
    alone = [link.name for link in network.links if _is_inside(link)]
    return _without_ipv4(network, "ipv6_only", alone)


def ipv6_only_behind_nat64() -> Network:
    """The office has IPv6 alone; the service and the homes have IPv4 alone.

    The office's router is a NAT64 with the prefix 2001:db8:64::/96, and its forwarder a DNS64:
    the relay, 203.0.113.9, is 2001:db8:64::cb00:7109 for the office. The internet has both
    families, and so the forwarder asks the resolver over IPv6.
    """
    some = {name: PREFIXES[name] for name in (*_OFFICE_LINKS, "access", "backbone")}
    network = _with_ipv6(office_and_homes(), some)
    perimeters = tuple(
        one.model_copy(update={"nat64": NAT64}) if one.name == "office" else one
        for one in network.perimeters
    )
    network = network.model_copy(update={"perimeters": perimeters})
    return _without_ipv4(network, "ipv6_only_behind_nat64", _OFFICE_LINKS)


def _is_inside(link: Link) -> bool:
    """Whether a link is the office's or a home's own."""
    return link.segment is Segment.CUSTOMER or link.name.endswith("_lan")


def _with_ipv6(network: Network, prefixes: Mapping[str, IPv6Network]) -> Network:
    """The network with IPv6 on some of its links, and routes as IPv4 has them."""
    links = tuple(
        link.model_copy(update={"ipv6": prefixes.get(link.name)}) for link in network.links
    )
    hosts = tuple(_host_with_ipv6(network, host, prefixes) for host in network.hosts)
    return Network(**{**dict(network), "links": links, "hosts": hosts})


def _host_with_ipv6(network: Network, host: Host, prefixes: Mapping[str, IPv6Network]) -> Host:
    legs = tuple(_leg_with_ipv6(leg, prefixes) for leg in host.interfaces)
    routes = (*host.routes, *_routes(network, host, prefixes))
    return host.model_copy(update={"interfaces": legs, "routes": routes})


def _leg_with_ipv6(leg: Interface, prefixes: Mapping[str, IPv6Network]) -> Interface:
    if leg.link not in prefixes:
        return leg
    prefix = prefixes[leg.link]
    last = str(leg.address.ip).rpartition(".")[2]
    address = IPv6Interface(f"{prefix.network_address}{last}/{prefix.prefixlen}")
    return leg.model_copy(update={"ipv6": address})


def _routes(network: Network, host: Host, prefixes: Mapping[str, IPv6Network]) -> Iterator[Route]:
    """The host's routes in IPv6: those that it has in IPv4, and of the internet the way inside."""
    to = {link.prefix: str(prefixes[link.name]) for link in network.links if link.name in prefixes}
    for route in host.routes:
        hop = _next_hop(host, route, prefixes)
        if hop and route.to.prefixlen == 0:
            yield default_route(hop)
        elif hop and route.to in to:
            yield static_route(to[route.to], hop)
    if host.role is Role.ROUTER and host.segment is Segment.INTERNET:
        yield from _ways_inside(network, prefixes)


def _next_hop(host: Host, route: Route, prefixes: Mapping[str, IPv6Network]) -> str | None:
    """The IPv6 address of a route's next hop, on the link to it."""
    for leg in host.interfaces:
        if leg.link in prefixes and route.via in leg.address.network:
            last = str(route.via).rpartition(".")[2]
            return f"{prefixes[leg.link].network_address}{last}"
    return None


def _ways_inside(network: Network, prefixes: Mapping[str, IPv6Network]) -> Iterator[Route]:
    for perimeter in network.perimeters:
        router = network.host(perimeter.host)
        legs = {leg.link: _leg_with_ipv6(leg, prefixes) for leg in router.interfaces}
        outside = legs[perimeter.outside].ipv6
        if outside and perimeter.inside in prefixes:
            inner = OFFICE if perimeter.name == "office" else str(prefixes[perimeter.inside])
            yield static_route(inner, str(outside.ip))


def _without_ipv4(network: Network, name: str, alone: Collection[str]) -> Network:
    """The network with IPv6 alone on some links, which have both families."""
    links = tuple(
        link.model_copy(update={"prefix": link.ipv6, "ipv6": None}) if link.name in alone else link
        for link in network.links
    )
    hosts = tuple(_host_without_ipv4(host, alone) for host in network.hosts)
    return Network(**{**dict(network), "name": name, "links": links, "hosts": hosts})


def _host_without_ipv4(host: Host, alone: Collection[str]) -> Host:
    legs = tuple(
        leg.model_copy(update={"address": leg.ipv6, "ipv6": None}) if leg.link in alone else leg
        for leg in host.interfaces
    )
    near = [address.network for leg in legs for address in leg.addresses]
    routes = tuple(route for route in host.routes if any(route.via in prefix for prefix in near))
    return host.model_copy(update={"interfaces": legs, "routes": routes})

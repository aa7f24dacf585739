"""Three places of the internet, with an edge of the service at each.

What is needed beside customers for a network of topologies/regions.py, where all is drawn.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from itertools import chain

from topologies.parts import attached_to, default_route, impaired, new_link, static_route, with_leg
from topologies.reference import DOMAIN, NAME_SERVERS
from topologies.spec import Firewall, Host, Link, Network, Perimeter, Region, Role, Segment, Vpn

#: Where regions are, and each region's LAN; the first keeps what all share.
LANS = {"west": "203.0.113.0/26", "mid": "203.0.113.64/26", "east": "203.0.113.128/26"}

#: The cables between places: the two places, prefix, delay in ms one way.
_INTERNET = {
    "net_w_m": ("west", "mid", "198.51.100.64/30", 12),
    "net_m_e": ("mid", "east", "198.51.100.68/30", 18),
    "net_w_e": ("west", "east", "198.51.100.72/30", 30),
}
_BACKBONE = {
    "bb_w_m": ("west", "mid", "203.0.113.192/30", 8),
    "bb_m_e": ("mid", "east", "203.0.113.196/30", 12),
    "bb_w_e": ("west", "east", "203.0.113.200/30", 20),
}

_UPLINKS = {"west": "198.51.100.76/30", "mid": "198.51.100.80/30", "east": "198.51.100.84/30"}

#: The public resolver, and where it stands.
_DNS, _RESOLVER_AT = "198.51.100.48/28", "west"

#: Every region answers those who are where it is.
AS_IT_IS = {place: place for place in LANS}


@dataclass(frozen=True)
class Customers:
    """All but the internet's and the service's own; ``accesses`` are links by place."""

    accesses: Mapping[str, tuple[str, ...]]
    links: tuple[Link, ...]
    hosts: tuple[Host, ...]
    perimeters: tuple[Perimeter, ...]
    firewalls: tuple[Firewall, ...]
    vpns: tuple[Vpn, ...] = ()
    #: Links that lead to a region's router without the internet, by place.
    peerings: Mapping[str, Link] = field(default_factory=dict)


def network_of(name: str, customers: Customers, answered: Mapping[str, str]) -> Network:
    """The customers, the internet and the service.

    ``answered`` says with which region's addresses the resolver answers each place.
    """
    links = {link.name: link for link in customers.links}
    accesses = {place: [links[access] for access in customers.accesses[place]] for place in LANS}
    forwarder, resolver = NAME_SERVERS
    network = Network(
        name=name,
        links=(*customers.links, *_own_links()),
        hosts=(
            *customers.hosts,
            forwarder,
            resolver.model_copy(update={"interfaces": attached_to(dns=_at(_DNS, 5))}),
            *(_internet_router(place, accesses) for place in LANS),
            *chain.from_iterable(_edge(place, customers.peerings) for place in LANS),
        ),
        perimeters=customers.perimeters,
        firewalls=customers.firewalls,
        vpns=customers.vpns,
        regions=tuple(_region(place, accesses, answered) for place in LANS),
    )
    for link, (*_, delay) in (_INTERNET | _BACKBONE).items():
        network = impaired(network, link, delay_ms=delay)
    return network


def _own_links() -> Iterator[Link]:
    """The links of the internet and the service."""
    yield new_link("dns", _DNS, Segment.INTERNET)
    for link, (*_, prefix, _delay) in _INTERNET.items():
        yield new_link(link, prefix, Segment.INTERNET)
    for place, lan in LANS.items():
        yield new_link(f"{place}_up", _UPLINKS[place], Segment.INTERNET)
        yield new_link(place, lan, Segment.SERVICE)
    for link, (*_, prefix, _delay) in _BACKBONE.items():
        yield new_link(link, prefix, Segment.SERVICE)


def _internet_router(place: str, accesses: Mapping[str, list[Link]]) -> Host:
    """The internet's router at a place, with a route to all that stands at the others."""
    legs = {link.name: _at(str(link.prefix), 1) for link in accesses[place]}
    legs[f"{place}_up"] = _at(_UPLINKS[place], 1)
    if place == _RESOLVER_AT:
        legs["dns"] = _at(_DNS, 1)
    router = Host(
        name=f"inet_{place}",
        role=Role.ROUTER,
        segment=Segment.INTERNET,
        interfaces=attached_to(**legs),
        routes=(static_route(LANS[place], _address(_UPLINKS[place], 2)),),
    )
    for link, own, other, place_there in _cables(_INTERNET, place):
        there = [LANS[place_there], *(str(link.prefix) for link in accesses[place_there])]
        there += [_DNS] if place_there == _RESOLVER_AT else []
        router = with_leg(router, link, own, *(static_route(to, other) for to in there))
    return router


def _edge(place: str, peerings: Mapping[str, Link]) -> Iterator[Host]:
    """A region's router, and the hosts of its edge."""
    router = Host(
        name=f"{place}_rtr",
        role=Role.ROUTER,
        segment=Segment.SERVICE,
        interfaces=attached_to(
            **{place: _at(LANS[place], 1), f"{place}_up": _at(_UPLINKS[place], 2)}
        ),
        routes=(default_route(_address(_UPLINKS[place], 1)),),
    )
    for link, own, other, place_there in _cables(_BACKBONE, place):
        there = [LANS[place_there]]
        there += [str(peerings[place_there].prefix)] if place_there in peerings else []
        router = with_leg(router, link, own, *(static_route(to, other) for to in there))
    if place in peerings:
        router = with_leg(router, peerings[place].name, _at(str(peerings[place].prefix), 1))
    yield router
    yield _server(place, "front", Role.FRONT_END, 5, "front-end")
    yield _server(place, "relay", Role.RELAY, 9, "relay")
    yield _server(place, "telem", Role.TELEMETRY, 13, "telemetry")


def _server(place: str, name: str, role: Role, number: int, label: str) -> Host:
    return Host(
        name=f"{name}_{place}",
        role=role,
        segment=Segment.SERVICE,
        interfaces=attached_to(**{place: _at(LANS[place], number)}),
        routes=(default_route(_address(LANS[place], 1)),),
        domain=f"{label}.{DOMAIN}",
        nameserver="resolver",
    )


def _region(place: str, accesses: Mapping[str, list[Link]], answered: Mapping[str, str]) -> Region:
    """The region at a place; it serves the places that are answered with its addresses."""
    served = (
        link for there, region in answered.items() if region == place for link in accesses[there]
    )
    return Region(
        name=place,
        hosts=(f"{place}_rtr", *(f"{name}_{place}" for name in ("front", "relay", "telem"))),
        serves=tuple(link.prefix for link in served),
    )


def _cables(
    cables: Mapping[str, tuple[str, str, str, int]], place: str
) -> Iterator[tuple[str, str, str, str]]:
    """The cables of a place: link, own address with its prefix, the other's, its place."""
    for link, (one, other, prefix, _delay) in cables.items():
        if place == one:
            yield link, _at(prefix, 1), _address(prefix, 2), other
        elif place == other:
            yield link, _at(prefix, 2), _address(prefix, 1), one


def _at(prefix: str, number: int) -> str:
    """An address of a prefix by its number, with the prefix's length."""
    return f"{_address(prefix, number)}/{IPv4Network(prefix).prefixlen}"


def _address(prefix: str, number: int) -> str:
    return str(IPv4Network(prefix)[number])

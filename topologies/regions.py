"""Reference networks whose service has three regions, far from each other.

The internet has three places. At each stands an edge of the service, with a front end,
a relay and telemetry; whoever is at home or has an office there is near to it. Cables
between places take their time, and regions reach each other over a backbone of their
own, which is a little faster::

        office_nat                nina_nat                  eve_nat
            │                        │                         │
        inet_west ──── 12 ms ──── inet_mid ──── 18 ms ──── inet_east     the internet
            │ └───────────────────── 30 ms ─────────────────────┘ │
        west_rtr ────── 8 ms ──── mid_rtr ───── 12 ms ──── east_rtr      the service
            │ └───────────────────── 20 ms ─────────────────────┘ │
        front_west                front_mid                 front_east
        relay_west                relay_mid                 relay_east
        telem_west                telem_mid                 telem_east

    link       prefix               hosts
    west       203.0.113.0/26       west_rtr .1, front_west .5, relay_west .9, telem_west .13
    mid        203.0.113.64/26      mid_rtr .65, front_mid .69, relay_mid .73, telem_mid .77
    east       203.0.113.128/26     east_rtr .129, front_east .133, relay_east .137, telem_east .141
    bb_w_m     203.0.113.192/30     west_rtr .193, mid_rtr .194
    bb_m_e     203.0.113.196/30     mid_rtr .197, east_rtr .198
    bb_w_e     203.0.113.200/30     west_rtr .201, east_rtr .202
    net_w_m    198.51.100.64/30     inet_west .65, inet_mid .66
    net_m_e    198.51.100.68/30     inet_mid .69, inet_east .70
    net_w_e    198.51.100.72/30     inet_west .73, inet_east .74
    west_up    198.51.100.76/30     inet_west .77, west_rtr .78
    mid_up     198.51.100.80/30     inet_mid .81, mid_rtr .82
    east_up    198.51.100.84/30     inet_east .85, east_rtr .86
    dns        198.51.100.48/28     inet_west .49, resolver .53

The office and the homes are those of topologies/reference.py. The three front ends have
one name, so have the relays and the telemetry: the public resolver answers by where a
question comes from.
"""

from collections.abc import Mapping
from dataclasses import replace
from ipaddress import IPv4Network

from topologies.parts import Home, attached_to, default_route, new_link, static_route, with_leg
from topologies.places import AS_IT_IS, LANS, Customers, network_of
from topologies.reference import (
    OFFICE_FIREWALLS,
    OFFICE_LINKS,
    OFFICE_PERIMETER,
    ROUTERS,
    USERS,
    VPN_FIREWALL,
    VPN_LINKS,
    office_vpn,
    routers_with_vpn,
)
from topologies.spec import Firewall, Host, Nat, Network, Perimeter, Role, Route, Segment

#: The places of homes.
_EVE = Home("eve", "192.168.1", "198.51.100.8/30", Nat.ENDPOINT_INDEPENDENT)
_NINA = Home("nina", "192.168.2", "198.51.100.12/30", Nat.ENDPOINT_INDEPENDENT)
_VIC = Home("vic", "192.168.3", "198.51.100.20/30", Nat.ENDPOINT_INDEPENDENT)


def three_regions(answered: Mapping[str, str] = AS_IT_IS, *, backbone: bool = True) -> Network:
    """The office in the west, nina at home in the middle, eve at home in the east.

    ``answered`` says with which region's addresses the resolver answers each place. Without
    ``backbone`` no route leads over it: regions reach each other by the internet.
    """
    network = network_of("three_regions", _office_and_homes(), answered)
    return network if backbone else _without_backbone(network)


def _without_backbone(network: Network) -> Network:
    hosts = (
        host.model_copy(update={"routes": host.routes[:1]})
        if host.role is Role.ROUTER and host.segment is Segment.SERVICE
        else host
        for host in network.hosts
    )
    return network.model_copy(update={"hosts": tuple(hosts)})


#: What the split tunnel of an office carries whose service has three regions: the LANs, the
#: other VPN users, all front ends and all telemetry. Never a relay: media must find its way around.
REGIONAL_SPLIT = tuple(
    IPv4Network(prefix)
    for prefix in (
        *("10.10.0.0/24", "10.20.0.0/24", "10.99.0.0/24"),
        *(f"{IPv4Network(lan)[number]}/32" for lan in LANS.values() for number in (5, 13)),
    )
)


def regions_with_vpn(nameserver: str = "forwarder") -> Network:
    """The office in the west with its VPN gateway, and its user vic at home in the east.

    ``nameserver`` is whom the connected vic asks: the office's forwarder, through the tunnel,
    or the public resolver, around it::

        vic ── vic_lan ── vic_nat ── vic_up ── inet_east
        vpn_gw ── vpn_up ── inet_west

        (addresses as in topologies/reference.py, office_with_vpn)
    """
    vpn = office_vpn([_VIC.user], REGIONAL_SPLIT).model_copy(update={"nameserver": nameserver})
    customers = Customers(
        accesses={"west": ("access", "vpn_up"), "mid": (), "east": (_VIC.access,)},
        links=(*OFFICE_LINKS, *VPN_LINKS, *_VIC.links()),
        hosts=(*USERS, *routers_with_vpn(), *_VIC.hosts()),
        perimeters=(OFFICE_PERIMETER, _VIC.perimeter()),
        firewalls=(*OFFICE_FIREWALLS, VPN_FIREWALL, _VIC.firewall()),
        vpns=(vpn,),
    )
    return network_of("regions_with_vpn", customers, AS_IT_IS)


def regions_with_breakout(nameserver: str = "br_dns", *, breakout: bool = True) -> Network:
    """The office in the west, its branch in the middle with a way out of its own, eve in the east.

    What bea sends out of the customer network leaves by branch_nat; without ``breakout``, by way
    of the head office. ``nameserver`` is whom she asks: the branch's own forwarder, or the head
    office's::

        branch_rtr ── br_edge ── branch_nat ── br_up ── inet_mid

        link       prefix              hosts
        branch     10.20.0.0/24        branch_rtr .1, bea .11, br_dns .53
        br_edge    10.0.3.0/30         branch_rtr .1, branch_nat .2
        br_up      198.51.100.88/30    inet_mid .89, branch_nat .90

    On ``br_edge`` a firewall may stand in line (sides "inside" and "outside").
    """
    *users, bea = USERS
    core, branch_rtr, office_nat = ROUTERS
    ways = [static_route("10.10.0.0/24", "10.0.1.1"), default_route("10.0.3.2")]
    branch_rtr = with_leg(branch_rtr, "br_edge", "10.0.3.1/30")
    if breakout:
        branch_rtr = branch_rtr.model_copy(update={"routes": tuple(ways)})
    own = _forwarder("br_dns", "branch", "10.20.0.53/24", "10.20.0.1")
    nat = _nat(
        "branch_nat", {"br_edge": "10.0.3.2/30", "br_up": "198.51.100.90/30"},
        "198.51.100.89", static_route("10.20.0.0/24", "10.0.3.1"),
    )  # fmt: skip
    customers = Customers(
        accesses={"west": ("access",), "mid": ("br_up",), "east": (_EVE.access,)},
        links=(
            *OFFICE_LINKS,
            new_link("br_edge", "10.0.3.0/30", Segment.CUSTOMER),
            new_link("br_up", "198.51.100.88/30", Segment.INTERNET),
            *_EVE.links(),
        ),
        hosts=(
            *users,
            bea.model_copy(update={"nameserver": nameserver}),
            *(core, branch_rtr, office_nat, nat, own, *_EVE.hosts()),
        ),
        perimeters=(
            OFFICE_PERIMETER,
            Perimeter(name="branch", host="branch_nat", inside="br_edge", outside="br_up"),
            _EVE.perimeter(),
        ),
        firewalls=(
            *OFFICE_FIREWALLS,
            Firewall(
                name="breakout",
                link="br_edge",
                sides={"inside": ("branch_rtr",), "outside": ("branch_nat",)},
            ),
            _EVE.firewall(),
        ),
    )
    return network_of("regions_with_breakout", customers, AS_IT_IS)


def regions_with_peering(*, used: bool = True) -> Network:
    """As three_regions(), and a private peering between the office and the service in the west.

    It leads to the service's prefixes only; unless ``used``, the office's routes lead to them by
    the internet all the same::

        core ── peer ── peer_nat ── peering ── west_rtr

        link       prefix              hosts
        peer       10.0.4.0/30         core .1, peer_nat .2
        peering    198.51.100.92/30    west_rtr .93, peer_nat .94

    On ``peer`` a firewall may stand in line (sides "inside" and "outside").
    """
    office = _office_and_homes()
    core, *_ = ROUTERS
    to_service = static_route("203.0.113.0/24", "10.0.4.2")
    core = with_leg(core, "peer", "10.0.4.1/30", *([to_service] if used else []))
    nat = _nat(
        "peer_nat", {"peer": "10.0.4.2/30", "peering": "198.51.100.94/30"},
        "198.51.100.93",
        *(static_route(lan, "10.0.4.1") for lan in ("10.10.0.0/24", "10.20.0.0/24")),
    )  # fmt: skip
    peering = new_link("peering", "198.51.100.92/30", Segment.SERVICE)
    customers = replace(
        office,
        links=(*office.links, new_link("peer", "10.0.4.0/30", Segment.CUSTOMER), peering),
        hosts=(core, nat, *(host for host in office.hosts if host.name != "core")),
        perimeters=(
            *office.perimeters,
            Perimeter(name="peering", host="peer_nat", inside="peer", outside="peering"),
        ),
        firewalls=(
            *office.firewalls,
            Firewall(
                name="peering", link="peer", sides={"inside": ("core",), "outside": ("peer_nat",)}
            ),
        ),
        peerings={"west": peering},
    )
    return network_of("regions_with_peering", customers, AS_IT_IS)


def _office_and_homes() -> Customers:
    homes = (_EVE, _NINA)
    return Customers(
        accesses={"west": ("access",), "mid": (_NINA.access,), "east": (_EVE.access,)},
        links=(*OFFICE_LINKS, *(link for home in homes for link in home.links())),
        hosts=(*USERS, *ROUTERS, *(host for home in homes for host in home.hosts())),
        perimeters=(OFFICE_PERIMETER, *(home.perimeter() for home in homes)),
        firewalls=(*OFFICE_FIREWALLS, *(home.firewall() for home in homes)),
    )


def _nat(name: str, legs: Mapping[str, str], gateway: str, *routes: Route) -> Host:
    """A NAT router of the customer network."""
    return Host(
        name=name,
        role=Role.NAT,
        segment=Segment.CUSTOMER,
        interfaces=attached_to(**legs),
        routes=(default_route(gateway), *routes),
    )


def _forwarder(name: str, link: str, address: str, gateway: str) -> Host:
    return Host(
        name=name,
        role=Role.FORWARDER,
        segment=Segment.CUSTOMER,
        interfaces=attached_to(**{link: address}),
        routes=(default_route(gateway),),
        nameserver="resolver",
    )

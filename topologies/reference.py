"""The reference networks.

office() is one customer network with two LANs, its perimeter, the internet and
the service::

    customer network                                     │ internet        │ service
                                                         │                 │
    alice ─┐                                             │                 │
    bob ───┼─ head ── core ── edge ── office_nat ── access ── inet ──┬── service ─┬─ front_end
    forwarder ┘         │                                │           │     │      ├─ relay
                       wan                               │       backbone  │      └─ telemetry
                        │                                │           │     │
    bea ─── branch ── branch_rtr                      │       resolver  │

    link       prefix               hosts
    head       10.10.0.0/24         core .1, alice .11, bob .12, forwarder .53
    branch     10.20.0.0/24         branch_rtr .1, bea .11
    wan        10.0.1.0/30          core .1, branch_rtr .2
    edge       10.0.0.0/30          core .1, office_nat .2
    access     198.51.100.0/30      inet .1, office_nat .2
    backbone   198.51.100.48/28     inet .49, resolver .53
    service    203.0.113.0/24       inet .1, front_end .5, relay .9, telemetry .13

On ``edge`` and ``wan`` a firewall may stand in line (sides "inside" and "outside",
seen from the head office).
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network

from topologies.parts import (
    Home,
    attached_to,
    default_route,
    new_link,
    static_route,
    with_leg,
    with_route,
)
from topologies.spec import (
    Firewall,
    Host,
    Interface,
    Nat,
    Network,
    Perimeter,
    Proxy,
    Role,
    Segment,
    Vpn,
    VpnClient,
)

#: The zone that the public resolver answers for (RFC 2606 keeps it off the real internet).
DOMAIN = "service.example"


def office() -> Network:
    """One customer network: head office and branch behind one NAT (see the drawing above)."""
    return Network(
        name="office",
        links=(*OFFICE_LINKS, *_OTHER_LINKS),
        hosts=(*USERS, *ROUTERS, _internet_router(), *NAME_SERVERS, *_SERVICE),
        perimeters=(OFFICE_PERIMETER,),
        firewalls=OFFICE_FIREWALLS,
    )


def office_and_homes(
    eve_nat: Nat = Nat.ENDPOINT_INDEPENDENT, nina_nat: Nat = Nat.ENDPOINT_INDEPENDENT
) -> Network:
    """The office, and two users outside, each at home behind a NAT router of her own.

    Their homes belong to the internet: whoever is not on the customer network is
    outside (call-flow-topologies, "Flow descriptions"). They ask the public resolver::

        eve ─── eve_lan ─── eve_nat ── eve_up ── inet
        nina ── nina_lan ── nina_nat ─ nina_up ─ inet

        link         prefix             hosts
        eve_lan      192.168.1.0/24     eve_nat .1, eve .11
        eve_up       198.51.100.8/30    inet .9, eve_nat .10
        nina_lan     192.168.2.0/24     nina_nat .1, nina .11
        nina_up      198.51.100.12/30   inet .13, nina_nat .14
    """
    homes = (
        Home("eve", "192.168.1", "198.51.100.8/30", eve_nat),
        Home("nina", "192.168.2", "198.51.100.12/30", nina_nat),
    )
    inet = _internet_router(**{home.access: f"{home.uplink[1]}/30" for home in homes})
    return Network(
        name="office_and_homes",
        links=(*OFFICE_LINKS, *_OTHER_LINKS, *(link for home in homes for link in home.links())),
        hosts=(
            *USERS,
            *ROUTERS,
            inet,
            *NAME_SERVERS,
            *_SERVICE,
            *(host for home in homes for host in home.hosts()),
        ),
        perimeters=(OFFICE_PERIMETER, *(home.perimeter() for home in homes)),
        firewalls=(*OFFICE_FIREWALLS, *(home.firewall() for home in homes)),
    )


def office_with_proxy(*, login: bool = False) -> Network:
    """The office whose users reach the web by an HTTP proxy on the head LAN, and eve at home.

    The proxy asks the public resolver; the users ask nobody for names, and the office has
    no forwarder::

        link       prefix            hosts
        head       10.10.0.0/24      proxy .80
        (the rest as in office_and_homes)
    """
    plain = office_and_homes()
    return plain.model_copy(
        update={
            "name": "office_with_proxy",
            "hosts": (*(_by_proxy(h) for h in plain.hosts if h.role is not Role.FORWARDER), _PROXY),
            "proxies": (Proxy(host=_PROXY.name, login=login),),
        }
    )


def _by_proxy(host: Host) -> Host:
    """A host as it is, but that a user of the office goes by the proxy."""
    if (host.role, host.segment) != (Role.USER, Segment.CUSTOMER):
        return host
    return host.model_copy(update={"nameserver": None, "proxy": _PROXY.name})


def office_and_third_party() -> Network:
    """The office and the homes, and on the internet a relay that is not the service's.

    It asks for credentials of its own, and has a name outside the service's zone::

        link       prefix               hosts
        backbone   198.51.100.48/28     inet .49, resolver .53, ext_relay .54
    """
    network = office_and_homes()
    relay = Host(
        name="ext_relay",
        role=Role.RELAY,
        segment=Segment.INTERNET,
        interfaces=attached_to(backbone="198.51.100.54/28"),
        routes=(default_route("198.51.100.49"),),
        domain="relay.example.net",
        nameserver="resolver",
    )
    return Network(
        **{
            **dict(network),
            "name": "office_and_third_party",
            "hosts": (*network.hosts, relay),
        }
    )


#: What a split tunnel carries: the LANs with the forwarder, the other VPN users, front end
#: and telemetry. Never the relay, the office's public prefix, or peers: media must find its
#: way around.
SPLIT = tuple(
    IPv4Network(prefix)
    for prefix in (
        "10.10.0.0/24",
        "10.20.0.0/24",
        "10.99.0.0/24",
        "203.0.113.5/32",
        "203.0.113.13/32",
    )
)

#: The classic mistake: everything goes through the tunnel.
EVERYTHING = (IPv4Network("0.0.0.0/0"),)


def office_with_vpn(tunnelled: tuple[IPv4Network, ...] = SPLIT) -> Network:
    """The office with a VPN gateway, its users vic and vera at their homes, and eve at hers.

    The gateway has a public leg of its own, where WireGuard listens. What leaves the
    tunnel leaves by the inner leg, on which a firewall may stand in line (sides "pool"
    and "inside"), so that everything between pool and LAN, pool and perimeter, and pool
    and pool meets it; core routes it on::

        vic ── vic_lan ── vic_nat ── vic_up ── inet ── vpn_up ── vpn_gw ── vpn ── core

        link      prefix              hosts
        vpn_up    198.51.100.16/30    inet .17, vpn_gw .18
        vpn       10.0.2.0/30         core .1, vpn_gw .2
        (pool)    10.99.0.0/24        vpn_gw .1, vic .11, vera .12
        vic_lan   192.168.3.0/24      vic_nat .1, vic .11
        vic_up    198.51.100.20/30    inet .21, vic_nat .22
        vera_lan  192.168.4.0/24      vera_nat .1, vera .11
        vera_up   198.51.100.24/30    inet .25, vera_nat .26
        (eve as in office_and_homes)
    """
    members = (
        Home("vic", "192.168.3", "198.51.100.20/30", Nat.ENDPOINT_INDEPENDENT),
        Home("vera", "192.168.4", "198.51.100.24/30", Nat.ENDPOINT_INDEPENDENT),
    )
    homes = (*members, Home("eve", "192.168.1", "198.51.100.8/30", Nat.ENDPOINT_INDEPENDENT))
    uplinks = {home.access: f"{home.uplink[1]}/30" for home in homes}
    return Network(
        name="office_with_vpn",
        links=(
            *OFFICE_LINKS,
            *_OTHER_LINKS,
            *VPN_LINKS,
            *(link for home in homes for link in home.links()),
        ),
        hosts=(
            *USERS,
            *routers_with_vpn(),
            _internet_router(vpn_up="198.51.100.17/30", **uplinks),
            *NAME_SERVERS,
            *_SERVICE,
            *(host for home in homes for host in home.hosts()),
        ),
        perimeters=(OFFICE_PERIMETER, *(home.perimeter() for home in homes)),
        firewalls=(
            *OFFICE_FIREWALLS,
            VPN_FIREWALL,
            *(home.firewall() for home in homes),
        ),
        vpns=(office_vpn([home.user for home in members], tunnelled),),
    )


def routers_with_vpn() -> tuple[Host, ...]:
    """The office's routers, and the VPN gateway among them."""
    core, *others, nat_router = ROUTERS
    to_pool = static_route("10.99.0.0/24", "10.0.2.2")
    return (
        with_leg(core, "vpn", "10.0.2.1/30", to_pool),
        *others,
        with_route(nat_router, static_route("10.99.0.0/24", "10.0.0.1")),
        _VPN_GATEWAY,
    )


def office_vpn(users: Sequence[str], tunnelled: tuple[IPv4Network, ...]) -> Vpn:
    """The office's VPN with these users, numbered from .11 on."""
    return Vpn(
        name="office",
        gateway="vpn_gw",
        outside="vpn_up",
        inside="vpn",
        pool=IPv4Network("10.99.0.0/24"),
        gateway_address=IPv4Address("10.99.0.1"),
        clients=tuple(
            VpnClient(host=user, address=IPv4Address(f"10.99.0.{number}"))
            for number, user in enumerate(users, 11)
        ),
        tunnelled=tunnelled,
        nameserver="forwarder",
    )


#: The office's own, with its access to the internet.
OFFICE_LINKS = (
    new_link("head", "10.10.0.0/24", Segment.CUSTOMER),
    new_link("branch", "10.20.0.0/24", Segment.CUSTOMER),
    new_link("wan", "10.0.1.0/30", Segment.CUSTOMER),
    new_link("edge", "10.0.0.0/30", Segment.CUSTOMER),
    new_link("access", "198.51.100.0/30", Segment.INTERNET),
)

_OTHER_LINKS = (
    new_link("backbone", "198.51.100.48/28", Segment.INTERNET),
    new_link("service", "203.0.113.0/24", Segment.SERVICE),
)


def _office_user(name: str, interfaces: tuple[Interface, ...], gateway: str) -> Host:
    return Host(
        name=name,
        role=Role.USER,
        segment=Segment.CUSTOMER,
        interfaces=interfaces,
        routes=(default_route(gateway),),
        nameserver="forwarder",
    )


#: Those in the office and its branch.
USERS = (
    _office_user("alice", attached_to(head="10.10.0.11/24"), "10.10.0.1"),
    _office_user("bob", attached_to(head="10.10.0.12/24"), "10.10.0.1"),
    _office_user("bea", attached_to(branch="10.20.0.11/24"), "10.20.0.1"),
)

#: The office's, from the inside out.
ROUTERS = (
    Host(
        name="core",
        role=Role.ROUTER,
        segment=Segment.CUSTOMER,
        interfaces=attached_to(head="10.10.0.1/24", wan="10.0.1.1/30", edge="10.0.0.1/30"),
        routes=(default_route("10.0.0.2"), static_route("10.20.0.0/24", "10.0.1.2")),
    ),
    Host(
        name="branch_rtr",
        role=Role.ROUTER,
        segment=Segment.CUSTOMER,
        interfaces=attached_to(branch="10.20.0.1/24", wan="10.0.1.2/30"),
        routes=(default_route("10.0.1.1"),),
    ),
    Host(
        name="office_nat",
        role=Role.NAT,
        segment=Segment.CUSTOMER,
        interfaces=attached_to(edge="10.0.0.2/30", access="198.51.100.2/30"),
        routes=(
            default_route("198.51.100.1"),
            static_route("10.10.0.0/24", "10.0.0.1"),
            static_route("10.20.0.0/24", "10.0.0.1"),
        ),
    ),
)


def _internet_router(**more: str) -> Host:
    """The internet's one router, with legs to ``more`` accesses."""
    return Host(
        name="inet",
        role=Role.ROUTER,
        segment=Segment.INTERNET,
        interfaces=attached_to(
            access="198.51.100.1/30",
            backbone="198.51.100.49/28",
            service="203.0.113.1/24",
            **more,
        ),
    )


_VPN_GATEWAY = Host(
    name="vpn_gw",
    role=Role.ROUTER,
    segment=Segment.CUSTOMER,
    interfaces=attached_to(vpn_up="198.51.100.18/30", vpn="10.0.2.2/30"),
    routes=(
        default_route("198.51.100.17"),
        static_route("10.10.0.0/24", "10.0.2.1"),
        static_route("10.20.0.0/24", "10.0.2.1"),
    ),
)

OFFICE_PERIMETER = Perimeter(name="office", host="office_nat", inside="edge", outside="access")

VPN_LINKS = (
    new_link("vpn", "10.0.2.0/30", Segment.CUSTOMER),
    new_link("vpn_up", "198.51.100.16/30", Segment.INTERNET),
)

VPN_FIREWALL = Firewall(name="vpn", link="vpn", sides={"pool": ("vpn_gw",), "inside": ("core",)})

OFFICE_FIREWALLS = (
    Firewall(name="office", link="edge", sides={"inside": ("core",), "outside": ("office_nat",)}),
    Firewall(name="branch", link="wan", sides={"inside": ("core",), "outside": ("branch_rtr",)}),
)

#: The office's forwarder, and the public resolver.
NAME_SERVERS = (
    Host(
        name="forwarder",
        role=Role.FORWARDER,
        segment=Segment.CUSTOMER,
        interfaces=attached_to(head="10.10.0.53/24"),
        routes=(default_route("10.10.0.1"),),
        nameserver="resolver",
    ),
    Host(
        name="resolver",
        role=Role.RESOLVER,
        segment=Segment.INTERNET,
        interfaces=attached_to(backbone="198.51.100.53/28"),
        routes=(default_route("198.51.100.49"),),
    ),
)


_PROXY = Host(
    name="proxy",
    role=Role.PROXY,
    segment=Segment.CUSTOMER,
    interfaces=attached_to(head="10.10.0.80/24"),
    routes=(default_route("10.10.0.1"),),
    nameserver="resolver",
)


def _service_host(name: str, role: Role, address: str, label: str) -> Host:
    return Host(
        name=name,
        role=role,
        segment=Segment.SERVICE,
        interfaces=attached_to(service=address),
        routes=(default_route("203.0.113.1"),),
        domain=f"{label}.{DOMAIN}",
        nameserver="resolver",
    )


_SERVICE = (
    _service_host("front_end", Role.FRONT_END, "203.0.113.5/24", "front-end"),
    _service_host("relay", Role.RELAY, "203.0.113.9/24", "relay"),
    _service_host("telemetry", Role.TELEMETRY, "203.0.113.13/24", "telemetry"),
)

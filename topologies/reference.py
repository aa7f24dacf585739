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
"""

from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from topologies.spec import Host, Interface, Link, Network, Perimeter, Role, Route, Segment

#: The zone that the public resolver answers for (RFC 2606 keeps it off the real internet).
DOMAIN = "service.example"


def office() -> Network:
    """One customer network: head office and branch behind one NAT (see the drawing above)."""
    return Network(
        name="office",
        links=_OFFICE_LINKS,
        hosts=_USERS + _ROUTERS + _NAME_SERVERS + _SERVICE,
        perimeters=(Perimeter(name="office", host="office_nat", inside="edge", outside="access"),),
    )


def _default(via: str) -> Route:
    return Route(to=IPv4Network("0.0.0.0/0"), via=IPv4Address(via))


def _route(to: str, via: str) -> Route:
    return Route(to=IPv4Network(to), via=IPv4Address(via))


def _on(**addresses: str) -> tuple[Interface, ...]:
    """Interfaces in order, written as link=address."""
    return tuple(
        Interface(link=link, address=IPv4Interface(address)) for link, address in addresses.items()
    )


def _link(name: str, prefix: str, segment: Segment) -> Link:
    return Link(name=name, prefix=IPv4Network(prefix), segment=segment)


_OFFICE_LINKS = (
    _link("head", "10.10.0.0/24", Segment.CUSTOMER),
    _link("branch", "10.20.0.0/24", Segment.CUSTOMER),
    _link("wan", "10.0.1.0/30", Segment.CUSTOMER),
    _link("edge", "10.0.0.0/30", Segment.CUSTOMER),
    _link("access", "198.51.100.0/30", Segment.INTERNET),
    _link("backbone", "198.51.100.48/28", Segment.INTERNET),
    _link("service", "203.0.113.0/24", Segment.SERVICE),
)


def _office_user(name: str, interfaces: tuple[Interface, ...], gateway: str) -> Host:
    return Host(
        name=name,
        role=Role.USER,
        segment=Segment.CUSTOMER,
        interfaces=interfaces,
        routes=(_default(gateway),),
        nameserver="forwarder",
    )


_USERS = (
    _office_user("alice", _on(head="10.10.0.11/24"), "10.10.0.1"),
    _office_user("bob", _on(head="10.10.0.12/24"), "10.10.0.1"),
    _office_user("bea", _on(branch="10.20.0.11/24"), "10.20.0.1"),
)

_ROUTERS = (
    Host(
        name="core",
        role=Role.ROUTER,
        segment=Segment.CUSTOMER,
        interfaces=_on(head="10.10.0.1/24", wan="10.0.1.1/30", edge="10.0.0.1/30"),
        routes=(_default("10.0.0.2"), _route("10.20.0.0/24", "10.0.1.2")),
    ),
    Host(
        name="branch_rtr",
        role=Role.ROUTER,
        segment=Segment.CUSTOMER,
        interfaces=_on(branch="10.20.0.1/24", wan="10.0.1.2/30"),
        routes=(_default("10.0.1.1"),),
    ),
    Host(
        name="office_nat",
        role=Role.NAT,
        segment=Segment.CUSTOMER,
        interfaces=_on(edge="10.0.0.2/30", access="198.51.100.2/30"),
        routes=(
            _default("198.51.100.1"),
            _route("10.10.0.0/24", "10.0.0.1"),
            _route("10.20.0.0/24", "10.0.0.1"),
        ),
    ),
    Host(
        name="inet",
        role=Role.ROUTER,
        segment=Segment.INTERNET,
        interfaces=_on(
            access="198.51.100.1/30", backbone="198.51.100.49/28", service="203.0.113.1/24"
        ),
    ),
)

_NAME_SERVERS = (
    Host(
        name="forwarder",
        role=Role.FORWARDER,
        segment=Segment.CUSTOMER,
        interfaces=_on(head="10.10.0.53/24"),
        routes=(_default("10.10.0.1"),),
        nameserver="resolver",
    ),
    Host(
        name="resolver",
        role=Role.RESOLVER,
        segment=Segment.INTERNET,
        interfaces=_on(backbone="198.51.100.53/28"),
        routes=(_default("198.51.100.49"),),
    ),
)


def _service_host(name: str, role: Role, address: str, label: str) -> Host:
    return Host(
        name=name,
        role=role,
        segment=Segment.SERVICE,
        interfaces=_on(service=address),
        routes=(_default("203.0.113.1"),),
        domain=f"{label}.{DOMAIN}",
        nameserver="resolver",
    )


_SERVICE = (
    _service_host("front_end", Role.FRONT_END, "203.0.113.5/24", "front-end"),
    _service_host("relay", Role.RELAY, "203.0.113.9/24", "relay"),
    _service_host("telemetry", Role.TELEMETRY, "203.0.113.13/24", "telemetry"),
)

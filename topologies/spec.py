"""What a network is: segments, links, hosts, perimeters and the flows between them.

Everything here is frozen, validated data without I/O; the lab builds it, a run
folder stores it (as JSON) and the verdict is read against it. This module
imports nothing of ours, so every room may import it.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from enum import StrEnum
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    ip_network,
)
from itertools import combinations
from typing import Annotated, Literal, Self, TypeVar
from zlib import crc32

from pydantic import BaseModel, ConfigDict, Field, model_validator

#: An address of either family, alone, with its prefix's length, and a prefix.
Address = IPv4Address | IPv6Address
AddressOnLink = IPv4Interface | IPv6Interface
Prefix = IPv4Network | IPv6Network

#: Every lab address lies in one of these (DESIGN.md, "What a run is").
ALLOWED_PREFIXES: tuple[Prefix, ...] = tuple(
    ip_network(prefix)
    for prefix in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"),
        *("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "198.18.0.0/15"),
        "2001:db8::/32",
    )
)

#: Linux interface names hold 15 characters (IFNAMSIZ less the final NUL).
INTERFACE_NAME_MAX = 15

#: Names of hosts and links, from which those of interfaces and bridges are made.
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=INTERFACE_NAME_MAX - 5)]


class Segment(StrEnum):
    """Who manages a part of the network (call-flow-topologies, "Network concepts")."""

    CUSTOMER = "customer network"
    INTERNET = "internet"
    SERVICE = "service"


class Flow(StrEnum):
    """Who initiates connectivity toward whom (call-flow-topologies, "Flow descriptions").

    The documents write Flow 2' with a backquote; Callpath writes an apostrophe.
    """

    F2 = "2"
    F2_VPN = "2'"
    F3 = "3"
    F4 = "4"
    F5 = "5"
    F6 = "6"


class Role(StrEnum):
    """What a host is there for."""

    USER = "user"
    ROUTER = "router"
    NAT = "nat"
    FORWARDER = "forwarder"
    RESOLVER = "resolver"
    FRONT_END = "front end"
    RELAY = "relay"
    TELEMETRY = "telemetry"
    PROXY = "proxy"


class Spec(BaseModel):
    """Base of all descriptions: frozen, and a misspelt key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Impairment(Spec):
    """What a cable does to the frames that one of its two hosts sends; they stay in order."""

    sender: Name
    #: One way; jitter is how far it varies, up and down alike, each value as likely.
    delay_ms: float = Field(default=0.0, ge=0, le=1000)
    jitter_ms: float = Field(default=0.0, ge=0, le=1000)
    #: The fraction of frames that is lost, each by chance.
    loss: float = Field(default=0.0, ge=0, le=0.5)


class Link(Spec):
    """One broadcast domain: a cable between two interfaces, or a switched LAN."""

    name: Name
    prefix: Prefix
    segment: Segment
    #: Of a link with both families, ``prefix`` being that of IPv4.
    ipv6: IPv6Network | None = None
    #: Of a cable only, one for each sender at most.
    impairments: tuple[Impairment, ...] = ()

    @property
    def prefixes(self) -> tuple[Prefix, ...]:
        """One, or IPv4's and IPv6's."""
        return (self.prefix, self.ipv6) if self.ipv6 else (self.prefix,)

    @model_validator(mode="after")
    def _prefixes_are_allowed(self) -> Self:
        allowed = ", ".join(str(prefix) for prefix in ALLOWED_PREFIXES)
        for prefix in self.prefixes:
            if not any(is_within(prefix, wider) for wider in ALLOWED_PREFIXES):
                raise ValueError(f"link {self.name}: {prefix} is not within {allowed}")
        if self.ipv6 and self.prefix.version != 4:
            raise ValueError(f"link {self.name}: {self.prefix} and {self.ipv6} are both IPv6")
        return self


class Interface(Spec):
    """A host's attachment to a link."""

    link: Name
    address: AddressOnLink
    #: Where the host has both families, ``address`` being that of IPv4.
    ipv6: IPv6Interface | None = None

    @property
    def addresses(self) -> tuple[AddressOnLink, ...]:
        """One, or IPv4's and IPv6's."""
        return (self.address, self.ipv6) if self.ipv6 else (self.address,)


class Route(Spec):
    """A static route of a host."""

    to: Prefix
    via: Address


class Host(Spec):
    """A machine of the network; its first interface is the one it is known by."""

    name: Name
    role: Role
    segment: Segment
    interfaces: tuple[Interface, ...] = Field(min_length=1)
    routes: tuple[Route, ...] = ()
    #: The DNS name under which the public resolver knows the host.
    domain: str | None = None
    #: The host it asks DNS questions.
    nameserver: Name | None = None
    #: The HTTP proxy by which it reaches the web.
    proxy: Name | None = None

    @property
    def address(self) -> Address:
        """The address of the first interface; IPv4's where it has both."""
        return self.interfaces[0].address.ip

    @property
    def addresses(self) -> tuple[Address, ...]:
        """The addresses of the first interface, of each family that it has."""
        return tuple(address.ip for address in self.interfaces[0].addresses)

    @property
    def has_ipv6(self) -> bool:
        """Whether any of its interfaces has an IPv6 address."""
        legs = self.interfaces
        return any(address.version == 6 for leg in legs for address in leg.addresses)

    def interface_name(self, index: int) -> str:
        """Name of the interface in the host's namespace, such as ``alice-eth0``."""
        return f"{self.name}-eth{index}"

    def interface_on(self, link: str) -> str:
        """Name of its first interface on a link; ValueError when it has none there."""
        return self.interface_name([leg.link for leg in self.interfaces].index(link))


class Nat(StrEnum):
    """How a NAT maps and filters UDP (RFC 4787 sections 4.1 and 5).

    Both filter by the peer's address and port; a mapping lasts for one internal
    socket toward everybody, or is another one for each peer ("symmetric").
    """

    ENDPOINT_INDEPENDENT = "endpoint-independent mapping, address-and-port-dependent filtering"
    SYMMETRIC = "address-and-port-dependent mapping and filtering"


class Shaper(Spec):
    """What a perimeter's router does to UDP beyond a rate: a packet shaper, of two kinds.

    What comes in beyond ``police_packets`` a second is dropped at once (policing, as guards
    against floods do). What goes out beyond ``queue_kbit`` (kbit/s, with Ethernet's header)
    waits in a queue of ``queue_bytes``, and is dropped where that is full (shaping). None
    lets everything pass.
    """

    police_packets: int | None = Field(default=None, gt=0)
    #: What comes in at once after a pause, and what goes out so.
    burst_packets: int = Field(default=5, gt=0)
    burst_bytes: int = Field(default=3000, ge=1514)
    queue_kbit: int | None = Field(default=None, gt=0)
    queue_bytes: int = Field(default=2500, ge=1514)

    @property
    def longest_ms(self) -> float:
        """How long a packet waits in a full queue."""
        return self.queue_bytes * 8 / self.queue_kbit if self.queue_kbit else 0.0

    @model_validator(mode="after")
    def _is_short(self) -> Self:
        if self.longest_ms > _LONGEST_QUEUE_MS:
            raise ValueError(
                f"a queue of {self.queue_bytes} bytes at {self.queue_kbit} kbit/s holds a packet "
                f"for {self.longest_ms:.0f} ms; up to {_LONGEST_QUEUE_MS} it can be told from "
                "one that was sent again"
            )
        return self


#: STUN is sent again after 500 ms (RFC 8445, section 14.3), and is the same to the last byte.
_LONGEST_QUEUE_MS = 300


class Inspection(Spec):
    """A box in a perimeter's router that reads the HTTPS of those inside.

    It ends their TLS under certificates of a CA of its own and begins another to the server.
    """

    authority: str = Field(default="Office inspection CA", min_length=1)
    port: int = Field(default=8443, gt=0, le=65535)
    #: Whether users inside trust its CA, as managed machines are made to.
    trusted: bool = False


class Perimeter(Spec):
    """Where two segments meet: the NAT router there, and the links at its two sides."""

    name: str
    host: Name
    inside: Name
    outside: Name
    nat: Nat = Nat.ENDPOINT_INDEPENDENT
    shaper: Shaper | None = None
    inspection: Inspection | None = None
    #: Where those inside have IPv6 alone: the prefix under which they reach IPv4 (RFC 6052).
    nat64: IPv6Network | None = None

    @model_validator(mode="after")
    def _nat64_is_allowed(self) -> Self:
        allowed = ALLOWED_PREFIXES[-1]
        if self.nat64 and not (self.nat64.prefixlen == 96 and is_within(self.nat64, allowed)):
            raise ValueError(
                f"perimeter {self.name}: NAT64 takes a prefix of 96 bits within {allowed}, "
                f"not {self.nat64}"
            )
        return self


class Firewall(Spec):
    """A place in line on a link where a policy is enforced.

    ``sides`` says which hosts stand on which side; a policy's zones name them.
    A firewall without a policy is a plain cable.
    """

    name: str
    link: Name
    sides: dict[str, tuple[Name, ...]]

    def side_of(self, host: str) -> str:
        """The side that the host stands on; KeyError when it is on none."""
        for side, hosts in self.sides.items():
            if host in hosts:
                return side
        raise KeyError(host)


class VpnClient(Spec):
    """A user's end of the tunnel; ``address`` is from the pool."""

    host: Name
    address: IPv4Address


class Proxy(Spec):
    """An HTTP proxy that lets CONNECT through to HTTPS (RFC 9110, section 9.3.6)."""

    host: Name
    port: int = 3128
    #: Whether it asks for a name and a password (Basic, RFC 7617).
    login: bool = False


class Vpn(Spec):
    """A WireGuard VPN into the customer network (call-flow-topologies, Flow 2').

    The gateway listens at the address that it has on ``outside``; its clients
    route ``tunnelled`` prefixes (WireGuard's AllowedIPs) into the tunnel.
    """

    name: str
    gateway: Name
    outside: Name
    inside: Name
    port: int = 51820
    #: The largest packet inside, in bytes: what WireGuard leaves of an Ethernet MTU of 1500.
    mtu: int = 1420
    pool: IPv4Network
    gateway_address: IPv4Address
    clients: tuple[VpnClient, ...]
    tunnelled: tuple[IPv4Network, ...]
    #: The host that connected clients ask DNS questions.
    nameserver: Name

    def interface_of(self, host: str) -> str:
        """The tunnel's interface on a host, such as ``vic-wg0``."""
        return f"{host}-wg0"

    def ends(self) -> dict[str, IPv4Address]:
        """Host -> its address in the tunnel, the gateway first."""
        return {self.gateway: self.gateway_address} | {c.host: c.address for c in self.clients}


class Region(Spec):
    """A place of the service with an edge of its own: front end, relay and telemetry.

    Its hosts share their DNS names with those of the other regions. The public resolver
    answers whoever asks from ``serves`` with this region's, as nearest (call-flow-topologies,
    "Call flow principles"). The first region's front end keeps what all of them share.
    """

    name: Name
    hosts: tuple[Name, ...]
    serves: tuple[IPv4Network, ...] = ()


class Tap(Spec):
    """A named capture point: one interface of one host.

    ``mac`` is the interface's own address: a frame that bears it as its source
    left the host here, any other arrived. ``link`` is None for loopback and for
    a tunnel's interface. There, at ``tunnel``, packets have no link layer.
    """

    name: str
    host: Name
    interface: str
    link: Name | None
    mac: str | None
    #: Name of the VPN, on the interfaces of a tunnel.
    tunnel: str | None = None

    @property
    def is_loopback(self) -> bool:
        """Whether this is a host's loopback, where a packet is seen once."""
        return self.mac is None and self.tunnel is None


class Network(Spec):
    """A whole network. Invalid descriptions cannot be constructed."""

    name: str
    links: tuple[Link, ...]
    hosts: tuple[Host, ...]
    perimeters: tuple[Perimeter, ...] = ()
    firewalls: tuple[Firewall, ...] = ()
    vpns: tuple[Vpn, ...] = ()
    proxies: tuple[Proxy, ...] = ()
    #: Over what the service offers its relays, in the order in which clients try them.
    relay_transports: tuple[Literal["udp", "tcp", "tls"], ...] = ("udp", "tcp", "tls")
    #: Where the service has several; the hosts of a service of one region are in none.
    regions: tuple[Region, ...] = ()

    def host(self, name: str) -> Host:
        """The host of that name; raises KeyError when there is none."""
        return _named(self.hosts, name)

    def link(self, name: str) -> Link:
        """The link of that name; raises KeyError when there is none."""
        return _named(self.links, name)

    def with_role(self, role: Role) -> tuple[Host, ...]:
        """All hosts that play the role, in order of declaration."""
        return tuple(host for host in self.hosts if host.role is role)

    def service_relays(self) -> tuple[Host, ...]:
        """The service's own transport relays."""
        return tuple(h for h in self.with_role(Role.RELAY) if h.segment is Segment.SERVICE)

    def third_party_relays(self) -> tuple[Host, ...]:
        """Relays that are not the service's (call-flow-topologies, "Interoperability")."""
        return tuple(h for h in self.with_role(Role.RELAY) if h.segment is not Segment.SERVICE)

    def attached(self, link: str) -> Iterator[tuple[Host, int]]:
        """Every (host, interface index) on the link."""
        for host in self.hosts:
            for index, interface in enumerate(host.interfaces):
                if interface.link == link:
                    yield host, index

    @property
    def nat64(self) -> IPv6Network | None:
        """The prefix of its NAT64; None where it has none."""
        return next((one.nat64 for one in self.perimeters if one.nat64), None)

    def firewall(self, name: str) -> Firewall:
        """The firewall of that name; raises KeyError when there is none."""
        return _named(self.firewalls, name)

    def vpn(self, name: str) -> Vpn:
        """The VPN of that name; raises KeyError when there is none."""
        return _named(self.vpns, name)

    def proxy(self, host: str) -> Proxy:
        """The proxy on the host of that name; raises KeyError when there is none."""
        for proxy in self.proxies:
            if proxy.host == host:
                return proxy
        raise KeyError(host)

    def region_of(self, host: str) -> Region | None:
        """The region that a host belongs to; None where the service has but one."""
        return next((region for region in self.regions if host in region.hosts), None)

    def own_name(self, host: Host) -> str | None:
        """The DNS name that a host has for itself, where its ``domain`` is shared by regions."""
        region = self.region_of(host.name)
        if region is None or host.domain is None:
            return host.domain
        label, _, zone = host.domain.partition(".")
        return f"{label}.{region.name}.{zone}"

    def taps(self) -> tuple[Tap, ...]:
        """A tap on every host interface and tunnel interface, and on the loopback of each relay.

        Relay to relay on one server runs over its loopback (DESIGN.md).
        """
        interfaces = [
            _tap(host, host.interface_name(index), interface.link, mac_of(interface.address.ip))
            for host in self.hosts
            for index, interface in enumerate(host.interfaces)
        ]
        tunnels = [
            _tap(self.host(name), vpn.interface_of(name)).model_copy(update={"tunnel": vpn.name})
            for vpn in self.vpns
            for name in vpn.ends()
        ]
        loopbacks = [_tap(host, "lo") for host in self.with_role(Role.RELAY)]
        return (*interfaces, *tunnels, *loopbacks)

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        for problem in _problems(self):
            raise ValueError(f"network {self.name}: {problem}")
        return self


T = TypeVar("T", "Host", "Link", "Firewall", "Vpn")


def _tap(host: Host, interface: str, link: str | None = None, mac: str | None = None) -> Tap:
    """A tap is named by its interface, and a loopback's by its host, too."""
    name = f"{host.name}-lo" if interface == "lo" else interface
    return Tap(name=name, host=host.name, interface=interface, link=link, mac=mac)


def mac_of(address: Address) -> str:
    """The MAC address of the interface that has this address: locally administered, unique.

    It holds an IPv4 address whole, and of an IPv6 address a checksum.
    """
    if isinstance(address, IPv4Address):
        return "02:00:" + address.packed.hex(":")
    return "02:06:" + crc32(address.packed).to_bytes(4).hex(":")


def is_within(prefix: Prefix, wider: Prefix) -> bool:
    """Whether a prefix is a part of another one, or the same; not of another family's."""
    if isinstance(prefix, IPv4Network):
        return isinstance(wider, IPv4Network) and prefix.subnet_of(wider)
    return isinstance(wider, IPv6Network) and prefix.subnet_of(wider)


def _named(items: tuple[T, ...], name: str) -> T:
    for item in items:
        if item.name == name:
            return item
    raise KeyError(name)


def _problems(network: Network) -> Iterator[str]:
    """Everything that is wrong with a network, each as one sentence."""
    yield from _name_problems(network)
    yield from _interface_problems(network)
    yield from _reference_problems(network)
    yield from _proxy_problems(network)
    yield from _inspection_problems(network)
    yield from _firewall_problems(network)
    yield from _vpn_problems(network)
    yield from _impairment_problems(network)
    yield from _region_problems(network)


def _name_problems(network: Network) -> Iterator[str]:
    for kind, items in (("host", network.hosts), ("link", network.links)):
        for name, count in Counter(item.name for item in items).items():
            if count > 1:
                yield f"{count} {kind}s are called {name}; names must be unique"


def _interface_problems(network: Network) -> Iterator[str]:
    links = {link.name: link for link in network.links}
    owners: dict[Address | str, str] = {}
    for host in network.hosts:
        for interface in host.interfaces:
            link = links.get(interface.link)
            if link is None:
                yield f"host {host.name} is attached to link {interface.link}, which does not exist"
            else:
                yield from _address_problems(host, interface, link)
            own = [address.ip for address in interface.addresses]
            for mark in (*own, f"the MAC address {mac_of(own[0])}"):
                other = owners.setdefault(mark, host.name)
                if other != host.name:
                    yield f"hosts {other} and {host.name} both have {mark}"


def _address_problems(host: Host, interface: Interface, link: Link) -> Iterator[str]:
    for address in interface.addresses:
        if address.network not in link.prefixes:
            prefixes = " and ".join(map(str, link.prefixes))
            yield f"host {host.name} has {address} on link {link.name}, which is {prefixes}"


def _reference_problems(network: Network) -> Iterator[str]:
    names = {host.name for host in network.hosts}
    for host in network.hosts:
        if host.nameserver is not None and host.nameserver not in names:
            yield f"host {host.name} asks {host.nameserver} for names, which does not exist"
    for perimeter in network.perimeters:
        if perimeter.host not in names:
            yield f"perimeter {perimeter.name} stands on {perimeter.host}, which does not exist"
            continue
        legs = {interface.link for interface in network.host(perimeter.host).interfaces}
        for side in (perimeter.inside, perimeter.outside):
            if side not in legs:
                yield f"perimeter {perimeter.name}: {perimeter.host} has no leg on link {side}"


def _proxy_problems(network: Network) -> Iterator[str]:
    names = {host.name for host in network.hosts}
    proxies = {proxy.host for proxy in network.proxies}
    for missing in sorted(proxies - names):
        yield f"a proxy stands on {missing}, which does not exist"
    for host in network.hosts:
        if host.proxy is not None and host.proxy not in proxies:
            yield f"host {host.name} goes through {host.proxy}, where there is no proxy"


def _inspection_problems(network: Network) -> Iterator[str]:
    for perimeter in network.perimeters:
        if perimeter.inspection and any(
            interface.ipv6 or interface.address.version == 6
            for host in network.hosts
            for interface in host.interfaces
            if interface.link == perimeter.inside
        ):
            yield f"perimeter {perimeter.name}: only HTTPS over IPv4 can be inspected"


def _firewall_problems(network: Network) -> Iterator[str]:
    for firewall in network.firewalls:
        sided = sorted(host for hosts in firewall.sides.values() for host in hosts)
        attached = sorted(host.name for host, _ in network.attached(firewall.link))
        if sided != attached:
            yield (
                f"firewall {firewall.name} has {', '.join(sided)} on its sides, "
                f"but link {firewall.link} connects {', '.join(attached) or 'nobody'}"
            )


def _vpn_problems(network: Network) -> Iterator[str]:
    names = {host.name for host in network.hosts}
    for vpn in network.vpns:
        for host, address in vpn.ends().items():
            if host not in names:
                yield f"VPN {vpn.name} has an end on {host}, which does not exist"
            if address not in vpn.pool:
                yield f"VPN {vpn.name}: {host} has {address}, which is not in the pool {vpn.pool}"


def _impairment_problems(network: Network) -> Iterator[str]:
    guarded = {firewall.link for firewall in network.firewalls}
    for link in network.links:
        ends = [host.name for host, _ in network.attached(link.name)]
        senders = [impairment.sender for impairment in link.impairments]
        if senders and len(ends) != 2:
            yield f"link {link.name} connects {len(ends)} hosts; only a cable can be impaired"
        elif len(set(senders)) < len(senders) or not set(senders) <= set(ends):
            yield f"link {link.name} can be impaired for {' and '.join(ends)}, once for each"
        if any(one.jitter_ms > one.delay_ms for one in link.impairments):
            yield f"link {link.name}: jitter_ms exceeds delay_ms, so frames would arrive too soon"
        if link.name in guarded and any(one.loss for one in link.impairments):
            # What is lost and what is refused would look the same.
            yield f"link {link.name} has a firewall, so that it may not lose frames as well"


#: What the edge of a region consists of.
_EDGE = (Role.FRONT_END, Role.RELAY, Role.TELEMETRY)


def _region_problems(network: Network) -> Iterator[str]:
    hosts = {host.name: host for host in network.hosts}
    for name, count in Counter(name for one in network.regions for name in one.hosts).items():
        if name not in hosts:
            yield f"a region has {name}, which does not exist"
        if count > 1:
            yield f"{name} is in {count} regions"
    for region in network.regions:
        roles = [hosts[name].role for name in region.hosts if name in hosts]
        lacking = [role for role in _EDGE if roles.count(role) != 1]
        if lacking:
            yield f"region {region.name} must have one {lacking[0]}, not {roles.count(lacking[0])}"
    for one, other in combinations(network.regions, 2):
        for prefix in _overlap(one.serves, other.serves):
            yield f"regions {one.name} and {other.name} both serve {prefix}"


def _overlap(one: Iterable[IPv4Network], other: Collection[IPv4Network]) -> Iterator[IPv4Network]:
    return (prefix for prefix in one if any(prefix.overlaps(its) for its in other))

"""The reference networks with IPv6: addresses, and the ways that packets take."""

from ipaddress import IPv6Address, ip_address

import pytest

from topologies.ipv6 import NAT64, PREFIXES, dual_stack, ipv6_only, ipv6_only_behind_nat64
from topologies.reference import office_and_homes
from topologies.spec import Address, Network, Role


def way(network: Network, host: str, target: Address) -> list[str]:
    """The hosts that a packet passes by their routes, until one is on the target's link."""
    passed = [host]
    for _ in network.hosts:
        here = network.host(passed[-1])
        legs = [address for leg in here.interfaces for address in leg.addresses]
        if any(target in leg.network for leg in legs):
            return passed
        routes = [route for route in here.routes if target in route.to]
        if not routes:
            return [*passed, "nowhere"]
        via = max(routes, key=lambda route: route.to.prefixlen).via
        passed.append(_owner(network, via))
    raise AssertionError(f"the routes go in a circle: {passed}")


def _owner(network: Network, address: Address) -> str:
    (owner,) = {
        host.name
        for host in network.hosts
        for leg in host.interfaces
        if address in [one.ip for one in leg.addresses]
    }
    return owner


OUT = ["alice", "core", "office_nat", "inet"]


def test_ipv6_takes_the_way_of_ipv4_and_leads_back_without_a_nat() -> None:
    network = dual_stack()
    for address in network.host("relay").addresses:
        assert way(network, "alice", address) == OUT
    alice, bea = (network.host(name).addresses[-1] for name in ("alice", "bea"))
    assert way(network, "relay", alice) == ["relay", "inet", "office_nat", "core"]
    assert way(network, "eve", bea) == [
        "eve", "eve_nat", "inet", "office_nat", "core", "branch_rtr",
    ]  # fmt: skip
    assert way(network, "alice", network.host("nina").addresses[-1]) == [*OUT, "nina_nat"]


def test_both_families_have_the_same_number_on_each_link() -> None:
    for host in dual_stack().hosts:
        for leg in host.interfaces:
            assert leg.ipv6 is not None
            assert leg.ipv6.network == PREFIXES[leg.link]
            last = str(leg.address.ip).rpartition(".")[2]
            assert str(leg.ipv6.ip).endswith(f"::{last}")


def test_ipv4_is_as_it_is_without_ipv6() -> None:
    for host, plain in zip(dual_stack().hosts, office_and_homes().hosts, strict=True):
        assert [leg.address for leg in host.interfaces] == [leg.address for leg in plain.interfaces]
        assert set(plain.routes) <= set(host.routes)


@pytest.mark.parametrize("user", ["alice", "bob", "bea", "eve", "nina"])
def test_users_with_ipv6_alone_have_nothing_else(user: str) -> None:
    host = ipv6_only().host(user)
    assert [address.version for address in host.addresses] == [6]
    assert [route.via.version for route in host.routes] == [6]
    (relay,) = ipv6_only().with_role(Role.RELAY)
    assert [address.version for address in relay.addresses] == [4, 6]
    assert way(ipv6_only(), user, relay.addresses[-1])[-1] == "inet"


def test_behind_a_nat64_the_service_has_ipv4_alone() -> None:
    network = ipv6_only_behind_nat64()
    assert network.nat64 == NAT64
    assert dual_stack().nat64 is None
    relay, eve = network.host("relay"), network.host("eve")
    assert not relay.has_ipv6
    assert not eve.has_ipv6
    for_the_office = NAT64.network_address + int(relay.address)
    assert for_the_office == IPv6Address("2001:db8:64::203.0.113.9")
    assert way(network, "alice", for_the_office)[:3] == OUT[:3]
    assert way(network, "forwarder", ip_address("2001:db8:53::53")) == ["forwarder", *OUT[1:]]

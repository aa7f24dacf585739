"""Networks of three regions: who stands where, and what a region must be."""

from ipaddress import IPv4Address

import pytest
from pydantic import ValidationError

from topologies.reference import office
from topologies.regions import (
    REGIONAL_SPLIT,
    regions_with_breakout,
    regions_with_peering,
    regions_with_vpn,
    three_regions,
)
from topologies.spec import Network, Region, Role

NETWORKS = (three_regions(), regions_with_vpn(), regions_with_breakout(), regions_with_peering())


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)
def test_each_region_has_an_edge_under_the_names_of_all(network: Network) -> None:
    assert [region.name for region in network.regions] == ["west", "mid", "east"]
    for role in (Role.FRONT_END, Role.RELAY, Role.TELEMETRY):
        hosts = network.with_role(role)
        assert [network.region_of(host.name) for host in hosts] == list(network.regions)
        assert len({host.domain for host in hosts}) == 1
        assert len({network.own_name(host) for host in hosts}) == 3


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)
def test_each_place_is_served_by_its_own_region(network: Network) -> None:
    at = {
        leg.address.ip: router
        for router in ("inet_west", "inet_mid", "inet_east")
        for leg in network.host(router).interfaces
    }
    for region in network.regions:
        served = {at[IPv4Address(prefix[1])] for prefix in region.serves}
        assert served <= {f"inet_{region.name}"}


def test_a_service_of_one_region_has_no_other_names() -> None:
    network = office()
    assert network.regions == ()
    assert network.own_name(network.host("relay")) == "relay.service.example"
    assert network.region_of("relay") is None


def test_a_split_tunnel_carries_front_ends_and_telemetry_but_no_relay() -> None:
    network = regions_with_vpn()

    def is_tunnelled(role: Role) -> set[bool]:
        return {
            any(host.address in prefix for prefix in REGIONAL_SPLIT)
            for host in network.with_role(role)
        }

    assert is_tunnelled(Role.FRONT_END) == is_tunnelled(Role.TELEMETRY) == {True}
    assert is_tunnelled(Role.RELAY) == {False}


def _with(*regions: Region) -> Network:
    return Network(**{**dict(three_regions()), "regions": regions})


WEST, MID, EAST = three_regions().regions


@pytest.mark.parametrize(
    ("regions", "complaint"),
    [
        (
            (WEST.model_copy(update={"hosts": WEST.hosts[:-1]}),),
            "region west must have one telemetry, not 0",
        ),
        (
            (WEST.model_copy(update={"hosts": (*WEST.hosts, "relay_mid")}),),
            "region west must have one relay, not 2",
        ),
        ((WEST, WEST.model_copy(update={"serves": ()})), "west_rtr is in 2 regions"),
        (
            (WEST.model_copy(update={"hosts": (*WEST.hosts, "nobody")}),),
            "a region has nobody, which does not exist",
        ),
        (
            (WEST, MID.model_copy(update={"serves": WEST.serves})),
            "regions west and mid both serve 198.51.100.0/30",
        ),
    ],
)
def test_a_region_that_cannot_be(regions: tuple[Region, ...], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        _with(*regions)

"""Sites and walls of the reference networks, and of one that nobody thought of."""

from ipaddress import IPv4Network

import pytest

from results.report.sites import Device, Scenery, scenery
from topologies.parts import attached_to, new_link
from topologies.reference import office, office_and_homes, office_with_vpn
from topologies.spec import Firewall, Host, Network, Perimeter, Role, Segment


def sites(seen: Scenery) -> dict[str, list[str]]:
    """Site -> its hosts."""
    return {site.name: [host.name for host in site.hosts] for site in seen.sites}


def test_the_office_has_two_sites_and_one_gate() -> None:
    seen = scenery(office(), {}, ())
    assert sites(seen) == {
        "head": ["alice", "bob", "forwarder"],
        "branch": ["bea"],
        "backbone": ["resolver"],
        "service": ["front_end", "relay", "telemetry"],
    }
    (gate,) = seen.gates
    assert gate.devices == (Device("NAT", "office_nat", "NAT"),)


def test_homes_have_walls_of_their_own() -> None:
    seen = scenery(office_and_homes(), {"office": "udp_out", "eve_home": "strict"}, ())
    eve = next(site for site in seen.within(Segment.INTERNET) if site.name == "eve_lan")
    assert eve.gate
    assert [device.kind for device in eve.gate.devices] == ["firewall", "NAT"]
    assert seen.walled_by("eve_nat") == seen.walled_by("eve_home") == eve
    assert [device.note for device in seen.gates[0].devices] == ["udp_out", "NAT"]


def test_a_firewall_without_policy_is_a_plain_cable() -> None:
    assert scenery(office(), {"branch": "branch_open"}, ()).behind("branch")
    assert scenery(office(), {}, ()).behind("branch") is None


def test_the_vpn_gateway_is_a_gate() -> None:
    seen = scenery(office_with_vpn(), {"vpn": "vpn_open"}, ())
    gate = seen.gate_of("vpn")
    assert gate is seen.gate_of("vpn_gw")
    assert gate
    assert [device.kind for device in gate.devices] == ["firewall", "VPN gateway"]


def test_a_router_is_drawn_where_something_ends_there() -> None:
    assert sites(scenery(office(), {}, ()))["backbone"] == ["resolver"]
    assert sites(scenery(office(), {}, {"inet"}))["access"] == ["inet", "resolver"]


def test_only_some_hosts() -> None:
    seen = scenery(office(), {}, ()).only({"bea", "relay"})
    assert sites(seen) == {"branch": ["bea"], "service": ["relay"]}


def _host(name: str, role: Role, segment: Segment, **addresses: str) -> Host:
    return Host(name=name, role=role, segment=segment, interfaces=attached_to(**addresses))


@pytest.fixture
def shared_home() -> Network:
    """Two users on one side of a firewall at home."""
    inside = ("ann", "ben")
    return Network(
        name="shared",
        links=(
            new_link("lan", "192.168.1.0/24", Segment.INTERNET),
            new_link("up", str(IPv4Network("198.51.100.0/30")), Segment.INTERNET),
        ),
        hosts=(
            _host("ann", Role.USER, Segment.INTERNET, lan="192.168.1.11/24"),
            _host("ben", Role.USER, Segment.INTERNET, lan="192.168.1.12/24"),
            _host("nat", Role.NAT, Segment.INTERNET, lan="192.168.1.1/24", up="198.51.100.2/30"),
        ),
        perimeters=(Perimeter(name="home", host="nat", inside="lan", outside="up"),),
        firewalls=(
            Firewall(name="home", link="lan", sides={"inside": inside, "outside": ("nat",)}),
        ),
    )


def test_hosts_on_one_side_of_a_firewall_are_one_site(shared_home: Network) -> None:
    assert sites(scenery(shared_home, {}, ())) == {"lan": ["ann", "ben"]}


def test_two_sites_of_one_lan_have_two_names(shared_home: Network) -> None:
    sides = {"inside": ("ann",), "middle": ("ben",), "outside": ("nat",)}
    parted = shared_home.model_copy(
        update={"firewalls": (Firewall(name="home", link="lan", sides=sides),)}
    )
    assert sites(scenery(parted, {}, ())) == {"lan": ["ann"], "lan 2": ["ben"]}


def test_sites_behind_a_named_device_stay() -> None:
    seen = scenery(office_and_homes(), {}, ()).only({"eve_nat"})
    assert sites(seen) == {"eve_lan": ["eve"]}

"""Networks are valid or cannot be made."""

from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_interface, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from topologies import spec
from topologies.flows import flow_between
from topologies.ipv6 import dual_stack, ipv6_only
from topologies.parts import impaired, inspected
from topologies.reference import office, office_and_homes
from topologies.spec import (
    ALLOWED_PREFIXES,
    Firewall,
    Flow,
    Host,
    Impairment,
    Inspection,
    Interface,
    Link,
    Network,
    Perimeter,
    Proxy,
    Role,
    Segment,
    mac_of,
)


def _link(name: str = "lan", prefix: str = "10.0.0.0/24") -> Link:
    return Link(name=name, prefix=ip_network(prefix), segment=Segment.CUSTOMER)


def _host(name: str, address: str, **more: Any) -> Host:
    return Host(
        name=name,
        role=Role.USER,
        segment=Segment.CUSTOMER,
        interfaces=(Interface(link="lan", address=ip_interface(address)),),
        **more,
    )


def _network(*hosts: Host, **more: Any) -> Network:
    return Network(name="net", links=(_link(),), hosts=hosts, **more)


@pytest.mark.parametrize("network", [office(), office_and_homes()], ids=lambda n: n.name)
def test_a_network_survives_json(network: Network) -> None:
    assert Network.model_validate_json(network.model_dump_json()) == network


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (
            lambda: _network(_host("a", "10.0.0.1/24"), _host("a", "10.0.0.2/24")),
            "network net: 2 hosts are called a; names must be unique",
        ),
        (
            lambda: _network(_host("a", "10.0.0.1/24"), _host("b", "10.0.0.1/24")),
            "network net: hosts a and b both have 10.0.0.1",
        ),
        (
            lambda: _network(_host("a", "10.0.1.1/24")),
            "network net: host a has 10.0.1.1/24 on link lan, which is 10.0.0.0/24",
        ),
        (
            lambda: Network(name="net", links=(), hosts=(_host("a", "10.0.0.1/24"),)),
            "network net: host a is attached to link lan, which does not exist",
        ),
        (
            lambda: _network(_host("a", "10.0.0.1/24", nameserver="b")),
            "network net: host a asks b for names, which does not exist",
        ),
        (
            lambda: _network(_host("a", "10.0.0.1/24", proxy="b"), _host("b", "10.0.0.2/24")),
            "network net: host a goes through b, where there is no proxy",
        ),
        (
            lambda: _network(_host("a", "10.0.0.1/24"), proxies=(Proxy(host="b"),)),
            "network net: a proxy stands on b, which does not exist",
        ),
        (
            lambda: _network(
                _host("a", "10.0.0.1/24"),
                perimeters=(Perimeter(name="p", host="b", inside="lan", outside="lan"),),
            ),
            "network net: perimeter p stands on b, which does not exist",
        ),
        (
            lambda: _network(
                _host("a", "10.0.0.1/24"),
                perimeters=(Perimeter(name="p", host="a", inside="lan", outside="wan"),),
            ),
            "network net: perimeter p: a has no leg on link wan",
        ),
        (
            lambda: _network(
                _host("a", "10.0.0.1/24"),
                _host("b", "10.0.0.2/24"),
                firewalls=(Firewall(name="f", link="lan", sides={"inside": ("a",)}),),
            ),
            "network net: firewall f has a on its sides, but link lan connects a, b",
        ),
        (lambda: _link(prefix="8.8.8.0/24"), "link lan: 8.8.8.0/24 is not within 10.0.0.0/8,"),
        (lambda: _link(prefix="2001:470::/64"), "link lan: 2001:470::/64 is not within 10.0.0.0/8"),
        (
            lambda: Link(
                name="lan",
                prefix=ip_network("2001:db8:1::/64"),
                ipv6=IPv6Network("2001:db8:2::/64"),
                segment=Segment.CUSTOMER,
            ),
            "link lan: 2001:db8:1::/64 and 2001:db8:2::/64 are both IPv6",
        ),
        (
            lambda: _network(_host("a", "2001:db8:1::1/64")),
            "host a has 2001:db8:1::1/64 on link lan, which is 10.0.0.0/24",
        ),
        (
            lambda: Perimeter(
                name="p", host="a", inside="lan", outside="wan", nat64=IPv6Network("64:ff9b::/96")
            ),
            "perimeter p: NAT64 takes a prefix of 96 bits within 2001:db8::/32, not 64:ff9b::/96",
        ),
        (
            lambda: inspected(dual_stack(), "office", Inspection()),
            "perimeter office: only HTTPS over IPv4 can be inspected",
        ),
    ],
)
def test_an_invalid_network_is_refused_with_a_reason(make: Any, complaint: str) -> None:
    with pytest.raises(ValidationError) as error:
        make()
    assert complaint in str(error.value)


def test_two_hosts_may_not_share_a_mac_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spec, "crc32", lambda _: 7)
    with pytest.raises(ValidationError) as error:
        ipv6_only()
    assert "both have the MAC address 02:06:00:00:00:07" in str(error.value)


def test_hosts_of_both_families_have_both_addresses() -> None:
    alice = dual_stack().host("alice")
    assert [str(address) for address in alice.addresses] == ["10.10.0.11", "2001:db8:10:1::11"]
    assert alice.has_ipv6
    assert not office().host("alice").has_ipv6


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (
            lambda: impaired(office(), "service", delay_ms=20),
            "link service connects 4 hosts; only a cable can be impaired",
        ),
        (
            lambda: impaired(office(), "access", sender="alice", delay_ms=20),
            "link access can be impaired for office_nat and inet, once for each",
        ),
        (
            lambda: impaired(office(), "access", delay_ms=5, jitter_ms=6),
            "link access: jitter_ms exceeds delay_ms, so frames would arrive too soon",
        ),
        (
            lambda: impaired(office(), "wan", loss=0.01),
            "link wan has a firewall, so that it may not lose frames as well",
        ),
        (lambda: impaired(office(), "access", loss=1), "less than or equal to 0.5"),
        (lambda: impaired(office(), "access", delay_ms=-1), "greater than or equal to 0"),
    ],
)
def test_an_impairment_that_cannot_be_is_refused_with_a_reason(make: Any, complaint: str) -> None:
    with pytest.raises(ValidationError) as error:
        make()
    assert complaint in str(error.value)


def test_each_direction_of_a_cable_has_its_own_impairment() -> None:
    both = impaired(office(), "access", delay_ms=20)
    one = impaired(both, "access", sender="inet", delay_ms=30, jitter_ms=2, loss=0.01)
    assert one.link("access").impairments == (
        Impairment(sender="office_nat", delay_ms=20),
        Impairment(sender="inet", delay_ms=30, jitter_ms=2, loss=0.01),
    )
    assert Network.model_validate_json(one.model_dump_json()) == one


def test_a_cable_is_impaired_once_for_each_sender() -> None:
    twice = _link().model_copy(update={"impairments": (Impairment(sender="a"),) * 2})
    hosts = (_host("a", "10.0.0.1/24"), _host("b", "10.0.0.2/24"))
    with pytest.raises(ValidationError, match="link lan can be impaired for a and b, once"):
        Network(name="net", links=(twice,), hosts=hosts)


def test_a_misspelt_key_is_an_error() -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        _host("a", "10.0.0.1/24", nameservr="b")


@pytest.mark.parametrize(
    ("origin", "target", "flow"),
    [
        (Segment.CUSTOMER, Segment.INTERNET, Flow.F2),
        (Segment.INTERNET, Segment.SERVICE, Flow.F3),
        (Segment.CUSTOMER, Segment.SERVICE, Flow.F4),
        (Segment.CUSTOMER, Segment.CUSTOMER, Flow.F5),
        (Segment.INTERNET, Segment.INTERNET, Flow.F6),
        (Segment.SERVICE, Segment.CUSTOMER, None),
        (Segment.INTERNET, Segment.CUSTOMER, None),
        (Segment.SERVICE, Segment.SERVICE, None),
    ],
)
def test_flows_are_those_of_the_reference_documents(
    origin: Segment, target: Segment, flow: Flow | None
) -> None:
    assert flow_between(origin, target) is flow


def test_every_host_interface_has_a_tap_and_the_relay_its_loopback() -> None:
    network = office()
    interfaces = sum(len(host.interfaces) for host in network.hosts)
    names = [tap.name for tap in network.taps()]
    assert len(set(names)) == interfaces + 1
    assert "relay-lo" in names


@given(st.sampled_from([p for p in ALLOWED_PREFIXES if p.version == 4]), st.data())
def test_mac_addresses_tell_interfaces_apart(prefix: IPv4Network, data: st.DataObject) -> None:
    size = prefix.num_addresses
    one, other = (
        IPv4Address(int(prefix.network_address) + data.draw(st.integers(0, size - 1)))
        for _ in range(2)
    )
    assert (mac_of(one) == mac_of(other)) == (one == other)

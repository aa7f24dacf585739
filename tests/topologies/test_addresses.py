"""Addresses of both families, as numbers and with ports."""

from ipaddress import IPv4Address, IPv6Address

from hypothesis import given
from hypothesis import strategies as st

from topologies.addresses import address_of, with_port
from topologies.spec import ALLOWED_PREFIXES


@given(st.sampled_from(ALLOWED_PREFIXES), st.integers(0, 255))
def test_an_address_of_a_lab_is_told_by_its_number(prefix: object, more: int) -> None:
    assert prefix in ALLOWED_PREFIXES
    address = ALLOWED_PREFIXES[ALLOWED_PREFIXES.index(prefix)].network_address + more
    assert address_of(int(address)) == address


def test_an_ipv6_address_before_a_port_stands_in_brackets() -> None:
    assert with_port(IPv4Address("10.10.0.11"), 443) == "10.10.0.11:443"
    assert with_port(IPv6Address("2001:db8::1"), 443) == "[2001:db8::1]:443"
    assert with_port("2001:db8::1", 443) == "[2001:db8::1]:443"

"""Addresses of both families: from numbers, and with ports."""

from ipaddress import ip_address

from topologies.spec import Address


def address_of(number: int) -> Address:
    """The address that a number stands for.

    Numbers below 2**32 are IPv4's: what IPv6 has there nobody sends from, but for the
    loopback (RFC 4291, section 2.5.5.1).
    """
    return ip_address(number)


def with_port(address: object, port: int) -> str:
    """An address and a port as people write them, IPv6's in brackets (RFC 5952, section 6)."""
    text = str(address)
    return f"[{text}]:{port}" if ":" in text else f"{text}:{port}"

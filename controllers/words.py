"""The words of a policy: names, actions, protocols, networks and ports.

A word that is none of these is refused with its value and what is allowed.
"""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, StringConstraints

LAST_PORT = 65535

#: Protocol -> its number in the IP header (IANA, "Protocol Numbers"), by the version of IP.
NUMBERS = {4: {"tcp": 6, "udp": 17, "icmp": 1}, 6: {"tcp": 6, "udp": 17, "icmp": 58}}


class Action(StrEnum):
    """What a rule does with the packets that it decides."""

    ALLOW = "allow"
    DENY = "deny"


class Protocol(StrEnum):
    """What a packet carries."""

    TCP = "tcp"
    UDP = "udp"
    ICMP = "icmp"
    ANY = "any"

    def number(self, version: int) -> int | None:
        """The number in the header of this version of IP; None for any."""
        return NUMBERS[version].get(self)

    @property
    def has_ports(self) -> bool:
        """Whether its packets name a destination port."""
        return self in (Protocol.TCP, Protocol.UDP)


class Ports(NamedTuple):
    """Destination ports, first and last included."""

    first: int
    last: int

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


def unknown(kind: str, value: str, allowed: Iterable[str]) -> str:
    """What to say of a word that is none of the allowed ones."""
    words = list(allowed)
    close = get_close_matches(value, words, n=1)
    hint = f' (did you mean "{close[0]}"?)' if close else ""
    return f'unknown {kind} "{value}"{hint}; allowed: {", ".join(words)}'


def _name(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", value):
        raise ValueError(
            f'"{value}" is not a name; allowed: small letters, digits and _, a letter first'
        )
    return value


def _network(value: object) -> IPv4Network | IPv6Network:
    try:
        whole = ip_network(str(value), strict=False)
    except ValueError:
        raise ValueError(
            f'"{value}" is no network; allowed: one like 10.10.0.0/24 or 2001:db8:10::/48, '
            "or an address"
        ) from None
    if whole.network_address != ip_address(str(value).partition("/")[0]):
        raise ValueError(
            f'"{value}" has host bits set; allowed: the network {whole}, or the address alone'
        )
    return whole


def _ports(value: object) -> Ports:
    if isinstance(value, Ports):
        return value
    found = re.fullmatch(r"(\d+)(?:-(\d+))?", str(value), re.ASCII)
    if found:
        first, last = int(found[1]), int(found[2] or found[1])
        if 1 <= first <= last <= LAST_PORT:
            return Ports(first, last)
    raise ValueError(
        f'"{value}" is not a port; allowed: 1 to {LAST_PORT}, or a range such as 49152-65535'
    )


Name = Annotated[str, AfterValidator(_name)]
Because = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)]
PortRange = Annotated[Ports, BeforeValidator(_ports), PlainSerializer(str)]

"""What a policy does to a packet, and why, for a person.

The packet is written as ``udp 10.10.0.5:5000 > 203.0.113.9:3478``, or
``icmp 10.10.0.5 > 203.0.113.9``; it begins a connection. An IPv6 address before a port
stands in brackets. ``from SIDE`` after it says which side it comes from, where the
source address alone does not.
"""

import re
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from controllers.entries import Data, Entry
from controllers.flowtable import flow_table
from controllers.lookup import PacketError, PacketQuery
from controllers.policy import Policy
from controllers.words import LAST_PORT, NUMBERS, unknown
from topologies.addresses import with_port

_EXAMPLES = 'such as "udp 10.10.0.5:5000 > 203.0.113.9:3478" or "icmp 10.10.0.5 > 203.0.113.9"'
#: An IPv6 address in brackets or one of IPv4, and a port (RFC 3986, section 3.2.2).
_WITH_PORT = re.compile(r"(?:\[([^\]]*)\]|([^:\[\]]*)):([^:]*)")
_PACKET = re.compile(r"(\S+)\s+([^\s>]+)\s*>\s*([^\s>]+)(?:\s+from\s+(\S+))?")


class Explanation(Data):
    """What happens to a packet, by which rule, and why there is that rule."""

    policy: str
    packet: str
    passes: bool
    rule: str
    because: str
    #: The side it comes from, and the one it passes to.
    side: str
    to: str | None
    #: What else is worth knowing, in sentences.
    notes: tuple[str, ...]
    entry: Entry

    def __str__(self) -> str:
        verb = f"passes from {self.side} to {self.to}" if self.passes else "is refused"
        entry = self.entry
        sentences = (
            f"{self.packet} {verb}: rule {self.rule} of {self.policy} decides:",
            f"{self.because.removesuffix('.')}.",
            *self.notes,
            f"(Table {entry.table}, priority {entry.priority}, cookie {entry.cookie}.)",
        )
        return " ".join(sentences)


def parse_packet(text: str) -> PacketQuery:
    """Read a packet's text; PacketError says what is wrong with it."""
    found = _PACKET.fullmatch(text.strip())
    if not found:
        raise PacketError(f'"{text}" is not a packet; allowed: {_EXAMPLES}')
    protocol, source, target, side = found.groups()
    if protocol not in NUMBERS[4]:
        raise PacketError(unknown("protocol", protocol, NUMBERS[4]))
    (src, sport), (dst, dport) = _end(protocol, source), _end(protocol, target)
    if src.version != dst.version:
        raise PacketError(f"{src} and {dst} are of different families; allowed: two of one")
    return PacketQuery.model_validate(
        {"protocol": protocol, "src": src, "sport": sport, "dst": dst, "dport": dport, "side": side}
    )


def explain(policy: Policy, packet: PacketQuery) -> Explanation:
    """What a policy does to the packet; PacketError when its side is unclear."""
    decision = flow_table(policy).lookup(packet)
    return Explanation(
        policy=policy.name,
        packet=_written(packet),
        passes=decision.passes,
        rule=decision.rule,
        because=policy.because_of(decision.rule),
        side=decision.side,
        to=decision.to,
        notes=tuple(_notes(policy, packet, decision.side, decision.passes)),
        entry=decision.entry,
    )


def explain_text(policy: Policy, text: str) -> str:
    """The explanation of a packet's text, as one paragraph."""
    return str(explain(policy, parse_packet(text)))


def explain_data(policy: Policy, text: str) -> dict[str, Any]:
    """The explanation of a packet's text, as data that JSON can hold."""
    return explain(policy, parse_packet(text)).model_dump(mode="json")


def _end(protocol: str, text: str) -> tuple[IPv4Address | IPv6Address, int | None]:
    """An end of a packet's way: an address, with a port where the protocol has them."""
    found = _WITH_PORT.fullmatch(text)
    if (protocol == "icmp") == bool(found):
        needed = "an address alone" if protocol == "icmp" else "an address and a port"
        raise PacketError(f'"{text}" does not fit {protocol}; allowed: {needed}, {_EXAMPLES}')
    return (_address(found[1] or found[2]), _port(found[3])) if found else (_address(text), None)


def _address(text: str) -> IPv4Address | IPv6Address:
    try:
        return ip_address(text)
    except ValueError:
        allowed = "one like 10.10.0.5 or 2001:db8:10::5"
        raise PacketError(f'"{text}" is not an IP address; allowed: {allowed}') from None


def _port(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= LAST_PORT:
        raise PacketError(f'"{text}" is not a port; allowed: 1 to {LAST_PORT}')
    return int(text)


def _written(packet: PacketQuery) -> str:
    source, target = (
        str(address) if port is None else with_port(address, port)
        for address, port in ((packet.src, packet.sport), (packet.dst, packet.dport))
    )
    return f"{packet.protocol} {source} > {target}"


def _notes(policy: Policy, packet: PacketQuery, side: str, passes: bool) -> Iterator[str]:
    if policy.sides_of(packet.dst) == (side,):
        yield f"{packet.dst} is {side} as well, so such a packet has no need to come here."
    if passes and policy.stateful:
        yield "Answers pass, as its connection is remembered."
    elif passes:
        yield "Answers need a rule of their own: this policy remembers no connections."

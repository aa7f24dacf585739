"""What a flow table does to a packet, found as a switch finds it: entry by entry.

No switch is needed, and the rule that decides is known by name.
"""

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Literal, Self

from pydantic import model_validator

from controllers.entries import (
    ESTABLISHED,
    ETH_TYPES_OF_IP,
    INVALID,
    NEW,
    RELATED,
    TRACKED,
    Data,
    Entry,
    GoTo,
    Output,
    Track,
    Value,
)
from controllers.policy import Policy
from controllers.words import NUMBERS, unknown

_STATES = {"new": NEW, "established": ESTABLISHED, "related": RELATED, "invalid": INVALID}


class PacketError(ValueError):
    """A question about a packet that has no answer. Speaks to a person."""


class PacketQuery(Data):
    """A packet at the firewall; the ports are None for ICMP alone.

    ``side`` is where it comes from; when that is None, the zones tell it from the
    source address. ``state`` is that of its connection.
    """

    protocol: Literal["tcp", "udp", "icmp"]
    src: IPv4Address | IPv6Address
    sport: int | None = None
    dst: IPv4Address | IPv6Address
    dport: int | None = None
    side: str | None = None
    state: Literal["new", "established", "related", "invalid"] = "new"

    @model_validator(mode="after")
    def _has_its_ports(self) -> Self:
        if {self.sport is None, self.dport is None} != {self.protocol == "icmp"}:
            raise ValueError(f"{self.protocol}: tcp and udp have two ports, icmp has none")
        if self.src.version != self.dst.version:
            raise ValueError(f"{self.src} and {self.dst} are of different families")
        return self


class Decision(Data):
    """What happens to a packet: the entry that decides, whence it comes, whither it goes."""

    passes: bool
    rule: str
    entry: Entry
    side: str
    to: str | None


def decide(
    policy: Policy,
    entries: Sequence[Entry],
    marks: Mapping[frozenset[str], int],
    packet: PacketQuery,
) -> Decision:
    """Walk the tables with a packet: what happens to it, and by which entry."""
    side = _side(policy, packet)
    fields = _fields(packet, side)
    entry = _first(entries, 0, fields)
    match entry.actions:
        case (Track(table=table),):
            entry = _first(entries, table, fields | _tracked(policy, marks, packet, side))
        case (GoTo(table=table),):
            entry = _first(entries, table, fields)
    to = next((action.side for action in entry.actions if isinstance(action, Output)), None)
    return Decision(passes=to is not None, rule=entry.rule, entry=entry, side=side, to=to)


def _side(policy: Policy, packet: PacketQuery) -> str:
    """The side that a packet comes from."""
    if packet.side is not None and packet.side not in policy.sides:
        raise PacketError(unknown("side", packet.side, policy.sides))
    sides = (packet.side,) if packet.side else policy.sides_of(packet.src) or policy.sides
    if len(sides) > 1:
        text = f'{packet.src} may come from {" or ".join(sides)}; add which, as "from {sides[0]}"'
        raise PacketError(text)
    return sides[0]


def _fields(packet: PacketQuery, side: str) -> dict[str, int | str]:
    """What table 0 sees of a packet: nothing is known of its connection yet."""
    version = packet.src.version
    fields: dict[str, int | str] = {
        "eth_type": ETH_TYPES_OF_IP[version],
        "in_side": side,
        "ip_proto": NUMBERS[version][packet.protocol],
        f"ipv{version}_src": int(packet.src),
        f"ipv{version}_dst": int(packet.dst),
        "ct_state": 0,
    }
    if packet.dport is not None:
        fields[f"{packet.protocol}_dst"] = packet.dport
    return fields


def _tracked(
    policy: Policy, marks: Mapping[frozenset[str], int], packet: PacketQuery, side: str
) -> dict[str, int | str]:
    """What conntrack adds; a connection's mark is that of the sides of its two ends."""
    ends = frozenset((side, *policy.sides_of(packet.dst)))
    return {"ct_state": TRACKED | _STATES[packet.state], "ct_mark": marks.get(ends, 0)}


def _first(entries: Sequence[Entry], table: int, fields: Mapping[str, int | str]) -> Entry:
    """The entry of the highest priority that matches; the last of a table matches all."""
    return max(
        (entry for entry in entries if entry.table == table and _matches(entry, fields)),
        key=lambda entry: entry.priority,
    )


def _matches(entry: Entry, fields: Mapping[str, int | str]) -> bool:
    return all(
        name in fields and _equal(wanted, fields[name]) for name, wanted in entry.match.items()
    )


def _equal(wanted: Value, actual: int | str) -> bool:
    value, mask = wanted if isinstance(wanted, tuple) else (wanted, -1)
    if isinstance(actual, str):
        return value == actual
    return actual & _number(mask) == _number(value)


def _number(value: int | str) -> int:
    return int(ip_address(value)) if isinstance(value, str) else value

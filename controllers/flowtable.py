"""The flow table that carries a policy out, as plain data.

The firewall is a bridge in line; each of its ports stands on a side. Table 0 lets
ARP and neighbour discovery through and has the connection of an IP packet looked up;
table 1 decides::

    table 0  ARP, neighbours      -> the other sides
             IP, not tracked      -> conntrack, then table 1
             anything else        -> drop
    table 1  invalid              -> drop
             established, related -> the other side of the connection
             new, rule by rule    -> commit and output to the side of the rule's zone, or drop
             anything else        -> drop (default_deny)

A stateless policy has its rules in table 1 without conntrack. Of a connection between
two sides the other side is known; among more, a mark on it remembers the pair. A
stateless policy lets IPv6's errors through in table 0 as well. Frames to reserved
multicast addresses (01:80:C2:00:00:0x) never get here: the switch drops them first
(ovs-vswitchd.conf.db(5), "forward-bpdu").
"""

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network
from itertools import combinations, permutations

from controllers.entries import (
    ESTABLISHED,
    ETH_TYPE_ARP,
    ETH_TYPE_IP,
    ETH_TYPE_IPV6,
    ETH_TYPES_OF_IP,
    INVALID,
    NEW,
    RELATED,
    TRACKED,
    Commit,
    Data,
    Entry,
    GoTo,
    Match,
    Output,
    Step,
    Track,
    Value,
)
from controllers.lookup import Decision, PacketQuery, decide
from controllers.policy import HOUSE, Policy, Rule
from controllers.words import LAST_PORT, NUMBERS, Action, Ports

#: The first rule's priority; the following ones have one less each.
RULES_FROM = 40000

#: Types of ICMPv6 that neighbours on a link say to each other, which no firewall in line may
#: drop (RFC 4890, section 4.4.1): of multicast listeners, and from 133 of neighbour discovery.
NEIGHBOURS = (130, 131, 132, 133, 134, 135, 136, 143)

#: Errors: destination unreachable, packet too big, time exceeded, parameter problem (4.3.1).
ERRORS = (1, 2, 3, 4)

#: Cookies: the house's rules from 1, the policy's own from 101, in their order.
_HOUSE_COOKIES = {name: cookie for cookie, name in enumerate(HOUSE, start=1)}
_FIRST_COOKIE = 101


class FlowTable(Data):
    """The entries that carry a policy out, in the order in which a switch tries them."""

    policy: Policy
    entries: tuple[Entry, ...]

    @property
    def cookie_names(self) -> dict[int, str]:
        """Cookie -> name of the rule that counts under it."""
        return {entry.cookie: entry.rule for entry in self.entries}

    @property
    def marks(self) -> dict[frozenset[str], int]:
        """Pair of sides -> mark of the connections between them."""
        return _marks(self.policy)

    def lookup(self, packet: PacketQuery) -> Decision:
        """What happens to a packet, and by which entry; PacketError when its side is unclear."""
        return decide(self.policy, self.entries, self.marks, packet)


def flow_table(policy: Policy, ct_zone: int = 0) -> FlowTable:
    """The table of a policy.

    The bridges of one switch share its memory of connections: each needs a conntrack
    zone of its own, or what one has allowed is established at the next.
    """
    entries = [*_admission(policy, ct_zone)]
    if policy.stateful:
        entries += _connections(policy)
    for index, rule in enumerate(policy.rules):
        entries += _rule_entries(policy, index, rule, ct_zone)
    entries.append(_house("default_deny", 1, 0, {}))
    entries.sort(key=lambda entry: (entry.table, -entry.priority))
    return FlowTable(policy=policy, entries=tuple(entries))


def port_masks(ports: Ports) -> list[tuple[int, int]]:
    """The range as values and masks: the fewest aligned blocks of a power of two."""
    masks, first = [], ports.first
    while first <= ports.last:
        size = 1
        while first % (2 * size) == 0 and first + 2 * size - 1 <= ports.last:
            size *= 2
        masks.append((first, LAST_PORT + 1 - size))
        first += size
    return masks


def _admission(policy: Policy, ct_zone: int) -> Iterator[Entry]:
    """Table 0: what crosses a firewall at all."""
    for side in policy.sides:
        others = [Output(side=other) for other in policy.sides if other != side]
        yield _house("arp", 0, 3, {"eth_type": ETH_TYPE_ARP, "in_side": side}, *others)
        for kind in NEIGHBOURS:
            yield _house("neighbours", 0, 3, _icmpv6(side, kind), *others)
        for kind in () if policy.stateful else ERRORS:
            yield _house("errors", 0, 3, _icmpv6(side, kind), *others)
    for rule, family in (("ip", ETH_TYPE_IP), ("ipv6", ETH_TYPE_IPV6)):
        if policy.stateful:
            untracked: Match = {"eth_type": family, "ct_state": (0, TRACKED)}
            yield _house(rule, 0, 2, untracked, Track(ct_zone=ct_zone, table=1))
        else:
            yield _house(rule, 0, 2, {"eth_type": family}, GoTo(table=1))
    yield _house("other_frames", 0, 0, {})


def _icmpv6(side: str, kind: int) -> Match:
    number = NUMBERS[6]["icmp"]
    return {"eth_type": ETH_TYPE_IPV6, "in_side": side, "ip_proto": number, "icmpv6_type": kind}


def _connections(policy: Policy) -> Iterator[Entry]:
    """What is not new needs no rule: it belongs to a connection that was allowed, or to none."""
    yield _house("invalid", 1, RULES_FROM + 3, {"ct_state": _flag(INVALID)})
    for side, other in permutations(policy.sides, 2):
        between: Match = {"in_side": side} | _mark_field(policy, side, other)
        out = Output(side=other)
        established = between | {"ct_state": _flag(ESTABLISHED)}
        related = between | {"ct_state": _flag(RELATED)}
        yield _house("established", 1, RULES_FROM + 2, established, out)
        yield _house("related", 1, RULES_FROM + 1, related, out)


def _rule_entries(policy: Policy, index: int, rule: Rule, ct_zone: int) -> Iterator[Entry]:
    actions = _rule_actions(policy, rule, ct_zone)
    for match in _rule_matches(policy, rule):
        yield Entry(
            table=1,
            priority=RULES_FROM - index,
            match=match,
            actions=actions,
            cookie=_FIRST_COOKIE + index,
            rule=rule.name,
        )


def _rule_actions(policy: Policy, rule: Rule, ct_zone: int) -> tuple[Step, ...]:
    if rule.action is Action.DENY:
        return ()
    sides = (policy.zones[zone].side for zone in (rule.from_, rule.to))
    output = Output(side=policy.zones[rule.to].side)
    if not policy.stateful:
        return (output,)
    return (Commit(ct_zone=ct_zone, ct_mark=_marks(policy).get(frozenset(sides))), output)


def _rule_matches(policy: Policy, rule: Rule) -> Iterator[Match]:
    every: Match = {"in_side": policy.zones[rule.from_].side}
    if policy.stateful:
        every["ct_state"] = _flag(NEW)
    for src, dst in policy.ways(rule):
        way = every | _way(rule, src, dst)
        for port in _port_fields(rule):
            yield way | port


def _way(rule: Rule, src: IPv4Network | IPv6Network, dst: IPv4Network | IPv6Network) -> Match:
    """Family, protocol and addresses."""
    version = src.version
    match: Match = {"eth_type": ETH_TYPES_OF_IP[version]}
    number = rule.protocol.number(version)
    if number is not None:
        match["ip_proto"] = number
    return match | _address(f"ipv{version}_src", src) | _address(f"ipv{version}_dst", dst)


def _port_fields(rule: Rule) -> list[Match]:
    """Open vSwitch takes masked ports, where OpenFlow 1.3 itself knows none (ovs-fields(7))."""
    if rule.ports is None:
        return [{}]
    masks = (mask for ports in rule.ports for mask in port_masks(ports))
    return [
        {f"{rule.protocol}_dst": value if mask == LAST_PORT else (value, mask)}
        for value, mask in masks
    ]


def _address(field: str, network: IPv4Network | IPv6Network) -> Match:
    """No field at all for any address; a mask only where there is a network."""
    address, mask = str(network.network_address), str(network.netmask)
    match network.prefixlen:
        case 0:
            return {}
        case network.max_prefixlen:
            return {field: address}
        case _:
            return {field: (address, mask)}


def _flag(flag: int) -> Value:
    return flag | TRACKED, flag | TRACKED


def _marks(policy: Policy) -> dict[frozenset[str], int]:
    """Among two sides only there is nothing to remember."""
    pairs = [frozenset(pair) for pair in combinations(policy.sides, 2)]
    return {pair: mark for mark, pair in enumerate(pairs, start=1)} if len(pairs) > 1 else {}


def _mark_field(policy: Policy, side: str, other: str) -> Match:
    mark = _marks(policy).get(frozenset((side, other)))
    return {} if mark is None else {"ct_mark": mark}


def _house(rule: str, table: int, priority: int, match: Match, *actions: Step) -> Entry:
    """An entry of a rule of the house."""
    return Entry(
        table=table,
        priority=priority,
        match=match,
        actions=actions,
        cookie=_HOUSE_COOKIES[rule],
        rule=rule,
    )

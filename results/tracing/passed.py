"""What firewalls and NAT routers let through, as the captures show it, by the rule that counts it.

An allowing rule counts the first packet of each connection, one rule of the house
(or of a NAT's filter) all that follow: so where a packet was seen on both sides of a
device, some rule of it has counted something.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from controllers.flowtable import ERRORS, NEIGHBOURS, FlowTable, flow_table
from controllers.lookup import PacketError, PacketQuery
from results.packets import Kind, PacketTable
from results.schema import Run
from results.tracing.paths import Path
from results.tracing.places import Places
from results.tracing.sightings import Sighting, Way
from topologies.addresses import address_of
from topologies.spec import Firewall, Perimeter, Role, Tap

#: Packets let through, by device and rule.
Passed = Counter[tuple[str, str]]

_Transport = Literal["udp", "tcp"]


def let_through(
    run: Run, places: Places, table: PacketTable, udp: Iterable[Path], syns: Iterable[Path]
) -> Passed:
    """What each counting rule let through; ``syns`` are the paths of TCP's first packets."""
    begun = list(_first_to_last(udp, syns))
    passed: Passed = Counter()
    for firewall in run.network.firewalls:
        if firewall.name in run.policies:
            rules = flow_table(run.policies[firewall.name])
            passed += _by_firewall(firewall, rules, begun)
            passed += _frames_through(firewall, rules, places, table)
    for perimeter in run.network.perimeters:
        if places.role(perimeter.host) is Role.NAT:
            passed += _by_nat(perimeter, begun)
    return passed


def _first_to_last(udp: Iterable[Path], syns: Iterable[Path]) -> Iterator[tuple[_Transport, Path]]:
    """Packets in the order of time."""
    paths: list[tuple[_Transport, Path]] = [("udp", path) for path in udp]
    paths += [("tcp", path) for path in syns]
    yield from sorted(paths, key=lambda item: item[1].first.time)


def _by_firewall(
    firewall: Firewall, rules: FlowTable, packets: Iterable[tuple[_Transport, Path]]
) -> Passed:
    passed: Passed = Counter()
    known: set[frozenset[tuple[int, int]]] = set()
    for transport, path in packets:
        for seen in _crossings(path, firewall.link):
            ends = frozenset((seen.ends[:2], seen.ends[2:]))
            rule = "established" if ends in known else _rule(firewall, rules, transport, seen)
            known.add(ends)
            if rule:
                passed[firewall.name, rule] += 1
    return passed


def _crossings(path: Path, link: str) -> Iterator[Sighting]:
    """Where a packet left an interface on a link, and arrived at another."""
    for out, into in zip(path.sightings, path.sightings[1:], strict=False):
        if out.way is Way.OUT and into.way is Way.IN and out.tap.link == into.tap.link == link:
            yield out


def _rule(
    firewall: Firewall, rules: FlowTable, transport: _Transport, seen: Sighting
) -> str | None:
    """The rule that let the first packet of a connection through, if it can be told.

    WireGuard's connections may be older than the run.
    """
    if seen.kind is Kind.WIREGUARD:
        return None
    query = PacketQuery(
        protocol=transport,
        src=address_of(seen.ends.src),
        sport=seen.ends.sport,
        dst=address_of(seen.ends.dst),
        dport=seen.ends.dport,
        side=firewall.side_of(seen.tap.host),
    )
    try:
        decision = rules.lookup(query)
    except PacketError:
        return None
    return decision.rule if decision.passes else None


def _frames_through(
    firewall: Firewall, rules: FlowTable, places: Places, table: PacketTable
) -> Passed:
    """What the rules of the house let into a firewall: ARP, all of IP, errors about connections."""
    passed: Passed = Counter()
    for index, tap in enumerate(table.taps):
        if tap.link != firewall.link:
            continue
        beyond = [mac for mac, other in places.by_mac.items() if _opposite(firewall, tap, other)]
        arrived = (table.tap == index) & ~table.outgoing & np.isin(table.src_mac, beyond)
        counts = Counter(table.kind[arrived].tolist())
        passed[firewall.name, "arp"] += counts[Kind.ARP]
        passed[firewall.name, "related"] += counts[Kind.ICMP]
        passed += _ip_through(firewall, rules, table, np.flatnonzero(arrived))
    return passed


def _ip_through(
    firewall: Firewall, rules: FlowTable, table: PacketTable, arrived: NDArray[np.intp]
) -> Passed:
    """What the rules of the house counted of IP: of IPv6, neighbours and errors apart.

    The type of ICMPv6 is the first byte of its message (RFC 4443, section 2.1).
    """
    rows = arrived[table.kind[arrived] == Kind.ICMPV6].tolist()
    said = [kind for row in rows for kind in table.payload(row)[:1]]
    neighbours = sum(kind in NEIGHBOURS for kind in said)
    errors = "related" if rules.policy.stateful else "errors"
    six = int(np.count_nonzero(table.version[arrived] == 6))
    return Counter(
        {
            (firewall.name, "ip"): int(np.count_nonzero(table.version[arrived] == 4)),
            (firewall.name, "ipv6"): six - neighbours,
            (firewall.name, "neighbours"): neighbours,
            (firewall.name, errors): sum(kind in ERRORS for kind in said),
        }
    )


def _opposite(firewall: Firewall, tap: Tap, other: Tap) -> bool:
    """Whether two taps stand on different sides of a firewall."""
    sides = (firewall.side_of(one.host) for one in (tap, other) if one.link == firewall.link)
    return len(set(sides)) == 2


def _by_nat(perimeter: Perimeter, packets: Iterable[tuple[_Transport, Path]]) -> Passed:
    passed: Passed = Counter()
    known: set[frozenset[tuple[int, int]]] = set()
    for _, path in packets:
        for into, out in zip(path.sightings, path.sightings[1:], strict=False):
            if not into.tap.host == out.tap.host == perimeter.host or into.way is not Way.IN:
                continue
            inside = into if out.tap.link == perimeter.outside else out
            ends = frozenset((inside.ends[:2], inside.ends[2:]))
            is_known = ends in known or inside is out
            known.add(ends)
            passed.update(
                {(perimeter.host, rule): 1 for rule in _nat_rules(out, is_known=is_known)}
            )
    return passed


def _nat_rules(out: Sighting, *, is_known: bool) -> tuple[str, ...]:
    """The rules of a NAT's filter that count a packet which it sends on (topologies/nat.py).

    A NAT begins connections outward only, and those of WireGuard may be older than the run.
    What leaves as IPv6 is not translated.
    """
    if is_known:
        return ("established",)
    if out.kind is Kind.WIREGUARD:
        return ()
    return ("outward", "translated") if address_of(out.ends.src).version == 4 else ("outward",)

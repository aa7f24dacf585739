"""The table does what the ordered rules say, in the form that a switch takes."""

import operator
from ipaddress import IPv4Address, IPv6Address
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from controllers.entries import Commit, Entry, GoTo, Output, Track
from controllers.flowtable import FlowTable, flow_table, port_masks
from controllers.lookup import PacketError, PacketQuery
from controllers.policy import Policy, Rule
from controllers.words import LAST_PORT, NUMBERS, Action, Ports, Protocol

IP, ARP, IPV6 = 0x0800, 0x0806, 0x86DD
NEW, ESTABLISHED, RELATED, INVALID = (flag | 0x20 for flag in (0x01, 0x02, 0x04, 0x10))


def policy(*rules: dict[str, Any], **more: Any) -> Policy:
    zones = {
        "lan": {"side": "inside", "addresses": ["10.10.0.0/24", "10.20.0.7"]},
        "relay": {"side": "outside", "addresses": ["203.0.113.9"]},
        "internet": {"side": "outside"},
    }
    named = [{"name": f"rule{index}", "because": "x", **rule} for index, rule in enumerate(rules)]
    return Policy.model_validate(
        {"name": "test", "because": "x", "zones": zones, "rules": named, **more}
    )


def rule(action: str, source: str, target: str, protocol: str, *ports: str) -> dict[str, Any]:
    known: dict[str, Any] = {"action": action, "from": source, "to": target, "protocol": protocol}
    return known | ({"ports": ports} if ports else {})


def udp(src: str, dst: str, dport: int = 3478, **more: Any) -> PacketQuery:
    return PacketQuery.model_validate(
        {"protocol": "udp", "src": src, "sport": 5000, "dst": dst, "dport": dport, **more}
    )


TURN = rule("allow", "lan", "relay", "udp", "3478")
NO_MEDIA = rule("deny", "lan", "internet", "udp")


def entries(table: FlowTable, name: str) -> list[Entry]:
    return [entry for entry in table.entries if entry.rule == name]


def test_table_0_lets_arp_through_and_looks_connections_up() -> None:
    table = flow_table(policy(TURN), ct_zone=7)
    found = [
        (e.rule, e.priority, e.match, e.actions)
        for e in table.entries
        if e.table == 0 and e.rule != "neighbours"
    ]
    assert found == [
        ("arp", 3, {"eth_type": ARP, "in_side": "inside"}, (Output(side="outside"),)),
        ("arp", 3, {"eth_type": ARP, "in_side": "outside"}, (Output(side="inside"),)),
        ("ip", 2, {"eth_type": IP, "ct_state": (0, 0x20)}, (Track(ct_zone=7, table=1),)),
        ("ipv6", 2, {"eth_type": IPV6, "ct_state": (0, 0x20)}, (Track(ct_zone=7, table=1),)),
        ("other_frames", 0, {}, ()),
    ]


def icmpv6(table: FlowTable, name: str) -> dict[str, set[Any]]:
    """Side -> the types of ICMPv6 that a rule of the house lets out of it to the other."""
    other = {"inside": "outside", "outside": "inside"}
    types: dict[str, set[Any]] = {}
    for entry in entries(table, name):
        side = str(entry.match["in_side"])
        assert entry.match | {"icmpv6_type": 0} == {
            "eth_type": IPV6, "in_side": side, "ip_proto": 58, "icmpv6_type": 0,
        }  # fmt: skip
        assert entry.actions == (Output(side=other[side]),)
        types.setdefault(side, set()).add(entry.match["icmpv6_type"])
    return types


def test_neighbours_of_ipv6_pass_before_connections_are_looked_up() -> None:
    types = {130, 131, 132, 133, 134, 135, 136, 143}
    found = flow_table(policy())
    assert icmpv6(found, "neighbours") == {"inside": types, "outside": types}
    assert entries(found, "errors") == []


def test_a_stateless_policy_lets_errors_of_ipv6_pass() -> None:
    found = flow_table(policy(stateful=False))
    errors = {1, 2, 3, 4}
    assert icmpv6(found, "errors") == {"inside": errors, "outside": errors}


def test_a_rule_is_about_the_families_that_its_zones_share() -> None:
    both = {
        "lan": {"side": "inside", "addresses": ["10.10.0.0/24", "2001:db8:10::/48"]},
        "relay": {"side": "outside", "addresses": ["203.0.113.9", "2001:db8:203::9"]},
        "old": {"side": "outside", "addresses": ["198.51.100.0/24"]},
    }
    pings = rule("allow", "lan", "relay", "icmp"), rule("allow", "lan", "old", "icmp")
    found = flow_table(policy(*pings, zones=both))
    every = {"in_side": "inside", "ct_state": (NEW, NEW)}
    four = every | {"eth_type": IP, "ip_proto": 1, "ipv4_src": ("10.10.0.0", "255.255.255.0")}
    six = every | {
        "eth_type": IPV6, "ip_proto": 58, "ipv6_src": ("2001:db8:10::", "ffff:ffff:ffff::"),
    }  # fmt: skip
    assert [entry.match for entry in entries(found, "rule0")] == [
        four | {"ipv4_dst": "203.0.113.9"},
        six | {"ipv6_dst": "2001:db8:203::9"},
    ]
    old = ("198.51.100.0", "255.255.255.0")
    assert [entry.match for entry in entries(found, "rule1")] == [four | {"ipv4_dst": old}]


def test_table_1_knows_connections_before_rules() -> None:
    found = [
        (e.rule, e.priority, e.match, e.actions) for e in flow_table(policy()).entries if e.table
    ]
    inside, outside = Output(side="inside"), Output(side="outside")
    assert found == [
        ("invalid", 40003, {"ct_state": (INVALID, INVALID)}, ()),
        (
            "established",
            40002,
            {"in_side": "inside", "ct_state": (ESTABLISHED, ESTABLISHED)},
            (outside,),
        ),
        (
            "established",
            40002,
            {"in_side": "outside", "ct_state": (ESTABLISHED, ESTABLISHED)},
            (inside,),
        ),
        ("related", 40001, {"in_side": "inside", "ct_state": (RELATED, RELATED)}, (outside,)),
        ("related", 40001, {"in_side": "outside", "ct_state": (RELATED, RELATED)}, (inside,)),
        ("default_deny", 0, {}, ()),
    ]


def test_a_rule_becomes_one_entry_for_each_address_and_block_of_ports() -> None:
    table = flow_table(
        policy(rule("allow", "lan", "relay", "udp", "3478", "49152-65535"), NO_MEDIA)
    )
    every = {"eth_type": IP, "in_side": "inside", "ct_state": (NEW, NEW), "ip_proto": 17}
    network, host = ("10.10.0.0", "255.255.255.0"), "10.20.0.7"
    assert [entry.match for entry in entries(table, "rule0")] == [
        every | {"ipv4_src": source, "ipv4_dst": "203.0.113.9", "udp_dst": port}
        for source in (network, host)
        for port in (3478, (49152, 0xC000))
    ]
    assert [entry.match for entry in entries(table, "rule1")] == [
        every | {"ipv4_src": source} for source in (network, host)
    ]
    allowed = (Commit(ct_zone=0, ct_mark=None), Output(side="outside"))
    assert {entry.actions for entry in entries(table, "rule0")} == {allowed}
    assert {entry.actions for entry in entries(table, "rule1")} == {()}


def test_every_rule_counts_under_a_cookie_of_its_own() -> None:
    table = flow_table(policy(TURN, NO_MEDIA))
    assert table.cookie_names == {
        1: "arp",
        2: "other_frames",
        3: "ip",
        4: "invalid",
        5: "established",
        6: "related",
        7: "default_deny",
        8: "ipv6",
        9: "neighbours",
        101: "rule0",
        102: "rule1",
    }
    assert {(e.cookie, e.rule) for e in table.entries} == set(table.cookie_names.items())


def test_a_stateless_policy_knows_no_connections() -> None:
    table = flow_table(policy(TURN, stateful=False))
    assert [e.actions for e in entries(table, "ip")] == [(GoTo(table=1),)]
    assert not {"invalid", "established", "related"} & set(table.cookie_names.values())
    assert all("ct_state" not in entry.match for entry in table.entries)
    assert {e.actions for e in entries(table, "rule0")} == {(Output(side="outside"),)}
    answer = udp("203.0.113.9", "10.10.0.5", state="established")
    assert table.lookup(answer).rule == "default_deny"


THREE_SIDES = policy(
    rule("allow", "pool", "lan", "tcp"),
    zones={
        "pool": {"side": "tunnel", "addresses": ["10.30.0.0/24"]},
        "lan": {"side": "inside", "addresses": ["10.10.0.0/24"]},
        "internet": {"side": "outside"},
    },
)


def test_among_three_sides_a_mark_tells_where_a_connection_goes() -> None:
    table = flow_table(THREE_SIDES)
    assert table.marks == {
        frozenset(("tunnel", "inside")): 1,
        frozenset(("tunnel", "outside")): 2,
        frozenset(("inside", "outside")): 3,
    }
    assert entries(table, "rule0")[0].actions[0] == Commit(ct_zone=0, ct_mark=1)
    assert [
        (e.match["in_side"], e.match["ct_mark"], e.actions) for e in entries(table, "related")
    ] == [
        ("tunnel", 1, (Output(side="inside"),)),
        ("tunnel", 2, (Output(side="outside"),)),
        ("inside", 1, (Output(side="tunnel"),)),
        ("inside", 3, (Output(side="outside"),)),
        ("outside", 2, (Output(side="tunnel"),)),
        ("outside", 3, (Output(side="inside"),)),
    ]
    answer = udp("10.10.0.5", "10.30.0.2", state="established")
    assert table.lookup(answer).to == "tunnel"


def test_arp_goes_to_all_other_sides() -> None:
    actions = entries(flow_table(THREE_SIDES), "arp")[0].actions
    assert actions == (Output(side="inside"), Output(side="outside"))


@pytest.mark.parametrize(
    ("packet", "rule_name", "to"),
    [
        (udp("10.10.0.5", "203.0.113.9"), "rule0", "outside"),
        (udp("10.10.0.5", "203.0.113.9", 3479), "rule1", None),
        (udp("10.10.0.5", "8.8.8.8"), "rule1", None),
        (udp("10.20.0.8", "203.0.113.9", side="inside"), "default_deny", None),
        (udp("203.0.113.9", "10.10.0.5"), "default_deny", None),
        (udp("203.0.113.9", "10.10.0.5", state="established"), "established", "inside"),
        (udp("10.10.0.5", "8.8.8.8", state="related"), "related", "outside"),
        (udp("10.10.0.5", "203.0.113.9", state="invalid"), "invalid", None),
    ],
)
def test_a_packet_meets_its_rule(packet: PacketQuery, rule_name: str, to: str | None) -> None:
    decision = flow_table(policy(TURN, NO_MEDIA)).lookup(packet)
    assert (decision.rule, decision.to, decision.passes) == (rule_name, to, to is not None)
    assert decision.entry.rule == rule_name


@pytest.mark.parametrize(
    ("packet", "said"),
    [
        (
            udp("10.10.0.5", "203.0.113.9", side="insides"),
            'unknown side "insides" (did you mean "inside"?); allowed: inside, outside',
        ),
        (
            udp("8.8.8.8", "203.0.113.9"),
            '8.8.8.8 may come from inside or outside; add which, as "from inside"',
        ),
    ],
)
def test_a_side_that_is_not_known(packet: PacketQuery, said: str) -> None:
    without = policy(zones={"a": {"side": "inside"}, "b": {"side": "outside"}})
    with pytest.raises(PacketError) as caught:
        flow_table(without).lookup(packet)
    assert str(caught.value) == said


def test_an_address_of_no_zone_may_come_from_anywhere() -> None:
    addresses = ({"addresses": ["10.0.0.1"]}, {"addresses": ["10.0.0.2"]})
    narrow = policy(zones={"a": {"side": "in"} | addresses[0], "b": {"side": "out"} | addresses[1]})
    with pytest.raises(PacketError, match=r"8\.8\.8\.8 may come from in or out; add which"):
        flow_table(narrow).lookup(udp("8.8.8.8", "10.0.0.1"))


@pytest.mark.parametrize("ports", [{"sport": 1}, {"dport": 1}, {}])
def test_a_packet_has_the_ports_of_its_protocol(ports: dict[str, int]) -> None:
    query = {"protocol": "tcp", "src": "10.0.0.1", "dst": "10.0.0.2"}
    with pytest.raises(ValidationError, match="tcp and udp have two ports, icmp has none"):
        PacketQuery.model_validate(query | ports)


port_ranges = st.tuples(st.integers(0, LAST_PORT), st.integers(0, LAST_PORT)).map(
    lambda pair: Ports(min(pair), max(pair))
)


@given(port_ranges)
def test_masks_hold_the_ports_of_the_range_once(ports: Ports) -> None:
    masks = port_masks(ports)
    blocks = [range(value, value + LAST_PORT + 1 - mask) for value, mask in masks]
    assert all(block.start % len(block) == 0 for block in blocks)
    assert (blocks[0].start, blocks[-1].stop) == (ports.first, ports.last + 1)
    assert all(one.stop == other.start for one, other in pairwise(blocks))
    assert len(masks) <= 30


# Small worlds, so that rules and packets meet often.
SIDES = ("inside", "outside", "tunnel")
#: The first address of each family.
FIRST = (IPv4Address("10.0.0.0"), IPv6Address("2001:db8::"))
families = st.sampled_from(FIRST)
networks = st.builds(
    lambda first, low, bits: f"{first + (low & -(1 << bits))}/{first.max_prefixlen - bits}",
    families,
    st.integers(0, 15),
    st.integers(0, 4),
)
zones = st.fixed_dictionaries(
    {"side": st.sampled_from(SIDES)},
    optional={"addresses": st.lists(networks, min_size=1, max_size=2)},
)
port_texts = st.tuples(st.integers(1, 9), st.integers(1, 9)).map(
    lambda pair: f"{min(pair)}-{max(pair)}"
)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """A valid policy: of random rules, those that can be added to the ones before."""
    known = draw(st.lists(zones, min_size=2, max_size=5))
    found = {f"z{index}": zone for index, zone in enumerate(known)}
    found |= {"last": {"side": "outside"}, "first": {"side": "inside"}}
    base = {"name": "x", "because": "x", "zones": found, "stateful": draw(st.booleans())}
    kept = Policy.model_validate(base | {"rules": []})
    for index in range(draw(st.integers(0, 6))):
        added = draw(rules(f"r{index}", sorted(found)))
        try:
            kept = Policy.model_validate(base | {"rules": (*kept.rules, added)})
        except ValidationError:
            continue
    return kept


@st.composite
def rules(draw: st.DrawFn, name: str, names: list[str]) -> Rule:
    protocol = draw(st.sampled_from(Protocol))
    ports = draw(st.lists(port_texts, min_size=1, max_size=2)) if protocol.has_ports else None
    return Rule.model_validate(
        {
            "name": name,
            "action": draw(st.sampled_from(Action)),
            "from": draw(st.sampled_from(names)),
            "to": draw(st.sampled_from(names)),
            "protocol": protocol,
            "ports": draw(st.sampled_from([ports, None])),
            "because": "x",
        }
    )


@st.composite
def packets(draw: st.DrawFn, sides: tuple[str, ...]) -> PacketQuery:
    protocol = draw(st.sampled_from(sorted(NUMBERS[4])))
    port = st.none() if protocol == "icmp" else st.integers(1, 10)
    addresses = st.builds(operator.add, st.just(draw(families)), st.integers(0, 15))
    return PacketQuery.model_validate(
        {
            "protocol": protocol,
            "src": draw(addresses),
            "sport": draw(port),
            "dst": draw(addresses),
            "dport": draw(port),
            "side": draw(st.sampled_from(sides)),
        }
    )


def evaluate(policy: Policy, packet: PacketQuery) -> tuple[str, str | None]:
    """The rule that decides and the side a new packet goes to, straight from the rules."""
    for known in policy.rules:
        source, target = policy.zones[known.from_], policy.zones[known.to]
        if (
            source.side == packet.side
            and any(packet.src in network for network in source.networks)
            and any(packet.dst in network for network in target.networks)
            and known.protocol in (packet.protocol, "any")
            and (known.ports is None or any(a <= (packet.dport or 0) <= b for a, b in known.ports))
        ):
            return known.name, target.side if known.action is Action.ALLOW else None
    return "default_deny", None


@given(st.data())
def test_the_table_decides_as_the_ordered_rules_do(data: st.DataObject) -> None:
    drawn = data.draw(policies())
    table = flow_table(drawn)
    for packet in data.draw(st.lists(packets(drawn.sides), min_size=1, max_size=10)):
        decision = table.lookup(packet)
        assert (decision.rule, decision.to) == evaluate(drawn, packet)


@given(policies())
def test_priorities_fall_from_rule_to_rule(drawn: Policy) -> None:
    found = flow_table(drawn).entries
    assert list(found) == sorted(found, key=lambda entry: (entry.table, -entry.priority))
    ranks = {entry.rule: entry.priority for entry in found if entry.cookie > 100}
    assert sorted(ranks.values(), reverse=True) == [ranks[known.name] for known in drawn.rules]

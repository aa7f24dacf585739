"""The shipped policies do what they are for."""

from functools import cache

import pytest

from controllers.explain import parse_packet
from controllers.flowtable import FlowTable, flow_table
from controllers.policy import SHIPPED, find, load
from topologies.ipv6 import dual_stack
from topologies.reference import office_and_homes
from topologies.regions import three_regions

#: Hosts of the reference network under short names, and an address outside.
HOSTS = {host.name: str(host.address) for host in office_and_homes().hosts}
HOSTS |= {"eve_public": "198.51.100.10", "office_public": "198.51.100.2"}

HOSTS |= {"proxy": "10.10.0.80"}
HOSTS |= {"vic": "10.99.0.11", "vera": "10.99.0.12", "br_dns": "10.20.0.53"}

#: Servers of other regions than the first, which has the addresses of the only one elsewhere.
HOSTS |= {
    name: str(three_regions().host(name).address)
    for name in ("front_mid", "telem_east", "relay_mid", "relay_east")
}

#: The same hosts by their IPv6 addresses, and what a NAT64 makes of the relay's.
SIX = {f"{host.name}6": str(host.addresses[-1]) for host in dual_stack().hosts}
SIX |= {"relay64": "2001:db8:64::203.0.113.9", "front_end64": "2001:db8:64::203.0.113.5"}
HOSTS |= {name: f"[{address}]" for name, address in SIX.items()}

SHIPPED_NAMES = sorted(path.stem for path in SHIPPED.glob("*.yaml"))


@cache
def table(policy: str) -> FlowTable:
    return flow_table(load(find(policy)))


@pytest.mark.parametrize("name", SHIPPED_NAMES)
def test_a_shipped_policy_is_valid_and_called_like_its_file(name: str) -> None:
    assert load(find(name)).name == name


def test_all_are_here() -> None:
    assert sorted({policy for policy, *_ in CASES}) == SHIPPED_NAMES


#: What every policy of the office's firewall has in common.
OFFICE = [
    ("tcp alice:1 > front_end:443", "allow", "signalling"),
    ("tcp bea:1 > telemetry:443", "allow", "signalling"),
    ("tcp alice:1 > front_end:80", "deny", "default_deny"),
    ("tcp alice:1 > relay:443", "deny", "default_deny"),
    ("tcp alice:1 > eve_public:443", "deny", "default_deny"),
    ("udp forwarder:1 > resolver:53", "allow", "dns"),
    ("tcp forwarder:1 > resolver:53", "allow", "dns_tcp"),
    ("tcp alice:1 > resolver:53", "deny", "default_deny"),
    ("icmp alice > relay", "deny", "default_deny"),
    ("udp eve_public:1 > alice:5000", "deny", "default_deny"),
    ("udp relay:3478 > alice:5000", "deny", "default_deny"),
    ("tcp front_end:443 > alice:5000", "deny", "default_deny"),
]

#: Head office and branch as they are joined, media aside.
BRANCH = [
    ("tcp bea:1 > alice:22", "allow", "from_branch"),
    ("tcp alice:1 > bea:22", "allow", "to_branch"),
    ("icmp bea > alice", "allow", "from_branch"),
    ("icmp alice > bea", "allow", "to_branch"),
]

#: What the office's policies have in common beside that, where there are regions.
REGIONAL_OFFICE = [
    *OFFICE,
    ("tcp alice:1 > front_mid:443", "allow", "signalling"),
    ("tcp bea:1 > telem_east:443", "allow", "signalling"),
    ("tcp vic:1 > front_mid:443", "allow", "signalling_of_pool"),
    ("tcp alice:1 > relay_mid:443", "deny", "default_deny"),
    ("udp alice:1 > relay_mid:3478", "allow", "turn"),
    ("udp bea:1 > relay_east:3478", "allow", "turn"),
    ("udp br_dns:1 > resolver:53", "allow", "dns"),
]

#: The same over IPv6.
OFFICE_6 = [
    ("tcp bea6:1 > telemetry6:443", "allow", "signalling"),
    ("tcp alice6:1 > front_end6:80", "deny", "default_deny"),
    ("udp alice6:1 > relay6:3478", "allow", "turn"),
    ("udp forwarder6:1 > resolver6:53", "allow", "dns"),
    ("tcp forwarder6:1 > resolver6:53", "allow", "dns_tcp"),
    ("udp eve6:1 > alice6:5000", "deny", "default_deny"),
]

OWN = {
    "regions_only": [
        *REGIONAL_OFFICE,
        ("udp alice:1 > relay_mid:49152", "deny", "no_direct_media"),
        ("udp alice:1 > eve_public:6000", "deny", "no_direct_media"),
    ],
    "regions_udp_out": [
        *REGIONAL_OFFICE,
        ("udp alice:1 > relay_mid:49152", "allow", "direct_media"),
        ("udp alice:1 > eve_public:6000", "allow", "direct_media"),
    ],
    "home_regions_only": [
        ("tcp eve:1 > front_mid:443", "allow", "signalling"),
        ("tcp nina:1 > telem_east:443", "allow", "signalling"),
        ("udp eve:1 > relay_east:3478", "allow", "turn"),
        ("udp eve:1 > relay_east:49152", "deny", "no_direct_media"),
        ("udp eve:1 > office_public:6000", "deny", "no_direct_media"),
        ("udp nina:1 > resolver:53", "allow", "dns"),
    ],
    "regions_vpn_bypass": [
        ("tcp vic:1 > front_mid:443 from pool", "allow", "signalling"),
        ("tcp vic:1 > telem_east:443 from pool", "allow", "signalling"),
        ("udp vic:1 > forwarder:53 from pool", "allow", "dns"),
        ("udp vic:1 > alice:6000 from pool", "deny", "no_media_to_lan"),
        ("udp vic:1 > relay_east:3478 from pool", "deny", "no_relay"),
        ("udp vic:1 > eve_public:6000 from pool", "deny", "no_media_out"),
        ("udp alice:1 > vic:6000", "deny", "no_media_to_pool"),
    ],
    "both_service_only": [
        *OFFICE,
        *OFFICE_6,
        ("udp alice6:1 > relay6:49152", "deny", "no_direct_media"),
        ("udp alice6:1 > eve6:6000", "deny", "no_direct_media"),
        ("udp alice:1 > eve_public:6000", "deny", "no_direct_media"),
    ],
    "both_udp_out": [
        *OFFICE,
        *OFFICE_6,
        ("udp alice6:1 > eve6:6000", "allow", "direct_media"),
        ("udp alice:1 > eve_public:6000", "allow", "direct_media"),
    ],
    "both_ipv4_media": [
        *OFFICE,
        *OFFICE_6,
        ("udp alice6:1 > eve6:6000", "deny", "no_ipv6_media"),
        ("udp bea6:1 > relay6:49152", "deny", "no_ipv6_media"),
        ("udp alice:1 > eve_public:6000", "allow", "direct_media"),
    ],
    "nat64_service_only": [
        ("tcp alice6:1 > front_end64:443", "allow", "signalling"),
        ("udp bea6:1 > relay64:3478", "allow", "turn"),
        ("udp forwarder6:1 > resolver6:53", "allow", "dns"),
        ("tcp forwarder6:1 > resolver6:53", "allow", "dns_tcp"),
        ("udp alice6:1 > relay64:49152", "deny", "no_direct_media"),
        ("udp alice6:1 > eve6:6000", "deny", "no_direct_media"),
        ("tcp alice6:1 > front_end6:443", "deny", "default_deny"),
    ],
    "service_only": [
        *OFFICE,
        ("udp alice:1 > relay:3478", "allow", "turn"),
        ("udp bea:1 > relay:3478", "allow", "turn"),
        ("udp alice:1 > relay:49152", "deny", "no_direct_media"),
        ("udp alice:1 > relay:3479", "deny", "no_direct_media"),
        ("udp alice:1 > front_end:443", "deny", "no_direct_media"),
        ("udp alice:1 > eve_public:6000", "deny", "no_direct_media"),
        ("udp alice:1 > resolver:53", "deny", "no_direct_media"),
        ("udp forwarder:1 > eve_public:53", "deny", "no_direct_media"),
    ],
    "udp_out": [
        *OFFICE,
        ("udp alice:1 > relay:3478", "allow", "turn"),
        ("udp alice:1 > relay:49152", "allow", "direct_media"),
        ("udp bea:1 > eve_public:6000", "allow", "direct_media"),
        ("tcp vic:1 > front_end:443", "allow", "signalling_of_pool"),
        ("udp vic:1 > eve_public:6000", "deny", "default_deny"),
    ],
    "relay_range": [
        *OFFICE,
        ("udp alice:1 > relay:3478", "allow", "turn"),
        ("udp alice:1 > relay:49151", "deny", "no_direct_media"),
        ("udp alice:1 > relay:49152", "allow", "relayed_ports"),
        ("udp bea:1 > relay:65535", "allow", "relayed_ports"),
        ("udp alice:1 > front_end:50000", "deny", "no_direct_media"),
        ("udp alice:1 > eve_public:50000", "deny", "no_direct_media"),
    ],
    "udp_blocked": [
        *(case for case in OFFICE if case[0] != "tcp alice:1 > relay:443"),
        ("tcp alice:1 > relay:443", "allow", "turn_tcp"),
        ("tcp alice:1 > relay:3478", "deny", "default_deny"),
        ("udp alice:1 > relay:3478", "deny", "no_udp"),
        ("udp bea:1 > eve_public:6000", "deny", "no_udp"),
    ],
    "only_443": [
        ("tcp alice:1 > front_end:443", "allow", "web"),
        ("tcp bea:1 > relay:443", "allow", "web"),
        ("tcp alice:1 > relay:3478", "deny", "nothing_else"),
        ("udp alice:1 > relay:443", "deny", "nothing_else"),
        ("udp alice:1 > relay:3478", "deny", "nothing_else"),
        ("icmp alice > relay", "deny", "nothing_else"),
        ("udp forwarder:1 > resolver:53", "allow", "dns"),
        ("tcp forwarder:1 > resolver:53", "allow", "dns_tcp"),
        ("udp relay:3478 > alice:5000", "deny", "default_deny"),
    ],
    "proxy_only": [
        ("tcp proxy:1 > front_end:443", "allow", "web"),
        ("tcp proxy:1 > relay:443", "allow", "web"),
        ("udp proxy:1 > resolver:53", "allow", "dns"),
        ("tcp proxy:1 > resolver:53", "allow", "dns_tcp"),
        ("udp proxy:1 > relay:3478", "deny", "no_way_around"),
        ("tcp alice:1 > front_end:443", "deny", "no_way_around"),
        ("tcp alice:1 > relay:443", "deny", "no_way_around"),
        ("udp bea:1 > eve_public:6000", "deny", "no_way_around"),
        ("tcp relay:443 > proxy:3128", "deny", "default_deny"),
    ],
    "home_service_only": [
        ("tcp eve:1 > front_end:443", "allow", "signalling"),
        ("tcp nina:1 > telemetry:443", "allow", "signalling"),
        ("udp eve:1 > relay:3478", "allow", "turn"),
        ("udp eve:1 > relay:49152", "deny", "no_direct_media"),
        ("udp eve:1 > office_public:6000", "deny", "no_direct_media"),
        ("udp eve:1 > resolver:53", "allow", "dns"),
        ("tcp nina:1 > resolver:53", "allow", "dns_tcp"),
        ("udp relay:49152 > eve:6000", "deny", "default_deny"),
    ],
    "branch_open": [
        *BRANCH,
        ("udp bea:1 > alice:6000", "allow", "from_branch"),
        ("udp alice:1 > bea:6000", "allow", "to_branch"),
        ("udp bea:1 > forwarder:53", "allow", "from_branch"),
        ("tcp bea:1 > front_end:443", "allow", "from_branch"),
        ("udp bea:1 > relay:3478", "allow", "from_branch"),
        ("udp 10.99.0.1:1 > alice:6000 from outside", "deny", "default_deny"),
    ],
    "branch_no_udp": [
        *BRANCH,
        ("udp bea:1 > alice:6000", "deny", "no_udp_to_head"),
        ("udp alice:1 > bea:6000", "deny", "no_udp_to_branch"),
        ("udp bea:1 > forwarder:53", "allow", "dns"),
        ("udp bea:1 > forwarder:6000", "deny", "no_udp_to_head"),
        ("tcp bea:1 > forwarder:53", "allow", "from_branch"),
        ("tcp bea:1 > front_end:443", "allow", "signalling"),
        ("tcp bea:1 > telemetry:443", "allow", "signalling"),
        ("udp bea:1 > relay:3478", "allow", "turn"),
        ("udp bea:1 > relay:49152", "deny", "no_udp_out"),
        ("udp bea:1 > office_public:6000", "deny", "no_udp_out"),
        ("udp relay:3478 > bea:6000", "deny", "no_udp_to_branch"),
    ],
    "vpn_open": [
        ("tcp vic:1 > front_end:443 from pool", "allow", "from_pool"),
        ("udp vic:1 > alice:6000", "allow", "from_pool"),
        ("udp alice:1 > vic:6000", "allow", "to_pool"),
        ("udp vic:1 > relay:3478 from pool", "allow", "from_pool"),
        ("udp vic:1 > vera:6000 from pool", "allow", "from_pool"),
    ],
    "vpn_media_bypass": [
        ("tcp vic:1 > front_end:443 from pool", "allow", "signalling"),
        ("tcp vic:1 > telemetry:443 from pool", "allow", "signalling"),
        ("udp vic:1 > forwarder:53 from pool", "allow", "dns"),
        ("udp vic:1 > alice:6000 from pool", "deny", "no_media_to_lan"),
        ("udp vic:1 > vera:6000 from pool", "deny", "no_media_to_members"),
        ("udp vic:1 > relay:3478 from pool", "deny", "no_relay"),
        ("udp vic:1 > eve_public:6000 from pool", "deny", "no_media_out"),
        ("udp vic:1 > office_public:6000 from pool", "deny", "no_media_out"),
        ("udp alice:1 > vic:6000", "deny", "no_media_to_pool"),
        ("tcp vic:1 > alice:22 from pool", "allow", "office"),
    ],
}

CASES = [(policy, *case) for policy, cases in OWN.items() for case in cases]


@pytest.mark.parametrize(("policy", "packet", "action", "rule"), CASES)
def test_what_happens_to_a_packet(policy: str, packet: str, action: str, rule: str) -> None:
    for name in sorted(HOSTS, key=len, reverse=True):
        packet = packet.replace(name, HOSTS[name])
    decision = table(policy).lookup(parse_packet(packet))
    assert ("allow" if decision.passes else "deny", decision.rule) == (action, rule)


@pytest.mark.parametrize("policy", SHIPPED_NAMES)
def test_answers_pass_and_errors_of_connections_too(policy: str) -> None:
    side = load(find(policy)).sides[-1]
    query = parse_packet(f"udp 203.0.113.9:3478 > 10.10.0.11:5000 from {side}")
    for state, rule, passes in (
        ("established", "established", True),
        ("related", "related", True),
        ("invalid", "invalid", False),
    ):
        decision = table(policy).lookup(query.model_copy(update={"state": state}))
        assert (decision.rule, decision.passes) == (rule, passes)

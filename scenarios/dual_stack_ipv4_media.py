#!/usr/bin/env -S sh -c 'exec "${0%/*}/../callpath" run "$0" "$@"'
"""Office and home have both families; IPv6 media is refused: directly, over IPv4.

ICE finds the other family's way by itself: Flow 2 all the same, through the office's NAT.
"""

from scenarios.scenario import Call, Scenario
from topologies.ipv6 import dual_stack
from topologies.spec import Flow

scenario = Scenario(
    name="dual_stack_ipv4_media",
    title="Office and home have both families; IPv6 media is refused: directly, over IPv4",
    network=dual_stack(),
    calls=(Call("alice", "eve"),),
    policies={"office": "both_ipv4_media"},
    expect_signalling=frozenset({Flow.F2, Flow.F3, Flow.F4}),
    expect_media=frozenset({Flow.F2}),
    expect_ip=frozenset({"IPv4"}),
)

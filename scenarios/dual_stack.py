#!/usr/bin/env -S sh -c 'exec "${0%/*}/../callpath" run "$0" "$@"'
"""Office and home have both families; media goes directly, over IPv6.

IPv6 comes first in priority (RFC 8421), and the perimeter lets both families out: Flow 2.
"""

from scenarios.scenario import Call, Scenario
from topologies.ipv6 import dual_stack
from topologies.spec import Flow

scenario = Scenario(
    name="dual_stack",
    title="Office and home have both families; media goes directly, over IPv6",
    network=dual_stack(),
    calls=(Call("alice", "eve"),),
    policies={"office": "both_udp_out"},
    expect_signalling=frozenset({Flow.F2, Flow.F3, Flow.F4}),
    expect_media=frozenset({Flow.F2}),
    expect_ip=frozenset({"IPv6"}),
)

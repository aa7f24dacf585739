#!/usr/bin/env -S sh -c 'exec "${0%/*}/../callpath" run "$0" "$@"'
"""Office and home have IPv6 alone; the perimeter refuses direct media.

The relay and both its allocations are of IPv6: Flow 4 from the office, Flow 3 from home.
"""

from scenarios.scenario import Call, Scenario
from topologies.ipv6 import ipv6_only
from topologies.spec import Flow

scenario = Scenario(
    name="ipv6_only_relayed",
    title="Office and home have IPv6 alone; the perimeter refuses direct media",
    network=ipv6_only(),
    calls=(Call("alice", "eve"),),
    policies={"office": "both_service_only"},
    expect_signalling=frozenset({Flow.F2, Flow.F3, Flow.F4}),
    expect_media=frozenset({Flow.F3, Flow.F4}),
    expect_ip=frozenset({"IPv6"}),
)

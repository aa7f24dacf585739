#!/usr/bin/env -S sh -c 'exec "${0%/*}/../callpath" run "$0" "$@"'
"""The office has IPv6 alone; its users call each other, head office and branch.

The service is reached over IPv6: Flow 4, and media stays inside: Flow 5.
"""

from scenarios.scenario import Call, Scenario
from topologies.ipv6 import ipv6_only
from topologies.spec import Flow

scenario = Scenario(
    name="ipv6_only_intranet",
    title="The office has IPv6 alone; its users call each other, head office and branch",
    network=ipv6_only(),
    calls=(Call("alice", "bob"), Call("alice", "bea")),
    expect_signalling=frozenset({Flow.F2, Flow.F4}),
    expect_media=frozenset({Flow.F5}),
    expect_ip=frozenset({"IPv6"}),
)

#!/usr/bin/env -S sh -c 'exec "${0%/*}/../callpath" run "$0" "$@"'
"""The office has IPv6 alone, service and peer IPv4 alone: NAT64 and the relay.

Names get addresses by DNS64, packets by NAT64; the relay gives an IPv4 address, at which
the peer meets the office: Flow 4 and Flow 3.
"""

from scenarios.scenario import Call, Scenario
from topologies.ipv6 import ipv6_only_behind_nat64
from topologies.spec import Flow

scenario = Scenario(
    name="ipv6_only_nat64",
    title="The office has IPv6 alone, service and peer IPv4 alone: NAT64 and the relay",
    network=ipv6_only_behind_nat64(),
    calls=(Call("alice", "eve"),),
    policies={"office": "nat64_service_only"},
    expect_signalling=frozenset({Flow.F2, Flow.F3, Flow.F4}),
    expect_media=frozenset({Flow.F3, Flow.F4}),
    expect_ip=frozenset({"IPv4", "IPv6"}),
)

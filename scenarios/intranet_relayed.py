#!/usr/bin/env -S sh -c 'exec "${0%/*}/../callpath" run "$0" "$@"'
"""A head-office user calls a branch user; a firewall between them refuses UDP.

The media leaves through the perimeter to the relay and comes back: Flow 4 twice.
"""

from scenarios.scenario import Call, Scenario
from topologies.reference import office
from topologies.spec import Flow

scenario = Scenario(
    name="intranet_relayed",
    title="Head office and branch, with a firewall between them that refuses UDP",
    network=office(),
    calls=(Call("alice", "bea"),),
    policies={"branch": "branch_no_udp", "office": "service_only"},
    expect_signalling=frozenset({Flow.F2, Flow.F4}),
    expect_media=frozenset({Flow.F4}),
)

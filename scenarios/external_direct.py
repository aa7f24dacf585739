#!/usr/bin/env -S sh -c 'exec "${0%/*}/../callpath" run "$0" "$@"'
"""A head-office user calls a user at home; the perimeter lets UDP out.

The media goes straight to the home's NAT: Flow 2, which the office opens.
"""

from scenarios.scenario import Call, Scenario
from topologies.reference import office_and_homes
from topologies.spec import Flow

scenario = Scenario(
    name="external_direct",
    title="An office user calls a user at home; the perimeter lets media out",
    network=office_and_homes(),
    calls=(Call("alice", "eve"),),
    policies={"office": "udp_out"},
    expect_signalling=frozenset({Flow.F2, Flow.F3, Flow.F4}),
    expect_media=frozenset({Flow.F2}),
)

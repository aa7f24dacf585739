#!/usr/bin/env -S sh -c 'exec "${0%/*}/../callpath" run "$0" "$@"'
"""An office user and one at home could speak directly, but their clients may not.

Both use relayed candidates only (the ICE transport policy "relay", RFC 9429): Flow 4
from the office, Flow 3 from home, through both allocations.
"""

from scenarios.scenario import Call, Scenario
from topologies.reference import office_and_homes
from topologies.spec import Flow

scenario = Scenario(
    name="relay_only",
    title="A direct way is open, but the clients are told to use the relay only",
    network=office_and_homes(),
    calls=(Call("alice", "eve", relay_only=True),),
    policies={"office": "udp_out"},
    expect_signalling=frozenset({Flow.F2, Flow.F3, Flow.F4}),
    expect_media=frozenset({Flow.F3, Flow.F4}),
    expect_transport="udp",
    expect_allocated_by=frozenset({"alice", "eve"}),
)

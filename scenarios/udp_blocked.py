#!/usr/bin/env -S sh -c 'exec "${0%/*}/../callpath" run "$0" "$@"'
"""The office lets no UDP out, so its media goes to the relay over TCP.

The office user's own allocation must carry it, over TCP to port 443: Flow 4 from the
office, Flow 3 from home.
"""

from scenarios.scenario import Call, Scenario
from topologies.reference import office_and_homes
from topologies.spec import Flow

scenario = Scenario(
    name="udp_blocked",
    title="An office that lets no UDP out: TURN over TCP",
    network=office_and_homes(),
    calls=(Call("alice", "eve"),),
    policies={"office": "udp_blocked"},
    expect_signalling=frozenset({Flow.F2, Flow.F3, Flow.F4}),
    expect_media=frozenset({Flow.F3, Flow.F4}),
    expect_transport="tcp",
    expect_allocated_by=frozenset({"alice"}),
)

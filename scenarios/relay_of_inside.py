#!/usr/bin/env -S sh -c 'exec "${0%/*}/../callpath" run "$0" "$@"'
"""The office may reach the relay's own port only, so the inside user's allocation is used.

The outside user sends to the inside user's relayed address.
"""

from scenarios.scenario import Call, Scenario
from topologies.reference import office_and_homes
from topologies.spec import Flow

scenario = Scenario(
    name="relay_of_inside",
    title="The office user's own allocation carries the media",
    network=office_and_homes(),
    calls=(Call("alice", "eve"),),
    policies={"office": "service_only"},
    expect_signalling=frozenset({Flow.F2, Flow.F3, Flow.F4}),
    expect_media=frozenset({Flow.F3, Flow.F4}),
    expect_allocated_by=frozenset({"alice"}),
)

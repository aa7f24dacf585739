#!/usr/bin/env -S sh -c 'exec "${0%/*}/../callpath" run "$0" "$@"'
"""The home may reach the relay's own port only, so the outside user's allocation is used.

The office user sends to the outside user's relayed address.
"""

from scenarios.scenario import Call, Scenario
from topologies.reference import office_and_homes
from topologies.spec import Flow

scenario = Scenario(
    name="relay_of_outside",
    title="The outside user's allocation carries the media",
    network=office_and_homes(),
    calls=(Call("alice", "eve"),),
    policies={"office": "relay_range", "eve_home": "home_service_only"},
    expect_signalling=frozenset({Flow.F2, Flow.F3, Flow.F4}),
    expect_media=frozenset({Flow.F3, Flow.F4}),
    expect_allocated_by=frozenset({"eve"}),
)

#!/usr/bin/env -S sh -c 'exec "${0%/*}/../callpath" run "$0" "$@"'
"""An office user in the west calls a user at home in the east; both reach their relays only.

Each has an allocation at the nearest relay, so two relays carry the media, one after the
other: Flow 4 from the office, Flow 3 from home, and between them the service's backbone.
"""

from scenarios.scenario import Call, Scenario
from topologies.regions import three_regions
from topologies.spec import Flow

scenario = Scenario(
    name="relay_to_relay",
    title="Two regions, both ends forced to their relay: two relays carry the media",
    network=three_regions(),
    calls=(Call("alice", "eve"),),
    policies={"office": "regions_only", "eve_home": "home_regions_only"},
    expect_signalling=frozenset({Flow.F2, Flow.F3, Flow.F4}),
    expect_media=frozenset({Flow.F3, Flow.F4}),
    expect_allocated_by=frozenset({"alice", "eve"}),
)

#!/usr/bin/env -S sh -c 'exec "${0%/*}/../callpath" run "$0" "$@"'
"""Users in the west, the middle and the east call each other; each is served where it is.

One name for all front ends, and one for all relays: the resolver answers by where the
question comes from. Every user's round trips to the servers of all regions are measured, and
none is shorter than that to the chosen ones.
"""

from scenarios.scenario import Call, Scenario
from topologies.regions import three_regions
from topologies.spec import Flow

scenario = Scenario(
    name="nearest_front_end",
    title="Three regions: signalling goes to the front end closest to the user",
    network=three_regions(),
    calls=(Call("alice", "eve"), Call("eve", "nina")),
    policies={"office": "regions_udp_out"},
    expect_signalling=frozenset({Flow.F2, Flow.F3, Flow.F4}),
    expect_media=frozenset({Flow.F2, Flow.F6}),
)

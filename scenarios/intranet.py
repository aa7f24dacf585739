#!/usr/bin/env -S sh -c 'exec "${0%/*}/../callpath" run "$0" "$@"'
"""Users of one customer network call each other: in one LAN, and across the internal router.

The media must go straight from host to host (Flow 5) and never near the
perimeter; signalling leaves through it to the service (Flow 4), and so do the
forwarder's DNS queries (Flow 2).
"""

from scenarios.scenario import Call, Scenario
from topologies.reference import office
from topologies.spec import Flow

scenario = Scenario(
    name="intranet",
    title="Two office users call each other; media stays inside",
    network=office(),
    calls=(Call("alice", "bob"), Call("alice", "bea")),
    expect_signalling=frozenset({Flow.F2, Flow.F4}),
    expect_media=frozenset({Flow.F5}),
)

#!/usr/bin/env -S sh -c 'exec "${0%/*}/../callpath" run "$0" "$@"'
"""The relay of a call dies in its midst, and another takes its place.

Every allocation is lost with it, so no media comes through. The caller hears that,
allocates anew, and restarts ICE (RFC 8445, section 9): media goes on by another pair.
"""

from scenarios.scenario import Call, Dies, Scenario
from topologies.reference import office_and_homes
from topologies.spec import Flow

scenario = Scenario(
    name="relay_dies",
    title="The relay dies in mid-call and is started anew; ICE restarts",
    network=office_and_homes(),
    calls=(Call("alice", "eve", seconds=4),),
    deaths=(Dies("relay", after_seconds=1),),
    policies={"office": "service_only"},
    expect_signalling=frozenset({Flow.F2, Flow.F3, Flow.F4}),
    expect_media=frozenset({Flow.F3, Flow.F4}),
)

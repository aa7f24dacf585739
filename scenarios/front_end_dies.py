#!/usr/bin/env -S sh -c 'exec "${0%/*}/../callpath" run "$0" "$@"'
"""The front end dies when the callee has been told of the invite, before it answers.

It is started anew with what it had stored. Both clients try again until it is back, and
the call is set up as if nothing had happened.
"""

from scenarios.scenario import Call, Dies, Scenario
from topologies.reference import office_and_homes
from topologies.spec import Flow

scenario = Scenario(
    name="front_end_dies",
    title="The front end dies between invite and answer, and is started anew",
    network=office_and_homes(),
    calls=(Call("alice", "eve"),),
    deaths=(Dies("front_end"),),
    policies={"office": "udp_out"},
    expect_signalling=frozenset({Flow.F2, Flow.F3, Flow.F4}),
    expect_media=frozenset({Flow.F2}),
)

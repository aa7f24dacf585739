#!/usr/bin/env -S sh -c 'exec "${0%/*}/../callpath" run "$0" "$@"'
"""The outside user checks first; the office's NAT drops that packet, then lets its like in.

The office user's own check makes the mapping and its filter take in what comes
from the home. The media is Flow 2 all the same: the office opened it.
"""

from scenarios.scenario import Call, Scenario
from topologies.reference import office_and_homes
from topologies.spec import Flow

scenario = Scenario(
    name="reverse_first_packet",
    title="The first packet comes from outside and is dropped; the office's own opens the way",
    network=office_and_homes(),
    calls=(Call("alice", "eve", callee_checks_first=True),),
    policies={"office": "udp_out"},
    expect_signalling=frozenset({Flow.F2, Flow.F3, Flow.F4}),
    expect_media=frozenset({Flow.F2}),
    expect_refused_first="eve",
)

#!/usr/bin/env -S sh -c 'exec "${0%/*}/../callpath" run "$0" "$@"'
"""A user of a branch calls a user at home; the branch has a perimeter of its own.

Signalling and media leave the customer network there and not by way of the head office, and
the branch's forwarder asks from there: so the nearest edge is the branch's, not the office's.
"""

from scenarios.scenario import Call, Scenario
from topologies.regions import regions_with_breakout
from topologies.spec import Flow

scenario = Scenario(
    name="branch_breakout",
    title="A branch with a perimeter of its own: its users leave there",
    network=regions_with_breakout(),
    calls=(Call("bea", "eve"),),
    policies={"office": "regions_only", "breakout": "regions_udp_out"},
    expect_signalling=frozenset({Flow.F2, Flow.F3, Flow.F4}),
    expect_media=frozenset({Flow.F2}),
    expect_exits={"bea": "branch_nat"},
)

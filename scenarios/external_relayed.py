#!/usr/bin/env -S sh -c 'exec "${0%/*}/../callpath" run "$0" "$@"'
"""A head-office user calls a user at home; the perimeter refuses direct media.

The call must run through the relay: Flow 4 from the office, Flow 3 from home.
"""

from scenarios.scenario import Call, Scenario
from topologies.reference import office_and_homes
from topologies.spec import Flow

scenario = Scenario(
    name="external_relayed",
    title="An office user calls a user at home; the perimeter refuses direct media",
    network=office_and_homes(),
    calls=(Call("alice", "eve"),),
    policies={"office": "service_only"},
    expect_signalling=frozenset({Flow.F2, Flow.F3, Flow.F4}),
    expect_media=frozenset({Flow.F3, Flow.F4}),
)

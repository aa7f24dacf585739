#!/usr/bin/env -S sh -c 'exec "${0%/*}/../callpath" run "$0" "$@"'
"""Two users at home call each other; both NATs map independently of the endpoint.

Each opens its own NAT toward the other's mapped address: Flow 6.
"""

from scenarios.scenario import Call, Scenario
from topologies.reference import office_and_homes
from topologies.spec import Flow

scenario = Scenario(
    name="nomadic_direct",
    title="Two users at home call each other directly",
    network=office_and_homes(),
    calls=(Call("nina", "eve"),),
    expect_signalling=frozenset({Flow.F3}),
    expect_media=frozenset({Flow.F6}),
)

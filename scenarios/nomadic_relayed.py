#!/usr/bin/env -S sh -c 'exec "${0%/*}/../callpath" run "$0" "$@"'
"""Two users at home call each other; one NAT is symmetric, the other filters by port.

The symmetric NAT sends from a port that the other filter does not expect, so
the media goes through the relay: Flow 3 from both.
"""

from scenarios.scenario import Call, Scenario
from topologies.reference import office_and_homes
from topologies.spec import Flow, Nat

scenario = Scenario(
    name="nomadic_relayed",
    title="Two users at home, one behind a symmetric NAT: through the relay",
    network=office_and_homes(nina_nat=Nat.SYMMETRIC),
    calls=(Call("nina", "eve"),),
    expect_signalling=frozenset({Flow.F3}),
    expect_media=frozenset({Flow.F3}),
)

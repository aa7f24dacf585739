#!/usr/bin/env -S sh -c 'exec "${0%/*}/../callpath" run "$0" "$@"'
"""An office user calls a user at home; the office reaches the service by a private peering.

Signalling and media of the office cross no link of the internet: Flow 4, through the relay.
"""

from scenarios.scenario import Call, Scenario
from topologies.regions import regions_with_peering
from topologies.spec import Flow

scenario = Scenario(
    name="private_peering",
    title="A private peering: the office reaches the service without the internet",
    network=regions_with_peering(),
    calls=(Call("alice", "eve"),),
    policies={"office": "regions_only", "peering": "regions_only"},
    expect_signalling=frozenset({Flow.F2, Flow.F3, Flow.F4}),
    expect_media=frozenset({Flow.F3, Flow.F4}),
    expect_allocated_by=frozenset({"alice"}),
    expect_exits={"alice": "peer_nat"},
)

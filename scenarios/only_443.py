#!/usr/bin/env -S sh -c 'exec "${0%/*}/../callpath" run "$0" "$@"'
"""Only TCP to port 443 leaves the office, and the relay offers no plain TCP there.

The office user's own allocation must carry the media, over TLS to port 443: Flow 4 from
the office, Flow 3 from home.
"""

from scenarios.scenario import Call, Scenario
from topologies.parts import offering
from topologies.reference import office_and_homes
from topologies.spec import Flow

scenario = Scenario(
    name="only_443",
    title="An office that lets nothing out but TCP to port 443: TURN over TLS",
    network=offering(office_and_homes(), "udp", "tls"),
    calls=(Call("alice", "eve"),),
    policies={"office": "only_443"},
    expect_signalling=frozenset({Flow.F2, Flow.F3, Flow.F4}),
    expect_media=frozenset({Flow.F3, Flow.F4}),
    expect_transport="tls",
    expect_allocated_by=frozenset({"alice"}),
)

#!/usr/bin/env -S sh -c 'exec "${0%/*}/../callpath" run "$0" "$@"'
"""A head-office user behind a box that reads HTTPS cannot sign in, so there is no call.

The box ends her TLS under a CA of its own. She does not trust it, says so (unknown_ca), and
nothing of hers reaches the service: no Flow 4, and no media.
"""

from scenarios.scenario import Call, Scenario
from topologies.parts import inspected
from topologies.reference import office_and_homes
from topologies.spec import Flow, Inspection

scenario = Scenario(
    name="packet_inspection",
    title="A box that reads HTTPS at the perimeter: its certificate is refused, no call",
    network=inspected(office_and_homes(), "office", Inspection()),
    calls=(Call("alice", "eve"),),
    policies={"office": "udp_out"},
    expect_signalling=frozenset({Flow.F2, Flow.F3}),
    expect_media=frozenset(),
    expect_unsupported="packet inspection",
)

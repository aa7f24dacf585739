#!/usr/bin/env -S sh -c 'exec "${0%/*}/../callpath" run "$0" "$@"'
"""A head-office user calls a user at home, and a box at the perimeter looks into every packet.

It holds each for a while, not always as long. All arrives and the path is the same; what it
costs those who speak, compare tells beside a run of external_direct.
"""

from scenarios.scenario import Call, Scenario
from topologies.parts import impaired
from topologies.reference import office_and_homes
from topologies.spec import Flow

scenario = Scenario(
    name="packet_inspection_delay",
    title="A box that looks into every packet at the perimeter holds each for a while",
    network=impaired(office_and_homes(), "access", delay_ms=150, jitter_ms=30),
    calls=(Call("alice", "eve"),),
    policies={"office": "udp_out"},
    expect_signalling=frozenset({Flow.F2, Flow.F3, Flow.F4}),
    expect_media=frozenset({Flow.F2}),
)

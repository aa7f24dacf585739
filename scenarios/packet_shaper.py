#!/usr/bin/env -S sh -c 'exec "${0%/*}/../callpath" run "$0" "$@"'
"""A head-office user calls a user at home through a packet shaper at the office's perimeter.

It drops what comes in beyond a rate that the call exceeds, and has what goes out wait. The
documents do not support such devices; compare the run with one of external_direct.
"""

from scenarios.scenario import Call, Scenario
from topologies.parts import shaped
from topologies.reference import office_and_homes
from topologies.spec import Flow, Shaper

scenario = Scenario(
    name="packet_shaper",
    title="A packet shaper at the perimeter holds what goes out and drops what comes in",
    # Speech takes 50 packets a second in each direction, 166 kbit/s with Ethernet.
    network=shaped(
        office_and_homes(), "office", Shaper(police_packets=45, burst_packets=10, queue_kbit=155)
    ),
    calls=(Call("alice", "eve", seconds=4),),
    policies={"office": "udp_out"},
    expect_signalling=frozenset({Flow.F2, Flow.F3, Flow.F4}),
    expect_media=frozenset({Flow.F2}),
    expect_unsupported="packet shaper",
)

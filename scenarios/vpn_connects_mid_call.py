#!/usr/bin/env -S sh -c 'exec "${0%/*}/../callpath" run "$0" "$@"'
"""A user at home calls another; in mid-call he connects to the office's VPN.

He begins as any user outside (Flow 3, no tunnel). When the tunnel comes up, the
routes to the service change: signalling takes the tunnel from then on (Flow 2', and
4 from the office). Media is bound to the physical interface and goes on as it was.
"""

from scenarios.scenario import Call, ConnectVpn, Scenario
from topologies.reference import office_with_vpn
from topologies.spec import Flow

scenario = Scenario(
    name="vpn_connects_mid_call",
    title="A user connects to the VPN during a call; media stays where it was",
    network=office_with_vpn(),
    calls=(Call("vic", "eve", seconds=4),),
    connections=(ConnectVpn("office", "vic", after_seconds=1),),
    policies={"office": "service_only", "vpn": "vpn_media_bypass"},
    expect_signalling=frozenset({Flow.F2, Flow.F2_VPN, Flow.F3, Flow.F4}),
    expect_media=frozenset({Flow.F6}),
)

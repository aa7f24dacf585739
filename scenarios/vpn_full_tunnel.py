#!/usr/bin/env -S sh -c 'exec "${0%/*}/../callpath" run "$0" "$@"'
"""A VPN user calls an office user; everything, the relay and peers too, is routed into the tunnel.

Media takes the tunnel as well (Flow 2'): the classic mistake. No firewall refuses
anything, so that VPN users reach the relay from the office as well: with everything in
the tunnel they have no other way to it.
"""

from scenarios.scenario import Call, Scenario
from topologies.reference import EVERYTHING, office_with_vpn
from topologies.spec import Flow

scenario = Scenario(
    name="vpn_full_tunnel",
    title="Everything through the tunnel, the classic mistake",
    network=office_with_vpn(tunnelled=EVERYTHING),
    calls=(Call("vic", "alice"),),
    expect_signalling=frozenset({Flow.F2, Flow.F2_VPN, Flow.F4}),
    expect_media=frozenset({Flow.F2_VPN}),
    expect_unsupported="media over VPN",
)

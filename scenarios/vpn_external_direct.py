#!/usr/bin/env -S sh -c 'exec "${0%/*}/../callpath" run "$0" "$@"'
"""A VPN user calls a user at home who has no VPN.

Media goes around the tunnel, from home to home: Flow 6.
"""

from scenarios.scenario import Call, Scenario
from topologies.reference import office_with_vpn
from topologies.spec import Flow

scenario = Scenario(
    name="vpn_external_direct",
    title="A VPN user calls a user at home: directly, around the tunnel",
    network=office_with_vpn(),
    calls=(Call("vic", "eve"),),
    policies={"office": "service_only", "vpn": "vpn_media_bypass"},
    expect_signalling=frozenset({Flow.F2, Flow.F2_VPN, Flow.F3, Flow.F4}),
    expect_media=frozenset({Flow.F6}),
)

#!/usr/bin/env -S sh -c 'exec "${0%/*}/../callpath" run "$0" "$@"'
"""A VPN user calls an office user; the office lets UDP out.

Media goes around the tunnel, straight between the office and the user's home: Flow 2,
which the office opens.
"""

from scenarios.scenario import Call, Scenario
from topologies.reference import office_with_vpn
from topologies.spec import Flow

scenario = Scenario(
    name="vpn_internal_direct",
    title="A VPN user calls the office; UDP may leave it: directly, around the tunnel",
    network=office_with_vpn(),
    calls=(Call("vic", "alice"),),
    policies={"office": "udp_out", "vpn": "vpn_media_bypass"},
    expect_signalling=frozenset({Flow.F2, Flow.F2_VPN, Flow.F4}),
    expect_media=frozenset({Flow.F2}),
)

#!/usr/bin/env -S sh -c 'exec "${0%/*}/../callpath" run "$0" "$@"'
"""Two VPN users call each other, each from home.

With rules that keep media out of the tunnel they meet directly: Flow 6.
"""

from scenarios.scenario import Call, Scenario
from topologies.reference import office_with_vpn
from topologies.spec import Flow

scenario = Scenario(
    name="vpn_to_vpn",
    title="Two VPN users, each at home: directly, around both tunnels",
    network=office_with_vpn(),
    calls=(Call("vic", "vera"),),
    policies={"office": "service_only", "vpn": "vpn_media_bypass"},
    expect_signalling=frozenset({Flow.F2, Flow.F2_VPN, Flow.F4}),
    expect_media=frozenset({Flow.F6}),
)

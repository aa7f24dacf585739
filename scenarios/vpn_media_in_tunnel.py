#!/usr/bin/env -S sh -c 'exec "${0%/*}/../callpath" run "$0" "$@"'
"""A VPN user calls an office user; routes are right, but no rule keeps media out of the tunnel.

ICE gathers the tunnel's address too, and a pair through it works and wins: Flow 2',
which the documents do not support for media. The scenario expects exactly that.
"""

from scenarios.scenario import Call, Scenario
from topologies.reference import office_with_vpn
from topologies.spec import Flow

scenario = Scenario(
    name="vpn_media_in_tunnel",
    title="A VPN gateway without rules for media: it takes the tunnel",
    network=office_with_vpn(),
    calls=(Call("vic", "alice"),),
    policies={"office": "udp_out", "vpn": "vpn_open"},
    expect_signalling=frozenset({Flow.F2, Flow.F2_VPN, Flow.F4}),
    expect_media=frozenset({Flow.F2_VPN}),
    expect_unsupported="media over VPN",
)

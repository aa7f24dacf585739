#!/usr/bin/env -S sh -c 'exec "${0%/*}/../callpath" run "$0" "$@"'
"""A VPN user at home in the east calls his office in the west; his DNS goes through the tunnel.

The office's forwarder asks for him, so he is told the relay nearest to the office. Media goes
around the tunnel, from the east to the relay in the west, though one stands next to his home:
the well-known trap of VPN and DNS.
"""

from scenarios.scenario import Call, Scenario
from topologies.regions import regions_with_vpn
from topologies.spec import Flow

scenario = Scenario(
    name="vpn_far_office",
    title="A VPN user whose DNS goes through the tunnel gets the office's nearest relay",
    network=regions_with_vpn(),
    calls=(Call("vic", "alice"),),
    policies={"office": "regions_only", "vpn": "regions_vpn_bypass"},
    expect_signalling=frozenset({Flow.F2, Flow.F2_VPN, Flow.F4}),
    expect_media=frozenset({Flow.F3, Flow.F4}),
    expect_far_edge=frozenset({"vic"}),
)

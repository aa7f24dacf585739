#!/usr/bin/env -S sh -c 'exec "${0%/*}/../callpath" run "$0" "$@"'
"""A VPN user calls an office user; the office refuses direct UDP.

Signalling takes the tunnel (Flow 2') and leaves from the office (Flow 4). Media
goes around the tunnel to the relay (Flow 3), and from there to the office (Flow 4).
"""

from scenarios.scenario import Call, Scenario
from topologies.reference import office_with_vpn
from topologies.spec import Flow

scenario = Scenario(
    name="vpn_internal_relayed",
    title="A VPN user calls the office, which refuses UDP: around the tunnel by relay",
    network=office_with_vpn(),
    calls=(Call("vic", "alice"),),
    policies={"office": "service_only", "vpn": "vpn_media_bypass"},
    expect_signalling=frozenset({Flow.F2, Flow.F2_VPN, Flow.F4}),
    expect_media=frozenset({Flow.F3, Flow.F4}),
)

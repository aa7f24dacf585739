#!/usr/bin/env -S sh -c 'exec "${0%/*}/../callpath" run "$0" "$@"'
"""A user allocates at a relay that is not the service's, and the service refuses the invite.

Media of the service may pass the service's own relays only. The perimeter lets all UDP
out, so that nothing but the refusal keeps media from that relay.
"""

from scenarios.scenario import Call, Scenario
from topologies.reference import office_and_third_party
from topologies.spec import Flow

scenario = Scenario(
    name="third_party_relay",
    title="An invite with a third party's relay is refused, and no media goes there",
    network=office_and_third_party(),
    calls=(Call("alice", "eve", third_party_relay="ext_relay", refused="ThirdPartyRelay"),),
    policies={"office": "udp_out"},
    expect_signalling=frozenset({Flow.F2, Flow.F3, Flow.F4}),
    expect_media=frozenset(),
)

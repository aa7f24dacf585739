#!/usr/bin/env -S sh -c 'exec "${0%/*}/../callpath" run "$0" "$@"'
"""The credentials of a call's relay expire in its midst.

The caller gets new ones before that, allocates with them and restarts ICE; media goes over
to the new allocation without a break, and none passes the old one when its time is over.
"""

from scenarios.scenario import Call, Scenario
from topologies.reference import office_and_homes
from topologies.spec import Flow

scenario = Scenario(
    name="credential_expires",
    title="The relay's credentials expire in mid-call; the caller has new ones by then",
    network=office_and_homes(),
    calls=(Call("alice", "eve", seconds=9),),
    relay_ttl=10,
    policies={"office": "service_only"},
    expect_signalling=frozenset({Flow.F2, Flow.F3, Flow.F4}),
    expect_media=frozenset({Flow.F3, Flow.F4}),
)

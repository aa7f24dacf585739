#!/usr/bin/env -S sh -c 'exec "${0%/*}/../callpath" run "$0" "$@"'
"""Only the office's HTTP proxy reaches the outside: signalling and media both go by CONNECT.

It is the proxy that asks for names (Flow 2), and what it opens toward the service are the
office's Flows 4.
"""

from scenarios.scenario import Call, Scenario
from topologies.reference import office_with_proxy
from topologies.spec import Flow

scenario = Scenario(
    name="proxy_only",
    title="An office that only its HTTP proxy can leave: TURN over TLS by CONNECT",
    network=office_with_proxy(),
    calls=(Call("alice", "eve"),),
    policies={"office": "proxy_only"},
    expect_signalling=frozenset({Flow.F2, Flow.F3, Flow.F4}),
    expect_media=frozenset({Flow.F3, Flow.F4}),
    expect_transport="proxy",
    expect_allocated_by=frozenset({"alice"}),
)

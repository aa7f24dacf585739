#!/usr/bin/env -S sh -c 'exec "${0%/*}/../callpath" run "$0" "$@"'
"""As proxy_only, but the proxy asks for a login.

Client and proxy say it once a connection, in the CONNECT itself (Basic, RFC 7617): with a
wrong one nothing passes, neither signalling nor media.
"""

from scenarios.scenario import Call, Scenario
from topologies.reference import office_with_proxy
from topologies.spec import Flow

scenario = Scenario(
    name="proxy_with_login",
    title="An office with an HTTP proxy that asks for a login",
    network=office_with_proxy(login=True),
    calls=(Call("alice", "eve"),),
    policies={"office": "proxy_only"},
    expect_signalling=frozenset({Flow.F2, Flow.F3, Flow.F4}),
    expect_media=frozenset({Flow.F3, Flow.F4}),
    expect_transport="proxy",
    expect_allocated_by=frozenset({"alice"}),
)

#!/usr/bin/env -S sh -c 'exec "${0%/*}/../callpath" run "$0" "$@"'
"""An office user and one at home chat during a call; the perimeter refuses direct media.

Chat is signalling: it goes both ways over the connections that the call's own
signalling has opened (Flow 4 from the office, Flow 3 from home), and opens nothing new.
"""

from scenarios.scenario import Call, Scenario
from topologies.reference import office_and_homes
from topologies.spec import Flow

scenario = Scenario(
    name="chat_in_call",
    title="An office user and one at home chat during a call; nothing new is opened",
    network=office_and_homes(),
    calls=(Call("alice", "eve", chat=("Can you see the plan?", "Yes.", "Page 2!", "Got it.")),),
    policies={"office": "service_only"},
    expect_signalling=frozenset({Flow.F2, Flow.F3, Flow.F4}),
    expect_media=frozenset({Flow.F3, Flow.F4}),
)

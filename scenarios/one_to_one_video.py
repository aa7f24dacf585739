#!/usr/bin/env -S sh -c 'exec "${0%/*}/../callpath" run "$0" "$@"'
"""An office user and one at home talk, see each other and share their screens, directly.

All streams share one transport (BUNDLE), so all of them must take the way that ICE
selected: Flow 2, which the office opens.
"""

from results.schema import StreamKind
from scenarios.scenario import Call, Scenario
from topologies.reference import office_and_homes
from topologies.spec import Flow

scenario = Scenario(
    name="one_to_one_video",
    title="Audio, camera and screen share in one call, straight to the home",
    network=office_and_homes(),
    calls=(Call("alice", "eve", streams=(StreamKind.AUDIO, StreamKind.CAMERA, StreamKind.SCREEN)),),
    policies={"office": "udp_out"},
    expect_signalling=frozenset({Flow.F2, Flow.F3, Flow.F4}),
    expect_media=frozenset({Flow.F2}),
)

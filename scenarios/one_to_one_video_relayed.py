#!/usr/bin/env -S sh -c 'exec "${0%/*}/../callpath" run "$0" "$@"'
"""The same streams as in one_to_one_video, where the perimeter refuses direct media.

A scenario of its own, because what is expected of media is an exact set of flows for a
whole run: in one run a direct call could hide that a relayed one went elsewhere.
"""

from results.schema import StreamKind
from scenarios.scenario import Call, Scenario
from topologies.reference import office_and_homes
from topologies.spec import Flow

scenario = Scenario(
    name="one_to_one_video_relayed",
    title="Audio, camera and screen share in one call, through the relay",
    network=office_and_homes(),
    calls=(Call("alice", "eve", streams=(StreamKind.AUDIO, StreamKind.CAMERA, StreamKind.SCREEN)),),
    policies={"office": "service_only"},
    expect_signalling=frozenset({Flow.F2, Flow.F3, Flow.F4}),
    expect_media=frozenset({Flow.F3, Flow.F4}),
)

"""Routers that lose or delay media on purpose: the numbers show it, at the right hop."""

import json
import sys
from pathlib import Path

import pytest

from results.measured import Hop
from results.schema import MediaPath, Result
from scenarios import runner
from scenarios.scenario import Call, Scenario
from topologies.reference import office
from topologies.spec import Flow

SCENARIO = Scenario(
    name="impaired",
    title="Head office and branch, by a router that does not do well",
    network=office(),
    calls=(Call("alice", "bea"),),
    expect_signalling=frozenset({Flow.F2, Flow.F4}),
    expect_media=frozenset({Flow.F5}),
)

#: Media is what is RTP on UDP: version 2 (RFC 3550) in the first byte after UDP's header. The
#: number of a DNS answer can look the same.
MEDIA = "udp sport != 53 udp length > 60 @th,64,2 2"

#: Drops one in five of the media packets that the router forwards to the branch.
LOSSY = (
    "table inet lossy { chain forward { type filter hook forward priority 0; "
    f'oifname "core-eth1" {MEDIA} numgen random mod 5 == 0 drop; }}; }}'
)


def run_with(runs: Path, monkeypatch: pytest.MonkeyPatch, *argv: str) -> Result:
    """Run the call while the core router has been told so."""
    stage = (sys.executable, "-sP", "-m", "tests.lab.impaired", json.dumps([["core", argv]]))
    monkeypatch.setattr(runner, "STAGE", stage)
    return runner.run(SCENARIO, runner.Conditions({}), runs, lambda _: None)


def to_branch(result: Result) -> MediaPath:
    (path,) = (path for path in result.calls[0].media if path.from_ == "alice")
    return path


def back(result: Result) -> MediaPath:
    (path,) = (path for path in result.calls[0].media if path.from_ == "bea")
    return path


def through_core(path: MediaPath) -> tuple[Hop, list[Hop]]:
    """The hop through the core router, and the others."""
    (hop,) = (hop for hop in path.hops if {hop.from_, hop.to} == {"core-eth0", "core-eth1"})
    return hop, [other for other in path.hops if other != hop]


def test_a_router_that_loses_one_packet_in_five(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run_with(runs, monkeypatch, "nft", LOSSY)
    path = to_branch(result)
    lossy, others = through_core(path)
    # Of 100 packets, fewer than one run in 100,000 loses fewer than 3 or more than 41.
    assert 3 <= lossy.lost <= 41
    assert {hop.lost for hop in others} == {0}
    assert path.quality
    assert path.quality.lost == lossy.lost
    assert path.quality.expected == lossy.packets == path.packets + lossy.lost
    assert 1 <= path.quality.longest_burst <= lossy.lost
    assert {hop.lost for hop in back(result).hops} == {0}


def test_a_router_with_a_slow_line(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token bucket that is refilled more slowly than media comes: a queue, and no loss."""
    slow = "tc qdisc add dev core-eth1 root tbf rate 150kbit burst 1600 limit 100000"
    result = run_with(runs, monkeypatch, *slow.split())
    path = to_branch(result)
    queue, others = through_core(path)
    assert queue.delay_ms > 10 * max(hop.delay_ms for hop in others)
    assert queue.delay_p99_ms > queue.delay_ms > 5
    assert path.quality
    assert path.quality.delay_ms == pytest.approx(queue.delay_ms, rel=0.2)
    assert (path.quality.lost, queue.lost) == (0, 0)
    assert through_core(back(result))[0].delay_ms < 5

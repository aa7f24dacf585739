"""Calls with camera and screen share: every stream by the way of the call, and its opposite."""

import json
import sys
from itertools import product
from pathlib import Path

import pytest

from results.schema import MediaPath, Result, StreamKind, Verdict
from scenarios import runner
from scenarios.scenario import Scenario, find
from topologies.spec import Flow

#: Scenario -> the flows of all its media, and the relay that carries it.
_EXPECTED = {
    "one_to_one_video": ({Flow.F2}, None),
    "one_to_one_video_relayed": ({Flow.F3, Flow.F4}, "relay"),
}

_ALL = (StreamKind.AUDIO, StreamKind.CAMERA, StreamKind.SCREEN)


def _run(scenario: Scenario, runs: Path) -> Result:
    conditions = runner.Conditions(scenario.policies_with({}))
    return runner.run(scenario, conditions, runs, lambda _: None)


def _streams(result: Result) -> dict[tuple[str, StreamKind | None], MediaPath]:
    (call,) = result.calls
    return {(path.from_, path.stream): path for path in call.media if path.repeats is None}


@pytest.mark.parametrize("name", _EXPECTED)
def test_each_stream_takes_the_way_of_the_call(name: str, runs: Path) -> None:
    result = _run(find(name), runs)
    flows, relay = _EXPECTED[name]
    assert result.verdict is Verdict.PASS, result.reason
    found = _streams(result)
    assert set(found) == set(product(("alice", "eve"), _ALL))
    assert len({path.ssrc for path in found.values()}) == len(found)
    for path in found.values():
        assert (set(path.flows), path.relayed_by) == (flows, relay)
        assert path.packets == path.authenticated > 0
        assert path.quality
        assert path.quality.expected >= path.packets
    assert _shown(runs / result.run, "alice") == {320: "eve", 640: "eve"}
    assert _shown(runs / result.run, "eve") == {320: "alice", 640: "alice"}


def _shown(folder: Path, user: str) -> dict[int, str]:
    """Whose name a user read in the first picture of each width."""
    lines = (folder / "events" / f"{user}.jsonl").read_text(encoding="utf-8").splitlines()
    events = [json.loads(line) for line in lines]
    return {event["width"]: event["shows"] for event in events if event["event"] == "picture"}


def test_a_declared_screen_that_is_never_shown_fails(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "STAGE", (sys.executable, "-sP", "-m", "tests.lab.silent_screen"))
    result = _run(find("one_to_one_video"), runs)
    assert result.verdict is Verdict.FAIL
    for user, other in (("alice", "eve"), ("eve", "alice")):
        assert f"declares the screen of {user} (SSRC 0x" in result.reason
        assert f"of which nothing arrived at {other}" in result.reason
    assert {stream for _, stream in _streams(result)} == {StreamKind.AUDIO, StreamKind.CAMERA}

"""What an assessment that took place shows: the office let the web out, and no UDP."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from results.assessment.assess import assess, jitter
from results.schema import RunFolder, RunFolderError
from tests.results.recorded import change_json, keep, unpack

#: UDP in an IPv4 packet, at its place in a frame.
_UDP, _PROTOCOL = 17, 23

Change = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack(tmp_path_factory.mktemp("assessed"), "assessed")


@pytest.fixture
def folder(unpacked: Path, tmp_path: Path) -> Path:
    """The stored run, for a test to change as it likes."""
    return shutil.copytree(unpacked, tmp_path / "run")


def test_what_the_captures_show(unpacked: Path) -> None:
    found = assess(unpacked, "alice")
    assert found.doubts == ()
    front_end, telemetry, relay = found.ways
    for way in (front_end, telemetry):
        assert (way.works, way.because, way.sent, way.answered) == (True, "HTTP 404", 11, 11)
        assert way.loss == 0
        assert way.least_ms is not None
        assert way.median_ms is not None
        assert way.least_ms <= way.median_ms
        assert way.shown_by
        assert way.shown_by.tap == "alice-eth0"
    assert (relay.works, relay.sent, relay.answered, relay.loss) == (False, 50, 0, 1.0)
    assert (relay.by, relay.rule) == ("office", "no_udp")
    assert relay.because == "UDP was never needed"
    assert (relay.least_ms, relay.median_ms, relay.jitter_ms) == (None, None, None)
    assert found.lacking == (relay,)


def _say(folder: Path, edge: str, **change: Any) -> None:
    """The same run, of which the prober says something else."""
    path = RunFolder(folder).events("alice")
    events = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    events = [event | (change if event.get("edge") == edge else {}) for event in events]
    path.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")


@pytest.mark.parametrize(
    ("edge", "change", "said"),
    [
        ("front_end", {"answered": 12}, "12 probes were answered; the captures show 11"),
        ("front_end", {"answered": 9}, "9 probes were answered; the captures show 11"),
        ("front_end", {"round_trips_ms": [0.001]}, "it answers sooner than the captures show"),
        ("relay", {"answered": 1}, "1 probes were answered; the captures show 0"),
        ("relay", {"used": "203.0.113.9:50000"}, "203.0.113.9:50000; the captures show no such"),
    ],
)
def test_claims_that_the_captures_do_not_show(
    folder: Path, edge: str, change: dict[str, Any], said: str
) -> None:
    _say(folder, edge, **change)
    (doubt,) = assess(folder, "alice").doubts
    assert doubt.startswith(f"alice says of {edge} over ")
    assert said in doubt


def test_a_way_has_no_probes_but_those_of_its_turn(folder: Path) -> None:
    """TCP and TLS to a relay lead to one port."""
    path = RunFolder(folder).events("alice")
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    (front_end,) = (line for line in lines if json.loads(line).get("edge") == "front_end")
    path.write_text("".join([*lines, front_end]), encoding="utf-8")
    found = assess(folder, "alice")
    assert (found.ways[0].sent, found.ways[-1].sent) == (11, 0)
    counted, used = found.doubts
    assert counted.endswith("10 probes were answered; the captures show 0")
    assert used.endswith("HTTP 404; the captures show no such answer")


def test_an_answer_that_the_captures_do_not_have_is_none(folder: Path) -> None:
    _say(folder, "relay", answered=50, used="203.0.113.9:50000")
    *_, relay = assess(folder, "alice").ways
    assert not relay.works


def test_a_loss_that_no_rule_explains_names_the_place(folder: Path) -> None:
    change_json(folder / "run.json", lambda run: run.update(policies={}))
    *_, relay = assess(folder, "alice").ways
    assert (relay.by, relay.rule) == (None, None)
    assert relay.because.startswith("left core-eth")
    assert "and was not seen to arrive" in relay.because


def test_probes_that_a_capture_has_missed_are_a_gap(folder: Path) -> None:
    keep(folder, "alice-eth0", lambda frame: frame[_PROTOCOL] != _UDP)
    doubts = assess(folder, "alice").doubts
    assert any("alice-eth0" in doubt for doubt in doubts)


def test_dropped_packets_are_a_doubt(folder: Path) -> None:
    change_json(folder / "ending.json", lambda end: end["taps"]["alice-eth0"].update(dropped=1))
    assert assess(folder, "alice").doubts == ("alice-eth0 dropped 1 packet",)


def test_a_host_that_tried_nothing_is_named(folder: Path) -> None:
    with pytest.raises(RunFolderError, match=r"bob\.jsonl does not tell what bob tried"):
        assess(folder, "bob")


@pytest.mark.parametrize(
    ("trips", "expected"),
    [([], None), ([5.0], None), ([5.0, 5.0, 5.0], 0.0), ([5.0, 7.0, 4.0], 2.5)],
)
def test_jitter_is_the_mean_difference_of_successive_round_trips(
    trips: list[float], expected: float | None
) -> None:
    assert jitter(trips) == expected

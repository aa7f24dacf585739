"""Calls that went on over a death or an expiry, as they took place and otherwise told."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from results.expiries import of_expiries
from results.judge import examine, judge
from results.schema import RunFolder, Verdict
from tests.results.recorded import change_json, reseal, told_then, unpack

NAMES = ("relay_dies", "front_end_dies", "credential_expires")

CALL = "1-alice-eve"

Change = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {name: unpack(tmp_path_factory.mktemp("recorded"), name) for name in NAMES}


@pytest.fixture
def copy_of(unpacked: dict[str, Path], tmp_path: Path) -> Callable[[str], Path]:
    """Makes a stored run into one that a test may change as it likes."""
    return lambda name: shutil.copytree(unpacked[name], tmp_path / name)


@pytest.mark.parametrize("name", NAMES)
def test_a_stored_run_is_judged_as_it_was(unpacked: dict[str, Path], name: str) -> None:
    result = judge(unpacked[name])
    assert result.verdict is Verdict.PASS, result.reason
    folder = unpacked[name]
    assert told_then(result, folder) == RunFolder(folder).read_result()


def test_a_relays_death_interrupts_media_until_ice_has_restarted(
    unpacked: dict[str, Path],
) -> None:
    result = judge(unpacked["relay_dies"])
    (call,) = result.calls
    (restart,) = call.restarts
    assert restart.offered_by == "alice"
    first, then = call.selected["alice"].local, restart.selected["alice"].local
    assert first.type == then.type == "relay"
    assert first.port != then.port
    assert {(gap.from_, gap.to) for gap in call.interruptions} == {
        ("alice", "eve"),
        ("eve", "alice"),
    }
    # Clients wait for 3 seconds before they restart, and then 2 for direct pairs.
    assert all(5 < gap.seconds < 8 for gap in call.interruptions)
    assert "relay died 1.1 s into media and was started anew" in result.reason


def test_no_interruption_where_ice_restarts_in_time(unpacked: dict[str, Path]) -> None:
    result = judge(unpacked["credential_expires"])
    (call,) = result.calls
    assert [restart.offered_by for restart in call.restarts] == ["alice"]
    assert call.interruptions == ()
    assert "the credentials of alice's allocation expired" in result.reason


def _later(seconds: float) -> Change:
    """The same outage at another time."""

    def change(ending: dict[str, Any]) -> None:
        for outage in ending["outages"]:
            for moment in ("killed", "gone", "started"):
                outage[moment] += seconds

    return change


def _without_outages(ending: dict[str, Any]) -> None:
    ending["outages"] = []


@pytest.mark.parametrize(
    ("name", "change", "verdict", "said"),
    [
        (
            "relay_dies",
            _without_outages,
            "INCONCLUSIVE",
            "relay was to die, but ending.json does not tell when it did",
        ),
        (
            "relay_dies",
            _without_outages,
            "INCONCLUSIVE",
            "reached relay-eth0 and were never seen to go on",
        ),
        ("relay_dies", _later(-0.5), "INCONCLUSIVE", "relay is said to have died, but kept an"),
        ("relay_dies", _later(3), "INCONCLUSIVE", "reached relay-eth0 and were never seen"),
        ("front_end_dies", _later(60), "FAIL", f"front_end died after the answer of call {CALL}"),
        ("front_end_dies", _later(60), "FAIL", "the captures show no try of alice to reach it"),
        (
            "front_end_dies",
            _later(-60),
            "FAIL",
            "front_end was to die in mid-call, but the captures show nothing of it before",
        ),
        (
            "front_end_dies",
            _later(-60),
            "FAIL",
            f"front_end died before the callee of call {CALL} rang",
        ),
    ],
)
def test_another_time_of_death_does_not_fit_the_captures(
    copy_of: Callable[[str], Path], name: str, change: Change, verdict: str, said: str
) -> None:
    folder = copy_of(name)
    change_json(folder / "ending.json", change)
    reseal(folder)
    result = judge(folder)
    assert result.verdict == verdict
    assert said in result.reason


def _alive_for_longer(ending: dict[str, Any]) -> None:
    ending["outages"][0]["gone"] -= 1
    ending["outages"][0]["killed"] -= 1


def test_who_is_dead_does_not_speak(copy_of: Callable[[str], Path]) -> None:
    folder = copy_of("relay_dies")
    change_json(folder / "ending.json", _alive_for_longer)
    reseal(folder)
    result = judge(folder)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "relay is said to be dead, but speaks (frame " in result.reason


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("relay_dies", {"deaths": []}),
        ("credential_expires", {"relay_ttl": None}),
    ],
)
def test_a_restart_without_a_reason_is_none_of_the_plan(
    copy_of: Callable[[str], Path], name: str, change: dict[str, Any]
) -> None:
    folder = copy_of(name)
    change_json(folder / "run.json", lambda run: run.update(change))
    reseal(folder)
    result = judge(folder)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert f"alice restarted the ICE of call {CALL} (frame " in result.reason
    assert "although nothing was to happen to it" in result.reason


def _events(folder: Path, change: Callable[[list[dict[str, Any]]], None]) -> None:
    path = RunFolder(folder).events("alice")
    events = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    change(events)
    path.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
    reseal(folder)


def _last_claim(events: list[dict[str, Any]]) -> dict[str, Any]:
    return [event for event in events if event["event"] == "selected"][-1]


def test_the_claim_after_a_restart_must_be_true(copy_of: Callable[[str], Path]) -> None:
    folder = copy_of("relay_dies")
    _events(folder, lambda events: _last_claim(events)["remote"].update(port=9))
    result = judge(folder)
    assert result.verdict is Verdict.FAIL
    assert "alice claims the remote end" in result.reason
    assert f"as selected in call {CALL}#1" in result.reason


def test_a_claim_after_a_restart_must_be_there(copy_of: Callable[[str], Path]) -> None:
    folder = copy_of("relay_dies")
    _events(folder, lambda events: events.remove(_last_claim(events)))
    result = judge(folder)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert f"alice left no claim of the pair that it selected in call {CALL}#1" in result.reason


def test_who_gives_a_call_up_is_told_with_the_reason(copy_of: Callable[[str], Path]) -> None:
    folder = copy_of("relay_dies")
    gave_up = {"event": "lost", "time": 0, "call": CALL, "because": "no media for 15 s"}
    _events(folder, lambda events: events.append(gave_up))
    result = judge(folder)
    assert result.verdict is Verdict.FAIL
    assert f"alice gave up call {CALL}: no media for 15 s" in result.reason
    assert result.calls[0].lost == {"alice": "no media for 15 s"}


def test_media_must_leave_an_allocation_before_its_credentials_expire(
    unpacked: dict[str, Path],
) -> None:
    judged = examine(unpacked["credential_expires"])
    scenery = judged.reading.scenery(judged.evidence.calls)
    assert of_expiries(scenery).problems == ()
    sooner = [
        replace(each, expires=None if each.expires is None else each.expires - 3)
        for each in scenery.turn.allocations
    ]
    turn = replace(scenery.turn, allocations=tuple(sooner))
    problems = of_expiries(replace(scenery, turn=turn)).problems
    assert len(problems) == 2
    for problem in problems:
        assert "passed the allocation of alice after its credentials had expired" in problem.text


def test_credentials_that_do_not_expire_prove_nothing(copy_of: Callable[[str], Path]) -> None:
    folder = copy_of("relay_dies")
    change_json(folder / "run.json", lambda run: run.update(relay_ttl=8))
    reseal(folder)
    result = judge(folder)
    assert result.verdict is Verdict.FAIL
    assert f"no relay credentials expired while media of call {CALL} went on" in result.reason

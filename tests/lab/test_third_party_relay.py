"""An invite with a third party's relay is refused, and the opposites: no refusal, or no plan."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from results.schema import Result, Verdict
from scenarios import runner
from scenarios.scenario import Call, Scenario, find
from topologies.spec import Flow

_RELAY = "198.51.100.54"


@pytest.fixture
def scenario() -> Scenario:
    return find("third_party_relay")


def _run(scenario: Scenario, runs: Path) -> Result:
    conditions = runner.Conditions(scenario.policies_with({}))
    return runner.run(scenario, conditions, runs, lambda _: None)


def _events(folder: Path, user: str) -> list[dict[str, Any]]:
    lines = (folder / "events" / f"{user}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_the_invite_is_refused_and_no_media_passes_that_relay(
    scenario: Scenario, runs: Path
) -> None:
    result = _run(scenario, runs)
    assert result.verdict is Verdict.PASS, result.reason
    (call,) = result.calls
    assert call.refused
    assert (call.refused.status, call.refused.code) == (403, "ThirdPartyRelay")
    assert _RELAY in call.refused.message
    assert (call.refused.relay, call.media, result.media_flows) == ("ext_relay", (), ())
    assert call.refused.relay_packets
    assert [step.name for step in call.steps] == ["resolve", "allocate", "invite"]
    assert call.steps[1].flows == (Flow.F2,)


def test_the_client_tells_why(scenario: Scenario, runs: Path) -> None:
    result = _run(scenario, runs)
    (told,) = (e for e in _events(runs / result.run, "alice") if e["event"] == "refused")
    (call,) = result.calls
    assert call.refused
    assert (told["code"], told["reason"]) == (call.refused.code, call.refused.message)
    assert [event["event"] for event in _events(runs / result.run, "eve")] == ["ready", "ended"]


def test_an_edge_that_does_not_refuse_fails(
    scenario: Scenario, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "STAGE", (sys.executable, "-sP", "-m", "tests.lab.lenient_edge"))
    result = _run(scenario, runs)
    assert result.verdict is Verdict.FAIL
    assert "of alice to eve was not refused by the service" in result.reason
    assert "unexpected media Flow 2" in result.reason


def test_a_client_that_uses_the_services_relay_is_not_refused_and_fails(
    scenario: Scenario, runs: Path
) -> None:
    (call,) = scenario.calls
    result = _run(replace(scenario, calls=(replace(call, third_party_relay=None),)), runs)
    assert result.verdict is Verdict.FAIL
    assert "of alice to eve was not refused by the service" in result.reason


def test_a_refusal_that_nobody_planned_fails(scenario: Scenario, runs: Path) -> None:
    calls = (Call("alice", "eve", third_party_relay="ext_relay"),)
    result = _run(replace(scenario, calls=calls, expect_media=frozenset({Flow.F2})), runs)
    assert result.verdict is Verdict.FAIL
    assert "was refused by the service: 403 ThirdPartyRelay: " in result.reason
    assert "expected media Flow 2 was not seen" in result.reason

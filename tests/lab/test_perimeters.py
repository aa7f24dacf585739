"""The firewall and the NATs decide the path: each scenario, and its opposite."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.lab.support import callpath, results_of

#: Scenario -> signalling flows, media flows, the relay that carries the media.
_EXPECTED: dict[str, tuple[list[str], list[str], str | None]] = {
    "external_relayed": (["2", "3", "4"], ["3", "4"], "relay"),
    "external_direct": (["2", "3", "4"], ["2"], None),
    "nomadic_direct": (["3"], ["6"], None),
    "nomadic_relayed": (["3"], ["3"], "relay"),
    "intranet_relayed": (["2", "4"], ["4"], "relay"),
    "chat_in_call": (["2", "3", "4"], ["3", "4"], "relay"),
    "relay_of_inside": (["2", "3", "4"], ["3", "4"], "relay"),
    "relay_of_outside": (["2", "3", "4"], ["3", "4"], "relay"),
}


def _run(runs: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    process = callpath("run", *arguments, "--json", "--runs", str(runs))
    (result,) = results_of(process)
    return process.returncode, result


def _counters(runs: Path, result: dict[str, Any], kind: str) -> dict[str, dict[str, int]]:
    ending = json.loads((runs / result["run"] / "ending.json").read_text(encoding="utf-8"))
    counters: dict[str, dict[str, int]] = ending[kind]
    return counters


@pytest.mark.parametrize("scenario", _EXPECTED)
def test_each_scenario_has_exactly_its_flows(scenario: str, runs: Path) -> None:
    code, result = _run(runs, scenario)
    signalling, media, relay = _EXPECTED[scenario]
    assert result["verdict"] == "PASS", result["reason"]
    assert code == 0
    assert result["signalling_flows"] == signalling
    assert result["media_flows"] == media
    paths = [path for call in result["calls"] for path in call["media"]]
    assert {path["relayed_by"] for path in paths} == {relay}
    assert all(path["packets"] == path["authenticated"] > 90 for path in paths)


def test_without_udp_out_the_direct_call_is_relayed_and_fails(runs: Path) -> None:
    code, result = _run(runs, "external_direct", "--policy", "office=service_only")
    assert code == 1
    assert result["verdict"] == "FAIL"
    assert result["media_flows"] == ["3", "4"]
    assert "expected media Flow 2 was not seen" in result["reason"]


def test_with_udp_out_the_relayed_call_is_direct_and_fails(runs: Path) -> None:
    code, result = _run(runs, "external_relayed", "--policy", "office=udp_out")
    assert code == 1
    assert result["media_flows"] == ["2"]


def test_without_the_branch_firewall_media_stays_inside(runs: Path) -> None:
    code, result = _run(runs, "intranet_relayed", "--policy", "branch=branch_open")
    assert code == 1
    assert result["media_flows"] == ["5"]


def test_the_refusing_rule_and_the_nat_have_counted(runs: Path) -> None:
    _, result = _run(runs, "external_relayed")
    office = _counters(runs, result, "firewalls")["office"]
    assert office["no_direct_media"] > 0
    assert office["turn"] > 0
    assert office["default_deny"] == 0
    assert office["other_frames"] == 0, "a canary crosses its own link only"
    assert _counters(runs, result, "nats")["office_nat"]["outward"] > 0


def test_the_allowing_rule_has_counted(runs: Path) -> None:
    _, result = _run(runs, "external_direct")
    office = _counters(runs, result, "firewalls")["office"]
    assert office["direct_media"] > 0
    assert "no_direct_media" not in office

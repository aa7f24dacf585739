"""The scenario for real: as root, as an ordinary user, and two at once."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from results.schema import RunFolder
from tests.lab.support import callpath, results_of

_STEPS = [
    "resolve",
    "allocate",
    "invite",
    "notify",
    "allocate",
    "answer",
    "check",
    "telemetry",
]


def _assert_flow_5(result: dict[str, Any]) -> None:
    assert result["verdict"] == "PASS", result["reason"]
    assert result["signalling_flows"] == ["2", "4"]
    assert result["media_flows"] == ["5"]
    for call in result["calls"]:
        assert [step["name"] for step in call["steps"]] == _STEPS
        times = [step["time"] for step in call["steps"]]
        assert times == sorted(times)
        assert all(path["packets"] == path["authenticated"] > 90 for path in call["media"])


def test_office_calls_take_flow_5(rootless: bool, runs: Path, result_schema: Any) -> None:
    process = callpath("run", "intranet", "--json", "--runs", str(runs), rootless=rootless)
    (result,) = results_of(process)
    jsonschema.validate(result, result_schema)
    _assert_flow_5(result)
    assert process.returncode == 0
    assert [call["participants"] for call in result["calls"]] == [
        ["alice", "bob"],
        ["alice", "bea"],
    ]
    across = [path["taps"] for path in result["calls"][1]["media"] if path["from"] == "alice"]
    assert across == [
        [
            "alice-eth0",
            "core-eth0",
            "core-eth1",
            "branch_rtr-eth1",
            "branch_rtr-eth0",
            "bea-eth0",
        ]
    ]


def test_judging_the_stored_run_prints_the_same_result(runs: Path) -> None:
    (result,) = results_of(callpath("run", "intranet", "--json", "--runs", str(runs)))
    folder = runs / result["run"]
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    (again,) = results_of(callpath("judge", str(folder), "--json"))
    assert again == result
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_flows_and_steps_do_not_need_the_agents_event_logs(runs: Path) -> None:
    (result,) = results_of(callpath("run", "intranet", "--json", "--runs", str(runs)))
    folder = runs / result["run"]
    for log in (folder / "events").iterdir():
        log.unlink()
    (folder / "seal.json").unlink()
    RunFolder(folder).seal()
    (again,) = results_of(callpath("judge", str(folder), "--json"))
    for key in ("signalling_flows", "media_flows", "calls"):
        assert again[key] == result[key]
    assert again["verdict"] == "INCONCLUSIVE"


def test_two_worlds_go_side_by_side(runs: Path) -> None:
    processes = [callpath("run", "intranet", "--json", "--runs", str(runs)) for _ in range(2)]
    results = [result for process in processes for result in results_of(process)]
    assert len({result["run"] for result in results}) == 2
    for result in results:
        _assert_flow_5(result)


@pytest.fixture
def result_schema() -> Any:
    """The published JSON schema of results."""
    import json

    from tests.lab.support import CHECKOUT

    return json.loads((CHECKOUT / "results" / "result.schema.json").read_text(encoding="utf-8"))

"""Servers that die and do not come back: the call ends, and both ends say why."""

from pathlib import Path
from typing import Any

import pytest

from results.schema import RunFolder
from tests.lab.support import callpath, results_of

#: Clients do not give a call up at once.
_PATIENCE = 110.0

_SCENARIOS = Path(__file__).parent.parent.parent / "scenarios"

NO_RETURN = {
    "relay_dies": ("after_seconds=1", "after_seconds=1, returns=False"),
    "front_end_dies": ('Dies("front_end")', 'Dies("front_end", returns=False)'),
}


def _without_return(runs: Path, name: str) -> dict[str, Any]:
    """The result of a scenario whose server stays dead."""
    text = (_SCENARIOS / f"{name}.py").read_text(encoding="utf-8")
    assert NO_RETURN[name][0] in text
    path = runs / f"{name}.py"
    path.write_text(text.replace(*NO_RETURN[name]), encoding="utf-8")
    (result,) = results_of(callpath("run", str(path), "--json", "--runs", str(runs)), _PATIENCE)
    return result


def test_without_a_relay_a_relayed_call_is_given_up_by_both(runs: Path) -> None:
    result = _without_return(runs, "relay_dies")
    assert result["verdict"] == "FAIL"
    (call,) = result["calls"]
    assert call["restarts"] == []
    assert call["lost"]["alice"].startswith("no media for ")
    assert "ICE did not restart: no relay has given an address" in call["lost"]["alice"]
    assert call["lost"]["eve"]
    assert "relay died, but the ICE of call 1-alice-eve did not restart" in result["reason"]
    assert "media from eve to alice in call 1-alice-eve did not survive" in result["reason"]
    (outage,) = RunFolder(runs / result["run"]).read_ending().outages
    assert (outage.host, outage.started) == ("relay", None)


def test_without_a_front_end_a_call_that_rings_is_given_up_by_both(runs: Path) -> None:
    result = _without_return(runs, "front_end_dies")
    assert result["verdict"] == "FAIL"
    assert "the planned call 1-alice-eve of alice to eve was never answered" in result["reason"]
    (call,) = result["calls"]
    why = "front-end.service.example could not be reached for 8 s"
    assert call["lost"] == {"alice": why, "eve": why}
    assert call["media"] == []


@pytest.mark.parametrize("name", [*NO_RETURN, "credential_expires"])
def test_a_call_gets_over_it(runs: Path, name: str) -> None:
    (result,) = results_of(callpath("run", name, "--json", "--runs", str(runs)), _PATIENCE)
    assert result["verdict"] == "PASS", result["reason"]
    (call,) = result["calls"]
    assert call["lost"] == {}
    assert len(call["restarts"]) == (0 if name == "front_end_dies" else 1)

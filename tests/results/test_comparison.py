"""Two results side by side."""

import json
from typing import Any

from results.comparison import compare
from results.estimate import estimate
from results.measured import Estimate
from results.schema import Result

_END = {"type": "host", "address": "10.10.0.11", "port": 1, "protocol": "udp"}


def _path(flows: list[str], relay: str | None, owner: list[str]) -> dict[str, Any]:
    return {
        "from": "alice",
        "to": "eve",
        "flows": flows,
        "transport": "udp",
        "relayed_by": relay,
        "taps": [],
        "packets": 1,
        "authenticated": 1,
        "allocated_by": owner,
    }


def _result(run: str, path: dict[str, Any], refused: list[tuple[str, str]]) -> Result:
    pairs = [
        {
            "from": "alice",
            "to": "eve",
            "local": _END,
            "remote": _END,
            "outcome": "refused",
            "by": by,
            "rule": rule,
            "because": "a test",
        }
        for by, rule in refused
    ]
    call = {
        "participants": ["alice", "eve"],
        "steps": [],
        "media": [path],
        "selected": {},
        "pairs": pairs,
    }
    return Result.model_validate_json(
        json.dumps(
            {
                "scenario": "s",
                "verdict": "PASS",
                "reason": "r",
                "signalling_flows": [],
                "media_flows": path["flows"],
                "calls": [call],
                "citations": [],
                "run": run,
                "seconds": {},
            }
        )
    )


def _rated(path: dict[str, Any], found: Estimate) -> dict[str, Any]:
    counts = {"expected": 1, "lost": 0, "longest_burst": 0, "reordered": 0, "duplicated": 0}
    times = {"jitter_ms": 0, "jitter_max_ms": 0, "delay_ms": 0, "delay_p99_ms": 0}
    return path | {"quality": counts | times | {"estimate": found.model_dump()}}


_DIRECT = _result("a", _path(["2"], None, []), [("eve_nat", "unsolicited")])
_RELAYED = _result(
    "b",
    _path(["3", "4"], "relay", ["alice"]),
    [("office", "no_direct_media"), ("eve_nat", "unsolicited")],
)


def test_a_call_that_changes_path_is_named_with_the_rule_that_decides() -> None:
    (call,) = compare(_DIRECT, _RELAYED).calls
    assert call.changed
    assert str(call.before) == "Flow 2"
    assert str(call.after) == "Flows 3 and 4 by relay (allocated by alice)"
    assert call.refused_only_after == ("office: no_direct_media",)
    assert call.refused_only_before == ()


def test_a_call_that_keeps_its_path_is_told_so() -> None:
    (call,) = compare(_RELAYED, _RELAYED).calls
    assert not call.changed
    assert call.refused_only_before == call.refused_only_after == ()


def test_ratings_stand_side_by_side() -> None:
    good, bad = estimate(1, 2, [], 100), estimate(200, 300, [5], 95)
    before, after = (_result("a", _rated(_path(["2"], None, []), one), []) for one in (good, bad))
    (call,) = compare(before, after).calls
    (rating,) = call.ratings
    assert (rating.before, rating.after) == (good, bad)
    assert str(rating) == (
        f"alice to eve: R {good.r}, MOS {good.mos:.2f} → R {bad.r}, MOS {bad.mos:.2f}"
    )
    (there,) = compare(before, _DIRECT).calls[0].ratings
    assert str(there).endswith("→ not rated")


def test_directions_that_nothing_rates_are_left_out() -> None:
    assert compare(_DIRECT, _RELAYED).calls[0].ratings == ()


def test_calls_that_only_one_run_has_are_kept() -> None:
    empty = _DIRECT.model_copy(update={"calls": ()})
    (missing,) = compare(_DIRECT, empty).calls
    (new,) = compare(empty, _DIRECT).calls
    assert (missing.after, new.before) == (None, None)
    assert missing.changed
    assert new.changed

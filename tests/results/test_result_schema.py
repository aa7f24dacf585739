"""The stored JSON schema is that of the model, and results are valid under it."""

import json

import jsonschema
import pytest

from results.result_schema import STORED, result_schema
from results.schema import Result
from tests.results.judged import a_result


def test_the_stored_schema_is_current() -> None:
    assert STORED.read_text(encoding="utf-8") == result_schema(), (
        "results/result.schema.json is stale: run python -m results.result_schema"
    )


def test_a_result_is_valid() -> None:
    jsonschema.validate(json.loads(a_result().to_json()), json.loads(result_schema()))


def test_the_keys_of_a_result_are_those_that_were_promised() -> None:
    result = json.loads(a_result().to_json())
    assert list(result) == [
        "schema", "scenario", "verdict", "reason", "signalling_flows", "media_flows",
        "unsupported", "calls", "citations", "run", "seconds",
    ]  # fmt: skip
    (call,) = result["calls"]
    assert list(call) == [
        "participants", "steps", "media", "selected", "pairs", "refused", "nearness",
        "restarts", "interruptions", "lost",
    ]  # fmt: skip
    assert list(call["steps"][0]) == ["step", "name", "flows", "tap", "frame", "time"]
    assert list(call["media"][0]) == [
        "from", "to", "flows", "transport", "relayed_by", "taps", "packets", "authenticated",
        "stream", "ssrc", "repeats", "allocated_by", "ip", "hops", "quality",
    ]  # fmt: skip
    assert list(call["media"][0]["hops"][0]) == [
        "from", "to", "packets", "lost", "delay_ms", "delay_p99_ms", "jitter_ms",
    ]  # fmt: skip
    assert list(call["media"][0]["quality"]) == [
        "expected", "lost", "longest_burst", "reordered", "duplicated", "jitter_ms",
        "jitter_max_ms", "delay_ms", "delay_p99_ms", "estimate",
    ]  # fmt: skip
    assert list(call["selected"]["alice"]["local"]) == ["type", "address", "port", "protocol"]


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": "MAYBE"},
        {"signalling_flows": ["7"]},
        {"calls": [{"participants": ["alice", "bob"]}]},
        {"more": 1},
        {"schema": 2},
    ],
)
def test_what_is_no_result_is_not_valid(change: dict[str, object]) -> None:
    changed = json.loads(a_result().to_json()) | change
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(changed, json.loads(result_schema()))


def test_a_result_reads_back() -> None:
    result = a_result()
    assert Result.model_validate_json(result.to_json()) == result

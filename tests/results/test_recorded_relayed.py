"""A relayed run that took place: what became of its pairs; its mutants do not pass."""

import json
import shutil
from pathlib import Path

import jsonschema
import pytest

from results.judge import judge
from results.result_schema import result_schema
from results.schema import Result, RunFolder, Verdict
from tests.results.mutants import Mutant, without
from tests.results.paper_mutants import removed
from tests.results.recorded import reseal, told_then, unpack
from tests.results.relayed_mutants import RELAYED_MUTANTS
from topologies.spec import Flow


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack(tmp_path_factory.mktemp("recorded"), "external_relayed")


@pytest.fixture
def folder(unpacked: Path, tmp_path: Path) -> Path:
    """The stored run, for a test to change as it likes."""
    return shutil.copytree(unpacked, tmp_path / "run")


def outcomes(result: Result) -> dict[str, tuple[str, str | None, str | None]]:
    """The pairs by user, local and remote type: outcome, by whom, by which rule."""
    (call,) = result.calls
    return {
        f"{pair.from_} {pair.local.type}-{pair.remote.type}": (pair.outcome, pair.by, pair.rule)
        for pair in call.pairs
    }


DENIED = ("refused", "office", "no_direct_media")
UNSOLICITED = ("refused", "office_nat", "unsolicited_to_router")
FORBIDDEN = ("refused", "relay", "403")
WORKED = ("worked, not preferred", None, None)
NO_ROUTE = ("no route", "inet", None)

PAIRS = {
    "alice host-host": DENIED,
    "alice host-srflx": DENIED,
    "alice host-relay": DENIED,
    "alice relay-host": FORBIDDEN,
    "alice relay-relay": WORKED,
    "eve host-host": NO_ROUTE,
    "eve host-srflx": UNSOLICITED,
    "eve relay-host": FORBIDDEN,
    "eve relay-srflx": UNSOLICITED,
    "eve relay-relay": WORKED,
}


def test_the_run_passes_and_names_the_rules_that_refused_direct_pairs(folder: Path) -> None:
    result = judge(folder)
    assert result.verdict is Verdict.PASS
    assert result.reason == (
        "alice and eve: 208 of 208 media packets authenticated, Flows 3 and 4; "
        "direct pairs refused by office: no_direct_media and office_nat: unsolicited_to_router; "
        "signalling Flows 2, 3 and 4"
    )
    assert result.media_flows == (Flow.F3, Flow.F4)
    jsonschema.validate(json.loads(result.to_json()), json.loads(result_schema()))


def test_what_became_of_each_pair(folder: Path) -> None:
    assert outcomes(judge(folder)) == PAIRS


def test_the_inside_users_allocation_carried_the_media(folder: Path) -> None:
    (call,) = judge(folder).calls
    assert {path.allocated_by for path in call.media} == {("alice",)}


def test_it_is_judged_as_it_was_right_after_the_run(folder: Path) -> None:
    stored = RunFolder(folder).read_result()
    assert told_then(judge(folder), folder) == stored


def test_each_pair_cites_a_frame_that_is_there(folder: Path) -> None:
    (call,) = judge(folder).calls
    for pair in call.pairs:
        assert pair.tap
        assert (folder / f"captures/{pair.tap}.pcapng").is_file()
        assert pair.frame


def test_without_icmp_the_routes_tell(folder: Path) -> None:
    without(drop=lambda frame: frame[12:14] == b"\x08\x00" and frame[23] == 1)(folder)
    reseal(folder)
    result = judge(folder)
    assert outcomes(result) == PAIRS
    assert result.calls[0].pairs[5].because == "inet has no route to 10.10.0.11"


def test_without_counters_of_nats_it_is_an_older_run(folder: Path) -> None:
    path = folder / "ending.json"
    ending = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**ending, "nats": {}}), encoding="utf-8")
    reseal(folder)
    result = judge(folder)
    assert result.verdict is Verdict.PASS
    pair = result.calls[0].pairs[6]
    assert (pair.outcome, pair.rule) == ("unknown", "unsolicited_to_router")
    assert pair.because.startswith("ending.json has no counters that confirm rule")


def test_without_an_ending_nothing_confirms_the_rules(folder: Path) -> None:
    removed("ending.json")(folder)
    reseal(folder)
    result = judge(folder)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert {outcome for outcome, by, _ in outcomes(result).values() if by == "office"} == {
        "unknown"
    }


@pytest.mark.parametrize("mutant", RELAYED_MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_does_not_pass(folder: Path, mutant: Mutant) -> None:
    mutant.change(folder)
    reseal(folder)
    result = judge(folder)
    assert result.verdict is mutant.verdict, result.reason
    assert mutant.reason in result.reason
    jsonschema.validate(json.loads(result.to_json()), json.loads(result_schema()))

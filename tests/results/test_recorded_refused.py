"""A call that the service refused: what is told of it, and what would not pass."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from results.judge import examine, judge
from results.report.sentences import headline
from results.schema import RunFolder, Verdict
from tests.mutation.refusals import MUTATIONS
from tests.mutation.subject import Mutation, Subject
from tests.mutation.trial import Fate, try_one
from tests.results.recorded import change_json, reseal, told_then, unpack


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack(tmp_path_factory.mktemp("recorded"), "third_party_relay")


@pytest.fixture
def folder(unpacked: Path, tmp_path: Path) -> Path:
    """The stored run, for a test to change as it likes."""
    return shutil.copytree(unpacked, tmp_path / "run")


def test_it_is_judged_as_it_was_right_after_the_run(folder: Path) -> None:
    result = judge(folder)
    assert told_then(result, folder) == RunFolder(folder).read_result()
    assert result.verdict is Verdict.PASS


def test_the_refusal_stands_at_the_callers_tap_with_its_reason(unpacked: Path) -> None:
    result = judge(unpacked)
    (call,) = result.calls
    assert call.refused
    assert (call.refused.tap, call.refused.status) == ("alice-eth0", 403)
    assert "the relayed candidate 198.51.100.54 port " in call.refused.message
    cited = {(citation.tap, citation.frame): citation.what for citation in result.citations}
    what = cited[call.refused.tap, call.refused.frame]
    assert what == "call 1-alice-eve: the service refuses the invite (ThirdPartyRelay)"


def test_nothing_of_a_call_is_told_but_what_led_to_it(unpacked: Path) -> None:
    (call,) = judge(unpacked).calls
    assert (call.media, call.selected, call.pairs) == ((), {}, ())
    assert [step.step for step in call.steps] == [1, 2, 3]


def test_the_report_says_it_in_a_sentence(unpacked: Path) -> None:
    assert headline(examine(unpacked)) == (
        "The service refused alice's call to eve (ThirdPartyRelay): no media, as expected."
    )


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_no_mutant_of_the_refusal_survives(unpacked: Path, mutation: Mutation) -> None:
    subject = Subject(unpacked)
    trials = [try_one(subject, mutation, mutant) for mutant in mutation.mutants(subject)]
    assert trials
    assert [trial for trial in trials if trial.fate is not Fate.DIED] == []


def _changed(folder: Path, **change: Any) -> str:
    change_json(folder / "run.json", lambda run: run["calls"][0].update(change))
    reseal(folder)
    result = judge(folder)
    assert result.verdict is Verdict.FAIL
    return result.reason


def test_a_refusal_for_another_reason_does_not_count(folder: Path) -> None:
    reason = _changed(folder, refused="Forbidden")
    assert "refused call 1-alice-eve with 403 ThirdPartyRelay, not Forbidden (frame " in reason

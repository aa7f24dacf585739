"""No mutant of a run that passes may pass; recorded runs give a sample of them."""

from pathlib import Path

import pytest

from results.schema import Verdict
from scenarios.scenario import all_scenarios
from tests.lab.support import callpath, results_of
from tests.mutation import regions
from tests.mutation.__main__ import main
from tests.mutation.subject import Draft, Mutant, Mutation, Subject
from tests.mutation.trial import MUTATIONS, Fate, try_all, try_one
from tests.results.recorded import reseal, unpack
from tests.tally import Tally

_STREAMS = {"one stream cut", "two streams swapped"}
_REFUSED = {"media of a refused call", "a relay's tap empty but for canaries"}

#: What there is only where a box at a perimeter was refused, and only where there was media.
_BOXES = {"a refusal cut", "HTTPS cut"}
_OF_MEDIA = {
    "media cut at one tap",
    "media moved to another tap",
    "another call's media",
    "nomination stripped",
    "other streams planned",
    "two taps swapped",
    "claim forged",
}

_OF_REGIONS = {mutation.name for mutation in regions.MUTATIONS}

_OUTAGE = "an outage told otherwise"


@pytest.mark.parametrize(
    ("name", "without"),
    # The oldest run has no firewall, and no counters of its NAT; older users had no tokens.
    # Only some runs have several streams, a call that was refused and so no media, or a
    # service of several regions.
    [
        (
            "intranet",
            {"a policy counter zeroed", "token forged", _OUTAGE}
            | _STREAMS
            | _REFUSED
            | _BOXES
            | _OF_REGIONS,
        ),
        (
            "external_relayed",
            {"token forged", _OUTAGE} | _STREAMS | _REFUSED | _BOXES | _OF_REGIONS,
        ),
        ("chat_in_call", {_OUTAGE} | _STREAMS | _REFUSED | _BOXES | _OF_REGIONS),
        ("one_to_one_video_relayed", {_OUTAGE} | _REFUSED | _BOXES | _OF_REGIONS),
        ("third_party_relay", {_OUTAGE} | _STREAMS | _OF_MEDIA | _BOXES | _OF_REGIONS),
        (
            "packet_inspection",
            {"steps reordered", _OUTAGE} | _OF_MEDIA | _STREAMS | _REFUSED | _OF_REGIONS,
        ),
        ("relay_to_relay", {_OUTAGE} | _STREAMS | _REFUSED | _BOXES),
        ("front_end_dies", _STREAMS | _REFUSED | _BOXES | _OF_REGIONS),
    ],
)
def test_a_sample_of_the_mutants_of_a_recorded_run(
    tmp_path: Path, name: str, without: set[str]
) -> None:
    trials = try_all(unpack(tmp_path, name), sample=1)
    assert {mutation.name for mutation in MUTATIONS} - {one.mutation for one in trials} == without
    assert [trial for trial in trials if trial.fate is not Fate.DIED] == []


def _no_change(_draft: Draft) -> None:
    pass


def _no_ending(draft: Draft) -> None:
    (draft.path / "ending.json").unlink()


@pytest.mark.parametrize(
    ("mutant", "fate"),
    [
        (Mutant("nothing", _no_change, Verdict.FAIL, ""), Fate.SURVIVED),
        (Mutant("ending", _no_ending, Verdict.INCONCLUSIVE, "no ending"), Fate.DIED),
        (Mutant("ending", _no_ending, Verdict.INCONCLUSIVE, "canary"), Fate.OTHERWISE),
        (Mutant("ending", _no_ending, Verdict.FAIL, "no ending"), Fate.OTHERWISE),
    ],
)
def test_what_becomes_of_a_mutant(tmp_path: Path, mutant: Mutant, fate: Fate) -> None:
    subject = Subject(unpack(tmp_path))
    mutation = Mutation("some change", lambda _: iter(()))
    assert try_one(subject, mutation, mutant).fate is fate


def test_a_run_that_does_not_pass_has_no_mutants(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = unpack(tmp_path)
    (folder / "ending.json").unlink()
    reseal(folder)
    assert main([str(folder)]) == 2
    assert "is no run that passes" in capsys.readouterr().err


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_no_mutant_of_any_scenario_survives(tmp_path: Path, tally: Tally) -> None:
    runs = tmp_path / "runs"
    results = results_of(callpath("run", "--json", "--runs", str(runs)), patience=1200)
    assert len(results) == len(list(all_scenarios()))
    tally.check(runs)
    assert main([str(runs / result["run"]) for result in results]) == 0

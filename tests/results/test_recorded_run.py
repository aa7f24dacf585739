"""A run that took place is judged as it was then; its mutants do not pass."""

import json
import random
import shutil
from pathlib import Path

import jsonschema
import pytest

from results.handover import blocks
from results.judge import judge
from results.result_schema import result_schema
from results.schema import Result, RunFolder, RunFolderError, Verdict
from tests.results.mutants import MUTANTS, Mutant
from tests.results.recorded import frames, reseal, told_then, unpack
from topologies.spec import Flow


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack(tmp_path_factory.mktemp("recorded"))


@pytest.fixture
def folder(unpacked: Path, tmp_path: Path) -> Path:
    """The stored run, for a test to change as it likes."""
    return shutil.copytree(unpacked, tmp_path / "run")


def shape(result: Result) -> tuple[object, ...]:
    """What must not depend on what agents say of themselves."""
    return result.signalling_flows, result.media_flows, result.calls


def test_the_run_passes(folder: Path) -> None:
    result = judge(folder)
    assert result.verdict is Verdict.PASS
    assert result.signalling_flows == (Flow.F2, Flow.F4)
    assert result.media_flows == (Flow.F5,)
    for call, names in zip(result.calls, (("alice", "bob"), ("alice", "bea")), strict=True):
        assert call.participants == names
        assert [step.step for step in call.steps] == list(range(1, 9))
        assert [step.time for step in call.steps] == sorted(step.time for step in call.steps)
        assert [(path.from_, path.to) for path in call.media] == [names, names[::-1]]
        assert all(path.packets == path.authenticated > 90 for path in call.media)
        assert set(call.selected) == set(names)


def test_it_is_judged_as_it_was_right_after_the_run(folder: Path) -> None:
    stored = RunFolder(folder).read_result()
    assert stored
    result = judge(folder)
    assert (result.verdict, result.seconds) == (stored.verdict, stored.seconds)
    assert shape(told_then(result, folder)) == shape(stored)


def test_its_result_is_valid_json(folder: Path) -> None:
    jsonschema.validate(json.loads(judge(folder).to_json()), json.loads(result_schema()))


def test_judging_writes_nothing(folder: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    judge(folder)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_each_citation_opens(folder: Path) -> None:
    for citation in judge(folder).citations:
        assert (folder / citation.file).is_file()
        assert citation.frame >= 1


def test_without_the_event_logs_flows_and_steps_are_the_same(folder: Path) -> None:
    whole = judge(folder)
    for path in (folder / "events").iterdir():
        path.unlink()
    reseal(folder)
    result = judge(folder)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert shape(result) == shape(whole)


def test_the_srtp_key_logs_are_not_needed(folder: Path) -> None:
    for path in (folder / "keys").glob("*.srtp"):
        path.unlink()
    reseal(folder)
    assert judge(folder).verdict is Verdict.PASS


def test_a_folder_without_its_seal_is_inconclusive_but_still_read(folder: Path) -> None:
    whole = judge(folder)
    (folder / "seal.json").unlink()
    result = judge(folder)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.reason == (
        "the run folder is not whole: the run was interrupted: it has no seal.json"
    )
    assert shape(result) == shape(whole)


def test_a_folder_that_was_changed_after_the_run(folder: Path) -> None:
    with (folder / "events" / "alice.jsonl").open("a", encoding="utf-8") as file:
        file.write("\n")
    result = judge(folder)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "the run folder is not whole: events/alice.jsonl was changed after" in result.reason


@pytest.mark.parametrize(
    ("link_type", "said"),
    [
        (blocks.ETHERNET, "the capture of alice-eth0 is of eth1 and alice-eth0, not of alice-eth0"),
        (blocks.RAW_IP, "captures/alice-eth0.pcapng has interfaces of several link types"),
    ],
)
def test_a_taps_capture_of_several_interfaces(folder: Path, link_type: int, said: str) -> None:
    """The tap's own interface is the last, but of another nobody asked."""
    described = blocks.interface("eth1", "", link_type)
    described += blocks.interface("alice-eth0", "", blocks.ETHERNET)
    held = (blocks.packet(1, one.time, one.data, ()) for one in frames(folder, "alice-eth0"))
    RunFolder(folder).capture("alice-eth0").write_bytes(
        blocks.section("", "") + described + b"".join(held)
    )
    reseal(folder)
    result = judge(folder)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert said in result.reason


def test_a_broken_seal(folder: Path) -> None:
    (folder / "seal.json").write_text("{}", encoding="utf-8")
    assert judge(folder).verdict is Verdict.INCONCLUSIVE


def test_durations_are_those_of_the_run(folder: Path) -> None:
    reseal(folder)
    ending = RunFolder(folder).read_ending()
    seconds = judge(folder).seconds
    assert (seconds.boot, seconds.call) == (ending.seconds["boot"], ending.seconds["call"])


def test_what_is_no_run_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=r"is not a folder; a run folder holds a run\.json"):
        judge(tmp_path / "nothing")
    with pytest.raises(RunFolderError, match=r"has no run\.json; is it a run folder\?"):
        judge(tmp_path)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_does_not_pass(folder: Path, mutant: Mutant) -> None:
    mutant.change(folder)
    reseal(folder)
    result = judge(folder)
    assert result.verdict is mutant.verdict, result.reason
    assert mutant.reason in result.reason
    jsonschema.validate(json.loads(result.to_json()), json.loads(result_schema()))


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_damaged_judging_comes_to_an_end(folder: Path, seed: int) -> None:
    """Bytes of captures, keys and events are changed at random; nothing is raised."""
    dice = random.Random(seed)  # noqa: S311 - no secret
    files = sorted(path for path in folder.rglob("*") if path.parent != folder and path.is_file())
    for path in dice.sample(files, 12):
        data = bytearray(path.read_bytes())
        for _ in range(min(len(data), 40)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        path.write_bytes(data)
    reseal(folder)
    assert judge(folder).reason

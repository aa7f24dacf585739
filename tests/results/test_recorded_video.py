"""A call with camera and screen share that took place: each stream by itself, and without one."""

import shutil
from pathlib import Path

import pytest

from results.judge import judge
from results.schema import MediaPath, RunFolder, StreamKind, Verdict
from tests.mutation.sources import MUTATIONS
from tests.mutation.subject import Mutation, Subject
from tests.mutation.trial import Fate, try_one
from tests.results.recorded import change_json, reseal, told_then, unpack


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack(tmp_path_factory.mktemp("recorded"), "one_to_one_video_relayed")


@pytest.fixture
def folder(unpacked: Path, tmp_path: Path) -> Path:
    """The stored run, for a test to change as it likes."""
    return shutil.copytree(unpacked, tmp_path / "run")


def _sent(folder: Path) -> list[MediaPath]:
    (call,) = judge(folder).calls
    return [path for path in call.media if path.repeats is None]


def test_it_is_judged_as_it_was_right_after_the_run(folder: Path) -> None:
    result = judge(folder)
    assert told_then(result, folder) == RunFolder(folder).read_result()
    assert result.verdict is Verdict.PASS
    assert "audio, camera and screen" in result.reason


def test_every_stream_of_both_ends_took_the_relay(unpacked: Path) -> None:
    sent = _sent(unpacked)
    assert [(path.from_, path.stream) for path in sent] == [
        (user, stream)
        for user in ("alice", "eve")
        for stream in (StreamKind.AUDIO, StreamKind.CAMERA, StreamKind.SCREEN)
    ]
    assert len({path.ssrc for path in sent}) == len(sent)
    assert {path.relayed_by for path in sent} == {"relay"}
    assert all(path.packets == path.authenticated for path in sent)


def test_each_stream_has_a_quality_of_its_own(unpacked: Path) -> None:
    sent = {(path.from_, path.stream): path for path in _sent(unpacked)}
    for path in sent.values():
        assert path.quality
        assert path.quality.jitter_ms is not None
        assert path.quality.expected == path.packets == path.hops[0].packets
    for user in ("alice", "eve"):
        audio, camera, screen = (sent[user, kind].packets for kind in StreamKind if kind != "video")
        # 50, 15 and 5 a second; key frames take some packets more.
        assert audio > 2 * camera > 2 * screen > 0


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_no_mutant_of_its_streams_survives(unpacked: Path, mutation: Mutation) -> None:
    """One in four; all are tried by the long tests."""
    subject = Subject(unpacked)
    mutants = list(mutation.mutants(subject))[::4]
    trials = [try_one(subject, mutation, mutant) for mutant in mutants]
    assert trials
    assert [trial for trial in trials if trial.fate is not Fate.DIED] == []


def test_without_the_declaration_of_its_plan_it_fails(folder: Path) -> None:
    change_json(folder / "run.json", lambda run: run["calls"][0].update(streams=["audio"]))
    reseal(folder)
    result = judge(folder)
    assert result.verdict is Verdict.FAIL
    assert "have alice send audio, camera and screen, not audio" in result.reason

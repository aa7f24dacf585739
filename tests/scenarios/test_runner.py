"""Laying out run folders, and writing what is made of a run."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from results.schema import RunFolder, Verdict
from scenarios import commands, runner
from scenarios.cli import main
from scenarios.scenario import find
from tests.results.recorded import unpack


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_a_sudo_run_writes_belongs_to_the_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_UID", "12345")
    monkeypatch.setenv("SUDO_GID", "12345")
    runs = tmp_path / "runs"
    folder = runner.new_folder(find("intranet"), runner.Conditions({}), runs)
    runner.give_to_caller(folder.path)
    owners = {path.stat().st_uid for path in (runs, *runs.rglob("*"))}
    assert owners == {12345}
    assert tmp_path.stat().st_uid == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_devices_and_links_are_not_given_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_UID", "12345")
    monkeypatch.setenv("SUDO_GID", "12345")
    pipe, link, file = tmp_path / "pipe", tmp_path / "link", tmp_path / "file"
    os.mkfifo(pipe)
    file.touch()
    link.symlink_to(file)
    for path in (pipe, link, tmp_path / "nothing"):
        runner.give_to_caller(path)
    assert {path.lstat().st_uid for path in (pipe, link, file)} == {0}
    runner.give_to_caller(file)
    assert file.stat().st_uid == 12345


def test_a_new_run_folder_is_incomplete(tmp_path: Path) -> None:
    folder = runner.new_folder(find("external_direct"), runner.Conditions({}), tmp_path)
    assert folder.why_incomplete() == "the run was interrupted: it has no seal.json"
    assert folder.read_run().scenario == "external_direct"


def test_a_second_ctrl_c_still_says_where_the_run_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "_perform", interrupted)
    monkeypatch.setattr("results.judge.examine", interrupted)
    scenario = find("intranet")
    conditions = runner.Conditions(scenario.policies_with({}))
    with pytest.raises(runner.Interrupted) as told:
        runner.run(scenario, conditions, tmp_path, lambda _: None)
    (folder,) = tmp_path.glob("*-intranet-*")
    assert str(folder) in str(told.value)


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A recorded run that is yet to be judged; the next run is this one."""
    folder = unpack(tmp_path)
    (folder / "result.json").unlink()
    monkeypatch.setattr(runner, "World", _World)
    monkeypatch.setattr(runner, "new_folder", lambda *_: RunFolder(folder))
    return folder


class _World:
    """A world in which all has taken place already."""

    def __init__(self, *_: object) -> None:
        pass

    def __enter__(self) -> "_World":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def send(self, _: object) -> None:
        """Be told what to do."""

    def events(self) -> Iterator[dict[str, Any]]:
        """Say that it is done."""
        yield {"done": True}

    def release(self) -> None:
        """End."""


def full(folder: Path) -> None:
    """Have no room for the evidence."""
    (folder / "evidence.pcapng").symlink_to("/dev/full")


def no_report(folder: Path) -> None:
    """Have something in the place of the report's draft."""
    (folder / "report.html.new").mkdir()


def no_index(folder: Path) -> None:
    """Have something in the place of the index's draft."""
    (folder.parent / "index.html.new").mkdir()


@pytest.mark.parametrize(
    ("spoil", "said", "written"),
    [
        (full, "{run}/evidence.pcapng cannot be written: No space left", "report.html"),
        (no_report, "{run}/report.html cannot be written: Is a directory", "evidence.pcapng"),
        (no_index, "{runs}/index.html cannot be written: Is a directory", "report.html"),
    ],
)
def test_a_verdict_is_told_though_something_made_of_the_run_cannot_be_written(
    recorded: Path,
    capsys: pytest.CaptureFixture[str],
    spoil: Callable[[Path], None],
    said: str,
    written: str,
) -> None:
    spoil(recorded)
    assert main(["run", "--json", "intranet"]) == commands.NOT_DONE
    told = capsys.readouterr()
    assert json.loads(told.out)["verdict"] == Verdict.PASS
    assert said.format(run=recorded, runs=recorded.parent) in told.err
    assert f"The verdict stands in {recorded}/result.json" in told.err
    assert "incomplete" not in told.err
    assert (recorded / written).stat().st_size > 0
    assert not (recorded / "evidence.pcapng").is_symlink()
    assert (recorded / "result.json").read_text() == told.out


def test_a_run_of_which_all_is_written_says_nothing(
    recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "--json", "intranet"]) == commands.PASS
    assert capsys.readouterr().err == ""

"""Laying out run folders."""

import os
from pathlib import Path
from typing import NoReturn

import pytest

from scenarios import runner
from scenarios.scenario import find


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

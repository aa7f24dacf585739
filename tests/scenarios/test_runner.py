"""Laying out run folders."""

import os
from pathlib import Path

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


def test_a_new_run_folder_is_incomplete(tmp_path: Path) -> None:
    folder = runner.new_folder(find("external_direct"), runner.Conditions({}), tmp_path)
    assert folder.why_incomplete() == "the run was interrupted: it has no seal.json"
    assert folder.read_run().scenario == "external_direct"

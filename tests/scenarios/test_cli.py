"""The command line: usage, exit codes and errors that speak to a person."""

import argparse
import json
from pathlib import Path

import pytest

from results.schema import Verdict
from scenarios import commands
from scenarios.cli import WRONG_USAGE, main
from scenarios.scenario import ScenarioError, find


@pytest.mark.parametrize("arguments", [[], ["frobnicate"], ["judge"], ["run", "--no-such-option"]])
def test_wrong_usage_exits_64_and_points_to_help(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == WRONG_USAGE
    assert "--help" in capsys.readouterr().err


@pytest.mark.parametrize(
    "verb",
    [
        "",
        "list",
        "run",
        "judge",
        "compare",
        "whatif",
        "explain",
        "exec",
        "shell",
        "completion",
        "bench",
        "doctor",
        "test",
    ],
)
def test_every_command_has_help_with_an_example(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([verb, "--help"] if verb else ["--help"])
    assert ended.value.code == 0
    assert "Example: " in capsys.readouterr().out


def test_what_is_not_its_own_test_passes_on_to_pytest(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[argparse.Namespace] = []

    def run(options: argparse.Namespace) -> int:
        seen.append(options)
        return 0

    monkeypatch.setattr(commands, "test", run)
    assert main(["test", "--long", "-x", "-k", "intranet"]) == 0
    assert seen[0].long
    assert seen[0].arguments == ["-x", "-k", "intranet"]


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_offers_commands_and_asks_for_scenarios(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "whatif" in script
    assert "_callpath_scenarios" in script


def test_list_names_every_scenario(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert "intranet" in [line["scenario"] for line in lines]


def test_an_unknown_scenario_is_named_with_those_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["run", "intranett"]) == commands.NOT_DONE
    error = capsys.readouterr().err
    assert "there is no scenario 'intranett'; there are: " in error
    assert "intranet" in error


def test_what_is_no_run_folder_is_said_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["judge", str(tmp_path)]) == commands.NOT_DONE
    assert f"{tmp_path} has no run.json; is it a run folder?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("codes", "worst"),
    [([], 0), ([0, 0], 0), ([0, 2], 2), ([2, 1, 0], 1), ([1], 1)],
)
def test_a_fail_wins_over_what_could_not_be_done(codes: list[int], worst: int) -> None:
    assert commands.worst(codes) == worst


def test_each_verdict_has_its_exit_code() -> None:
    assert commands.CODES == {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.INCONCLUSIVE: 2}


def test_a_scenario_file_that_fails_says_where(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("import no_such_module\n")
    with pytest.raises(ScenarioError, match=f"{file} cannot be read: ModuleNotFoundError"):
        find(str(file))


def test_a_scenario_file_must_define_a_scenario(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("x = 1\n")
    with pytest.raises(ScenarioError, match="it must say scenario = Scenario"):
        find(str(file))

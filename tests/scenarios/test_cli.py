"""The command line: usage, exit codes and errors that speak to a person."""

import argparse
import json
from pathlib import Path

import jsonschema
import pytest

from results.judge import judge
from results.schema import Result, Verdict
from scenarios import commands, runner, testing
from scenarios.cli import WRONG_USAGE, main
from scenarios.display import short
from tests.results.recorded import unpack


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
        "inspect",
        "evidence",
        "compare",
        "whatif",
        "explain",
        "exec",
        "assess",
        "shell",
        "schema",
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

    monkeypatch.setattr(testing, "test", run)
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
    assert "there is no scenario 'intranett' (did you mean 'intranet'?); there are: " in error
    assert "nomadic_direct" in error


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["rnu"], "there is no command 'rnu' (did you mean 'run'?); there are: list, run, "),
        (["frobnicate"], "there is no command 'frobnicate'; there are: list, run, "),
        (
            ["whatif", "external_direct", "--policy", "office=udp_out"],
            "whatif compares: give --policy at least twice",
        ),
        (
            ["exec", "intranet", "alice", "ls", "-l"],
            "put -- before the program, as in: exec intranet HOST -- ls -l",
        ),
        (["run", "-q", "--json"], "argument --json: not allowed with argument -q/--quiet"),
        (["run", "--controller-python", "/no/python"], "there is no program '/no/python'"),
        (["inspect", "f", "--silence", "0"], "'0' is not a number of seconds above 0"),
        (["inspect", "f", "--silence", "nan"], "'nan' is not a number of seconds above 0"),
        (["bench", "intranet", "--times", "0"], "'0' is not a number of runs, from 1"),
        (["bench", "intranet", "--packets", "9"], "--packets is for 'bench captures'"),
    ],
)
def test_wrong_usage_is_said_in_words_that_help(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == WRONG_USAGE
    assert said in capsys.readouterr().err


def test_an_example_stays_on_one_line_to_be_copied(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    with pytest.raises(SystemExit):
        main(["explain", "--help"])
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("Example: ./callpath explain service_only --packet 'udp ")
    assert last.endswith("203.0.113.9:3478'")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "docs/concepts.md"], "docs/concepts.md is no scenario file: its name must end in"),
        (["run", "intranet", "--runs", "/proc/none"], "no run folder can be made in /proc/none: "),
        (["judge", "x" * 300], "x: File name too long"),
        (["compare", "x" * 300, "y"], "x: File name too long"),
        (["explain", "nowhere.yaml", "--packet", "p"], "nowhere.yaml"),
        (["whatif", "nope", *["--policy", "office=udp_out"] * 2], "there is no scenario 'nope'"),
    ],
)
def test_what_cannot_be_done_is_said_without_a_traceback(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == commands.NOT_DONE
    error = capsys.readouterr().err
    assert said in error
    assert "Errno" not in error


def test_frames_names_each_capture_and_frame(
    recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["judge", "--frames", str(recorded)]) == commands.PASS
    out = capsys.readouterr().out
    assert f"frames that show it, in {short(recorded)}:\n" in out
    assert "  captures/alice-eth0.pcapng" in out
    assert ", step 7 (check)" in out


def test_quality_names_each_direction_and_hop(
    recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["judge", "--quality", str(recorded)]) == commands.PASS
    rows = [line.replace("│", " ").split() for line in capsys.readouterr().out.splitlines()]
    (whole,) = (row for row in rows if row[:4] == ["alice", "→", "bea,", "audio"])
    (hop,) = (row for row in rows if row[:3] == ["core-eth1", "→", "branch_rtr-eth1"])
    path = judge(recorded).calls[1].media[0]
    assert path.quality
    assert whole[4:9] == ["104", "0", "0", "0", "0"]
    assert whole[9] == f"{path.quality.delay_ms:.3f}"
    assert hop[3:5] == ["104", "0"]
    assert hop[5] == f"{path.hops[2].delay_ms:.3f}"


def test_what_was_done_before_an_interruption_is_told(
    recorded: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes: list[Result] = [judge(recorded)]

    def run(*_: object) -> Result:
        if not outcomes:
            raise runner.Interrupted("interrupted", recorded)
        return outcomes.pop()

    monkeypatch.setattr(runner, "run", run)
    assert main(["run", "-q", "intranet", "nomadic_direct", "vpn_to_vpn"]) == commands.NOT_DONE
    said = capsys.readouterr()
    assert said.out.startswith("PASS intranet ")
    assert said.out.count("\n") == 1
    assert "callpath: interrupted\n" in said.err


def test_calls_that_only_one_run_has_are_said_so(
    recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = unpack(tmp_path, "external_relayed")
    assert main(["compare", str(recorded), str(other)]) == commands.PASS
    out = capsys.readouterr().out
    assert "alice and bob: Flow 5 → not there" in out
    assert "alice and eve: not there → Flows 3 and 4 by relay (allocated by alice)" in out


def test_several_runs_are_judged_into_one_table(
    recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["judge", str(recorded), str(recorded)]) == commands.PASS
    out = capsys.readouterr().out
    assert out.count("verdict") == 1
    assert out.count("│ PASS") == 2


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


def test_schema_prints_the_stored_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == commands.PASS
    printed = json.loads(capsys.readouterr().out)
    assert printed["$id"] == "urn:callpath:result:1"
    jsonschema.Draft202012Validator.check_schema(printed)

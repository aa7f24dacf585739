"""The command line: usage, exit codes and errors that speak to a person."""

import argparse
import json
import shutil
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest

from results.judge import judge
from results.schema import Result, Verdict
from scenarios import commands, runner
from scenarios.cli import WRONG_USAGE, main
from scenarios.display import short
from scenarios.scenario import ScenarioError, find
from tests.results.recorded import unpack


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that took place."""
    return unpack(tmp_path_factory.mktemp("recorded"))


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
    (whole,) = (row for row in rows if row[:3] == ["alice", "→", "bea"])
    (hop,) = (row for row in rows if row[:3] == ["core-eth1", "→", "branch_rtr-eth1"])
    path = judge(recorded).calls[1].media[0]
    assert path.quality
    assert whole[3:8] == ["104", "0", "0", "0", "0"]
    assert whole[8] == f"{path.quality.delay_ms:.3f}"
    assert hop[3:5] == ["104", "0"]
    assert hop[5] == f"{path.hops[2].delay_ms:.3f}"


def test_inspect_needs_captures_only(
    recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for tap in ("alice-eth0", "bob-eth0"):
        shutil.copy(recorded / "captures" / f"{tap}.pcapng", tmp_path)
    files = [str(tmp_path / "alice-eth0.pcapng"), str(tmp_path / "bob-eth0.pcapng")]
    assert main(["inspect", *files]) == commands.PASS
    out = capsys.readouterr().out
    assert "call 1: A at 10.10.0.11:" in out
    assert "  direct, over udp\n" in out
    assert "path of A's media" in out
    assert main(["inspect", "--json", *files]) == commands.PASS
    assert len(json.loads(capsys.readouterr().out)["calls"]) == 2


def test_inspect_says_what_is_there_where_no_call_is(
    recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = recorded / "captures" / "telemetry-eth0.pcapng"
    assert main(["inspect", str(path)]) == commands.NOT_DONE
    out = capsys.readouterr().out
    assert "no call found: neither ICE checks nor DTLS nor media" in out
    assert "packets (TCP)\n" in out


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty; expected a pcap or pcapng file"),
        (b"PK\x03\x04 an archive", "is not a capture"),
        (bytes.fromhex("d4c3b2a1") + b"\x02\x00", "is truncated at byte 6, within the file header"),
    ],
)
def test_inspect_says_what_is_wrong_with_a_file(
    content: bytes, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "odd.pcap"
    path.write_bytes(content)
    assert main(["inspect", str(path)]) == commands.NOT_DONE
    assert f"{path} {said}" in capsys.readouterr().err


def test_inspect_counts_a_file_once(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(recorded / "captures" / "bob-eth0.pcapng")
    assert main(["inspect", path, path]) == commands.NOT_DONE
    assert "is given twice; each file counts once" in capsys.readouterr().err


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


def test_reports_are_written_beside_each_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = [unpack(tmp_path, name) for name in ("intranet", "external_relayed")]
    missing = tmp_path / "none"
    assert main(["report", *map(str, folders), str(missing)]) == commands.NOT_DONE
    said = capsys.readouterr()
    assert said.out.splitlines() == [str(folder / "report.html") for folder in folders]
    assert said.err == f"callpath: {missing} is not a folder; a run folder holds a run.json\n"
    assert 'href="intranet/report.html"' in (tmp_path / "index.html").read_text()
    assert main(["judge", str(folders[0])]) == commands.PASS
    assert capsys.readouterr().out.endswith(f"report: {folders[0] / 'report.html'}\n")


def test_a_report_that_cannot_be_written_is_said_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = unpack(tmp_path)
    (folder / "report.html.new").mkdir()
    assert main(["report", str(folder)]) == commands.NOT_DONE
    assert "report.html.new: Is a directory" in capsys.readouterr().err


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


def test_a_scenario_file_that_exits_ends_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("import sys; sys.exit(3)\n")
    with pytest.raises(ScenarioError, match=f"{file} cannot be read: SystemExit: 3"):
        find(str(file))


def test_a_wrong_network_is_said_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "from topologies.spec import Link, Segment\n"
        "Link(name='lan', prefix='8.8.8.0/24', segment=Segment.CUSTOMER)\n"
    )
    with pytest.raises(ScenarioError) as raised:
        find(str(file))
    assert str(raised.value).startswith(f"{file}: link lan: 8.8.8.0/24 is not within 10.0.0.0/8")
    assert "\n" not in str(raised.value)


def test_a_scenario_file_must_define_a_scenario(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("x = 1\n")
    with pytest.raises(ScenarioError, match="it must say scenario = Scenario"):
        find(str(file))


def test_schema_prints_the_stored_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == commands.PASS
    printed = json.loads(capsys.readouterr().out)
    assert printed["$id"] == "urn:callpath:result:1"
    jsonschema.Draft202012Validator.check_schema(printed)


def test_evidence_is_written_where_it_is_asked_for(
    recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "story.pcapng"
    assert main(["evidence", str(recorded), "-o", str(file)]) == commands.PASS
    assert capsys.readouterr().out == f"{file}\n"
    assert file.read_bytes()[:4] == b"\x0a\x0d\x0d\x0a"
    assert not (recorded / "evidence.pcapng").exists()


def test_evidence_is_written_into_the_run_folder(tmp_path: Path) -> None:
    folder = unpack(tmp_path)
    assert main(["evidence", str(folder)]) == commands.PASS
    assert (folder / "evidence.pcapng").stat().st_size > 1_000_000


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["evidence", "/nowhere"], "/nowhere is not a folder; a run folder holds a run.json"),
        (["evidence", "{run}", "-o", "/proc/none/x"], "/proc/none/x cannot be written: No such"),
        (
            ["judge", "-q", "{run}", "--junit", "/proc/none/x"],
            "/proc/none/x cannot be written: No such",
        ),
        (
            ["judge", "-q", "{run}", "--markdown", "/proc/version"],
            "/proc/version cannot be written: ",
        ),
    ],
)
def test_a_file_that_cannot_be_written_is_said_so(
    arguments: list[str], said: str, recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([word.format(run=recorded) for word in arguments]) == commands.NOT_DONE
    assert said in capsys.readouterr().err


def test_a_folder_is_no_file_to_write(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["run", "intranet", "--junit", str(tmp_path)])
    assert ended.value.code == WRONG_USAGE
    assert "is a folder; name the file in it" in capsys.readouterr().err


def test_summaries_tell_of_what_was_judged_and_what_was_not(recorded: Path, tmp_path: Path) -> None:
    junit, markdown = tmp_path / "new" / "junit.xml", tmp_path / "summary.md"
    files = ["--junit", str(junit), "--markdown", str(markdown)]
    assert main(["judge", "-q", str(recorded), "/nowhere", *files]) == commands.NOT_DONE
    assert markdown.read_text().startswith("## Callpath: 1 PASS, 1 NOT DONE\n")
    (suite,) = ElementTree.parse(junit).getroot()  # noqa: S314 - our own
    assert [case.get("name") for case in suite.iter("testcase")] == ["intranet", "/nowhere"]
    assert [error.get("message") for error in suite.iter("error")] == [
        "/nowhere is not a folder; a run folder holds a run.json"
    ]


def test_markdown_is_added_to_the_summary_of_a_job_and_to_nothing_else(
    recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary, other = tmp_path / "summary", tmp_path / "other"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    for file in (summary, summary, other, other):
        assert main(["judge", "-q", str(recorded), "--markdown", str(file)]) == commands.PASS
    assert summary.read_text() == other.read_text() * 2


def test_a_run_that_could_not_be_done_is_in_the_summaries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*_: object) -> Result:
        raise runner.RunError("office did not start", tmp_path / "runs" / "x")

    monkeypatch.setattr(runner, "run", run)
    junit = tmp_path / "junit.xml"
    assert main(["run", "-q", "intranet", "--junit", str(junit)]) == commands.NOT_DONE
    (error,) = ElementTree.parse(junit).getroot().iter("error")  # noqa: S314 - our own
    assert error.attrib == {"type": "NOT DONE", "message": "office did not start"}
    assert f"run folder: {tmp_path}/runs/x" in (error.text or "")

"""Files that commands write: reports, evidence, and summaries of verdicts."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from results.schema import Result
from scenarios import commands, runner
from scenarios.cli import WRONG_USAGE, main
from tests.results.recorded import unpack


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
    assert "report.html cannot be written: Is a directory" in capsys.readouterr().err


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

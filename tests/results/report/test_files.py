"""Where reports are written, and what they leave alone."""

import json
from pathlib import Path

import pytest

from results.judge import examine
from results.report.files import write_index, write_report
from results.schema import EVIDENCE, RunFolder, Verdict
from tests.results.recorded import change_json, unpack


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return unpack(tmp_path / "runs")


def test_a_report_changes_neither_seal_nor_verdict(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    write_report(examine(folder), folder)
    assert RunFolder(folder).why_incomplete() is None
    assert examine(folder).result.verdict is Verdict.PASS
    after = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert after.pop("report.html")
    assert after == before


def test_a_report_is_not_sealed(folder: Path) -> None:
    write_report(examine(folder), folder)
    RunFolder(folder).seal()
    assert "report.html" not in json.loads((folder / "seal.json").read_text())["files"]


def test_a_report_leads_to_the_capture_of_all_where_there_is_one(folder: Path) -> None:
    link = f'<a href="{EVIDENCE}">'
    assert link not in write_report(examine(folder), folder).read_text()
    (folder / EVIDENCE).touch()
    assert link in write_report(examine(folder), folder).read_text()


def test_a_report_may_be_made_anew(folder: Path) -> None:
    first = write_report(examine(folder), folder).read_text()
    assert write_report(examine(folder), folder).read_text() == first
    assert sorted(path.name for path in folder.glob("report*")) == ["report.html"]


def test_the_index_is_true(folder: Path) -> None:
    other = unpack(folder.parent, "external_relayed")
    (other / "result.json").unlink()
    (folder.parent / "no run").mkdir()
    write_report(examine(folder), folder)
    index = write_index(folder.parent)
    assert index
    page = index.read_text()
    assert 'href="intranet/report.html"' in page
    assert "no verdict was written" in page
    assert 'href="external_relayed/report.html"' not in page
    assert "no run" not in page
    assert "2 runs, 1 PASS" in page


def test_a_run_that_is_gone_leaves_the_index(folder: Path) -> None:
    unpack(folder.parent, "external_relayed")
    write_index(folder.parent)
    for path in sorted((folder.parent / "external_relayed").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    index = write_index(folder.parent)
    assert index
    assert "external_relayed" not in index.read_text()


def test_an_unreadable_result_is_named(folder: Path) -> None:
    change_json(folder / "result.json", lambda result: result.update({"verdict": "<b>MAYBE"}))
    index = write_index(folder.parent)
    assert index
    assert "result.json cannot be read" in index.read_text()
    assert "<b>" not in index.read_text()


def test_an_index_of_somebody_else_is_left_alone(folder: Path) -> None:
    theirs = folder.parent / "index.html"
    theirs.write_text("<h1>mine</h1>")
    assert write_index(folder.parent) is None
    assert theirs.read_text() == "<h1>mine</h1>"

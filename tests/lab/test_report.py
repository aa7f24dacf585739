"""Reports of runs that take place now: one that fails, one that is interrupted, and the index."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from results.judge import judge
from tests.lab.support import callpath, results_of, wait_until
from tests.results.report.browser import View, launched


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all."""
    with launched() as browser:
        yield browser


def _is_good(browser: Browser, folder: Path) -> None:
    """The page has no faults on either screen, and draws what the captures show."""
    for width in (375, 1280):
        with View(browser, folder / "report.html", width) as view:
            assert view.faults() == []
            assert view.differences(judge(folder)) == []


def test_a_run_that_fails_says_first_which_rule_decided(browser: Browser, runs: Path) -> None:
    arguments = (
        "external_direct",
        "--policy",
        "office=service_only",
        "--json",
        "--runs",
        str(runs),
    )
    (result,) = results_of(callpath("run", *arguments))
    assert result["verdict"] == "FAIL"
    folder = runs / result["run"]
    _is_good(browser, folder)
    with View(browser, runs / "index.html") as view:
        assert view.faults() == []
        view.page.get_by_role("link", name=result["run"]).click()
        heading = view.page.get_by_role("heading", level=1).inner_text()
    assert (
        "where Flow 2 was expected, since the direct way is refused by office: no_direct_media"
        in (heading)
    )


def test_an_interrupted_run_has_a_report(browser: Browser, runs: Path) -> None:
    process = callpath("run", "intranet", "--runs", str(runs))
    wait_until(lambda: any(runs.glob("*/captures/alice-eth0.pcapng")), "the first capture")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2, errors
    (report,) = runs.glob("*/report.html")
    _is_good(browser, report.parent)
    with View(browser, report) as view:
        heading = view.page.get_by_role("heading", level=1).inner_text()
    assert heading == "Nothing is proved: the run was not done: interrupted."


def test_reports_are_made_anew_by_an_ordinary_user(runs: Path) -> None:
    (result,) = results_of(callpath("run", "nomadic_direct", "--json", "--runs", str(runs)))
    report = runs / result["run"] / "report.html"
    first = report.read_text()
    report.unlink()
    process = callpath("report", str(report.parent))
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, errors, output.strip()) == (0, "", str(report))
    assert report.read_text() == first

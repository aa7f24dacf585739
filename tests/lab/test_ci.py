"""The example workflow and the page on pytest: every command runs, in a copy of the checkout.

``pip`` is ours, installing into an environment that has pytest only. Vagrant's box is
another copy: ``vagrant ssh`` runs its command there.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from tests.documented import Block, Scratch, blocks
from tests.plugin.environment import Environment, make
from tests.test_docs import ELSEWHERE

#: All commands of a job, or of a page, one after the other; seconds.
_PATIENCE = 600

_VAGRANT = """
case $1 in
    up | destroy) ;;
    ssh) exec sh -c "$(printf '%s' "$3" | sed "s|/vagrant|{folder}|g")" ;;
    *) exit 64 ;;
esac"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Pytest without our plugin, which the page tells to install."""
    return make(tmp_path_factory.mktemp("plugin"), with_plugin=False)


@pytest.fixture
def scratch(tmp_path: Path, environment: Environment) -> Scratch:
    """The checkout, and the programs that are not here or must do no harm."""
    made = Scratch(tmp_path / "checkout")
    made.script("bin/sudo", 'exec "$@"')
    pip = f"{sys.executable} -m pip --python {environment.python}"
    made.script("bin/pip", f'exec {pip} "$@"')
    made.script("bin/pytest", f'exec {environment.python} -m pytest -p no:cacheprovider "$@"')
    return made


def run(scratch: Scratch, text: str, summary: str = "/dev/null") -> str:
    """What a command prints; it must end well."""
    path = f"{scratch.folder / 'bin'}:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    # In the environments that the commands use, our packages are not to be found.
    done = scratch.run(text, _PATIENCE, PATH=path, PYTHONPATH="", GITHUB_STEP_SUMMARY=summary)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.timeout(_PATIENCE)
def test_the_page_on_pytest_is_true(scratch: Scratch) -> None:
    page = [command for command in ELSEWHERE if command.page == "pytest.md"]
    assert [command.text.split()[0] for command in page] == ["pip", "pytest", "pytest"]
    said = [run(scratch, command.text) for command in page]
    assert [re.findall(r"\d+ (?:passed|failed)", text) for text in said[1:]] == [["3 passed"]] * 2


_OWN_SCENARIO = """
def test_dan(callpath):
    run = callpath.run("dan_calls_home.py")
    assert run.call("dan", "nina").media_flows == {"4", "3"}
    assert {way.allocated_by for way in run.calls[0].media} == {("dan",)}
"""


@pytest.mark.timeout(_PATIENCE)
def test_a_scenario_file_of_ones_own_is_run(scratch: Scratch) -> None:
    (scratch.folder / "test_dan.py").write_text(_OWN_SCENARIO)
    run(scratch, "pip install ./plugin")
    assert "1 passed" in run(scratch, "pytest test_dan.py --callpath ./callpath")


def workflow() -> dict[str, Any]:
    """The workflow that the page shows."""
    (text,) = (block.text for block in blocks() if block.page == "ci.md" and _is_yaml(block))
    parsed: dict[str, Any] = yaml.safe_load(text)
    return parsed


def _is_yaml(block: Block) -> bool:
    return block.language == "yaml"


def steps(job: str) -> Iterator[str]:
    """The commands of a job."""
    return (step["run"] for step in workflow()["jobs"][job]["steps"] if "run" in step)


@pytest.mark.timeout(_PATIENCE)
def test_the_privileged_job_runs(scratch: Scratch) -> None:
    summary = scratch.folder / "summary"
    for command in steps("privileged"):
        run(scratch, command, str(summary))
    assert summary.read_text().startswith("## Callpath: 2 PASS\n")
    names = [case.get("name") for case in _cases(scratch.folder / "calls.xml")]
    assert names == ["intranet", "external_relayed"]
    kept = folders(scratch.folder / "runs")
    assert len(kept) == 2, "runs of tests that pass are to be removed"
    assert workflow()["jobs"]["privileged"]["container"]["options"] == "--privileged"


@pytest.mark.long
@pytest.mark.timeout(_PATIENCE)
def test_the_job_with_a_box_runs(scratch: Scratch) -> None:
    box = Scratch(scratch.folder.parent / "box")
    scratch.script("bin/vagrant", _VAGRANT.format(folder=box.folder))
    stored = folders(scratch.folder / "results" / "runs")
    summary = scratch.folder / "summary"
    for command in steps("box"):
        run(scratch, command, str(summary))
    assert summary.read_text().startswith("## Callpath: 1 PASS\n")
    (case,) = _cases(scratch.folder / "results" / "calls.xml")
    assert case.get("name") == "external_relayed"
    (made,) = folders(scratch.folder / "results" / "runs") - stored
    assert (made / "evidence.pcapng").exists()


def folders(runs: Path) -> set[Path]:
    """The folders of runs, without the page beside them."""
    return {path for path in runs.iterdir() if path.is_dir()}


def _cases(file: Path) -> Iterator[ElementTree.Element]:
    return ElementTree.parse(file).getroot().iter("testcase")  # noqa: S314 - our own

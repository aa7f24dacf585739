"""The documentation: its commands run, its links lead somewhere, its tables are true.

Commands that build networks are run by ``tests/lab/test_docs.py``.
"""

import re
import shlex
import shutil
from pathlib import Path

import pytest

from scenarios import cli, testing
from scenarios import commands as verbs
from scenarios.display import COLUMNS
from scenarios.scenario import all_scenarios
from tests.documented import PAGES, ROOT, Command, Scratch, commands, titles

#: Commands that are not run but only parsed, and why.
PARSED = {
    "./callpath run": "all scenarios take minutes; the lab tests run each of them",
    "./callpath test": "it is this suite",
    "./callpath test --long": "it is this suite",
    "./callpath test -k intranet": "it is this suite",
}

#: Programs that are not ours and not run, and why.
NOT_RUN = {
    "wireshark": "it needs a display",
    "vagrant": "it needs a hypervisor and half an hour",
    "scripts/vagrant_box.sh": "the same",
    "scripts/fresh_machine.sh": "it runs this suite",
}

#: Programs that tests/lab/test_ci.py runs, in an environment of their own.
_ELSEWHERE = ("pip", "pytest")

#: Commands whose exit code tells something about the machine.
_OF_THE_MACHINE = {"./callpath doctor": (0, 2)}

_LAB = re.compile(r"\./callpath (run|whatif|exec|assess|shell|bench) \S|\./scenarios/\w+\.py")
_LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def _is_parsed_only(command: Command) -> bool:
    return command.text in PARSED or command.text.split()[0] in NOT_RUN


ALL = commands()
BUILDING = [c for c in ALL if _LAB.match(c.text)]
ELSEWHERE = [c for c in ALL if c.text.split()[0] in _ELSEWHERE]
OTHERS = [c for c in ALL if c not in BUILDING + ELSEWHERE and not _is_parsed_only(c)]


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Scratch:
    return Scratch(tmp_path_factory.mktemp("docs"))


@pytest.mark.parametrize("command", OTHERS, ids=str)
def test_a_command_of_the_docs_works_and_says_what_they_show(
    command: Command, scratch: Scratch
) -> None:
    if "tshark" in command.text and shutil.which("tshark") is None:
        pytest.skip("tshark is not installed")
    done = scratch.run(command.text)
    codes = _OF_THE_MACHINE.get(command.text, (command.exits,))
    assert done.returncode in codes, done.stdout + done.stderr
    for piece in re.split(r"\n|…", command.shown):
        assert piece.strip() in done.stdout


@pytest.mark.parametrize("text", PARSED)
def test_a_command_that_is_not_run_is_one(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verbs, "run", lambda _: 77)
    monkeypatch.setattr(testing, "test", lambda _: 77)
    assert cli.main(shlex.split(text)[1:]) == 77


def test_what_is_not_run_is_in_the_docs() -> None:
    first_words = {command.text.split()[0] for command in ALL}
    assert set(PARSED) <= {command.text for command in ALL}
    assert set(NOT_RUN) <= first_words


def test_every_command_of_ours_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["no such command"])
    ours = re.findall(r"\w+", capsys.readouterr().err.partition("there are: ")[2].splitlines()[0])
    shown = " ".join(command.text for command in ALL)
    assert len(ours) >= 12
    assert [verb for verb in ours if f"callpath {verb}" not in shown] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    targets = _LINK.findall(page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_index_has_every_page() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = {page.name for page in PAGES} - {"README.md"}
    assert [name for name in sorted(pages) if f"]({name})" not in index] == []


def test_the_table_of_scenarios_is_true() -> None:
    text = (ROOT / "docs" / "getting-started.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| .* \| ([^|]+) \|$", text, re.MULTILINE))
    expected = {s.name: ", ".join(sorted(s.expect_media)) or "none" for s in all_scenarios()}
    assert rows == expected


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_tables_of_results_have_todays_columns(page: Path) -> None:
    for block in page.read_text(encoding="utf-8").split("```"):
        columns = titles(block)
        if "verdict" in columns:
            assert columns == list(COLUMNS)

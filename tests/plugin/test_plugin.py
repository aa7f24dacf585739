"""The pytest plugin with a command that answers from a stored run."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from results.judge import judge
from tests.plugin import fake
from tests.plugin.environment import Environment, installed
from tests.results.recorded import unpack

PASSES = """
    def test_it(callpath):
        assert callpath.run("relayed").verdict == "PASS"
"""


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the stored relayed run gives."""
    stored = judge(unpack(tmp_path_factory.mktemp("stored"), "external_relayed"))
    parsed: dict[str, Any] = json.loads(stored.to_json())
    return parsed


class Project:
    """A user's project, and sessions of pytest in it."""

    def __init__(self, folder: Path, environment: Environment, result: dict[str, Any]) -> None:
        self.folder = folder
        self.command = fake.write(folder / "bin", result)
        self._environment = environment

    def write(self, name: str, text: str) -> None:
        """Write a file of the project."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        lines = text.strip("\n").splitlines()
        indent = len(lines[0]) - len(lines[0].lstrip())
        path.write_text("\n".join(line[indent:] for line in lines) + "\n")

    def pytest(self, *arguments: str, code: int = 0, **variables: str) -> str:
        """What a session prints; it must exit with the code."""
        variables = variables or {"CALLPATH": str(self.command)}
        done = self._environment.pytest(self.folder, *arguments, **variables)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def kept(self) -> list[str]:
        """The run folders that are there, by scenario."""
        runs = self.folder.rglob("20261120-*")
        return sorted(path.name.split("-")[2] for path in runs if path.is_dir())


@pytest.fixture
def project(tmp_path: Path, environment: Environment, result: dict[str, Any]) -> Project:
    return Project(tmp_path, environment, result)


def test_the_environment_has_nothing_of_ours_but_the_plugin(environment: Environment) -> None:
    there = installed(environment)
    assert {"pytest", "xdist", "pytest_callpath"} <= there
    assert not there & {"topologies", "controllers", "agents", "scenarios", "results", "numpy"}


def test_a_run_has_calls_flows_and_evidence(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        def test_it(callpath):
            run = callpath.run("relayed")
            assert run.verdict == "PASS"
            assert run.signalling_flows == {"2", "3", "4"}
            assert run.media_flows == {"3", "4"}
            assert run.unsupported is None
            (call,) = run.calls
            assert call is run.call("eve", "alice")
            assert call.participants == ("alice", "eve")
            assert call.media_flows == {"4", "3"}
            assert [step.name for step in call.steps][:3] == ["resolve", "allocate", "invite"]
            assert call.steps[1].flows == {"4"}
            assert {(way.sender, way.relayed_by) for way in call.media} == {
                ("alice", "relay"), ("eve", "relay"),
            }
            refused = [pair for pair in call.pairs if pair.by == "office"]
            assert {pair.rule for pair in refused} == {"no_direct_media"}
            assert refused[0].local.startswith("host 10.10.0.11:")
            first = run.evidence[0]
            assert first.file == run.folder / "captures" / (first.tap + ".pcapng")
            assert first.number > 0 and "Flow" in first.what
            assert run.json["schema"] == 1
        """,
    )
    project.pytest()


def test_a_run_can_be_asked_for_calls_by_who_takes_part(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        def test_it(callpath):
            callpath.run("relayed").call("alice", "bob")
        """,
    )
    said = project.pytest(code=1)
    assert "LookupError: 0 calls of alice and bob in external_relayed; calls: alice and eve" in said


def test_files_are_those_beside_the_test(project: Project) -> None:
    project.write("mine/scene.py", "scenario = None")
    project.write("mine/strict.yaml", "rules: []")
    project.write("other.py", "scenario = None")
    project.write(
        "mine/test_it.py",
        """
        from pathlib import Path

        def test_it(callpath, monkeypatch, tmp_path):
            monkeypatch.chdir(tmp_path)
            policy = {"office": "strict.yaml", "vpn": "vpn_open"}
            callpath.run("scene.py", policy=policy)
            callpath.run(Path("other.py"))
        """,
    )
    project.pytest()
    (first, second) = fake.asked(project.command)
    assert first[:3] == ["run", str(project.folder / "mine" / "scene.py"), "--json"]
    assert first[5:] == [
        "--policy", f"office={project.folder}/mine/strict.yaml", "--policy", "vpn=vpn_open",
    ]  # fmt: skip
    assert second[1] == str(project.folder / "other.py")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ('callpath.run("broken")', "CallpathError: .*callpath run: callpath: the relay did not"),
        ('callpath.run("silent")', "CallpathError: .*it said nothing and exited with 2"),
        ('callpath.run("wrong")', "CallpathError: .*unrecognized arguments"),
        ('callpath.run("foreign")', "CallpathError: .*speaks version 2 of results, this plugin 1"),
        ('callpath.run("undecided")', "Inconclusive: external_relayed is INCONCLUSIVE: a hole"),
        ('callpath.judge("undecided")', "Inconclusive: external_relayed is INCONCLUSIVE: a hole"),
        ('callpath.run("nowhere.py")', "CallpathError: there is no file .*/nowhere.py"),
    ],
)
def test_what_cannot_be_asserted_about_is_an_error(project: Project, code: str, said: str) -> None:
    project.write("test_it.py", f"def test_it(callpath):\n    {code}")
    printed = project.pytest(code=1)
    assert re.search(said, printed), printed
    assert "command.py" not in printed


def test_an_inconclusive_run_can_be_allowed(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        def test_it(callpath):
            for ask in (callpath.run, callpath.judge):
                assert ask("undecided", allow_inconclusive=True).verdict == "INCONCLUSIVE"
        """,
    )
    project.pytest()


def test_a_failed_test_keeps_its_runs_and_shows_where_they_are(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        import pytest
        from pytest_callpath import CallpathError

        def test_good(callpath):
            callpath.run("relayed")

        def test_bad(callpath):
            with pytest.raises(CallpathError):
                callpath.run("broken")
            assert callpath.run("fails").verdict == "PASS"
        """,
    )
    said = project.pytest(code=1)
    assert project.kept() == ["broken", "fails"]
    assert "assert 'FAIL' == 'PASS'" in said
    section = said.partition("- callpath -")[2]
    assert "external_relayed: FAIL: unexpected Flow 3\n" in section
    assert re.search(r"run folder: \S+-fails-0003\n", section)
    assert re.search(r"\S+-fails-0003/evidence.pcapng\n", section)
    assert re.search(r"\.pcapng frame \d+: media, Flow 3: eve opens the way to relay\n", section)
    assert "a run that could not be done\n" in section
    assert "-relayed-" not in section


def test_runs_of_tests_that_pass_are_kept_when_asked(project: Project) -> None:
    project.write("test_it.py", PASSES)
    project.pytest()
    assert project.kept() == []
    project.pytest("--callpath-keep", "--callpath-runs", "kept")
    assert project.kept() == ["relayed"]
    assert len(list((project.folder / "kept").iterdir())) == 1


SHARED = """
    import pytest

    @pytest.fixture(scope="module")
    def run(callpath_session):
        return callpath_session.run("relayed")

    def test_media(run):
        assert run.media_flows == {"3", "4"}

    def test_signalling(run):
        assert "4" in run.signalling_flows

    def test_what_others_do(wrong):
        assert not wrong
"""


@pytest.mark.parametrize(("wrong", "code", "kept"), [("0", 0, []), ("1", 1, ["relayed"])])
def test_a_run_can_be_shared_by_tests(
    wrong: str, code: int, kept: list[str], project: Project
) -> None:
    fixture = f"    @pytest.fixture\n    def wrong():\n        return {wrong}\n"
    project.write("test_it.py", SHARED + fixture)
    project.pytest(code=code)
    assert len(fake.asked(project.command)) == 1
    assert project.kept() == kept


def test_a_shared_run_that_fails_is_shown(project: Project) -> None:
    project.write("test_it.py", SHARED.replace('"relayed"', '"broken"').replace("wrong", "run"))
    said = project.pytest(code=1)
    assert "the relay did not start" in said
    assert re.search(r"- callpath -+\na run that could not be done\n  run folder: ", said)
    assert project.kept() == ["broken"]


def test_workers_of_xdist_have_folders_of_their_own(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        import pytest

        @pytest.mark.parametrize("number", range(8))
        def test_it(callpath, number):
            assert callpath.run("relayed").verdict == "PASS"
            assert number != 5 or callpath.run("fails").verdict == "PASS"
        """,
    )
    said = project.pytest("-n", "3", "--callpath-runs", "runs", code=1)
    assert "1 failed, 7 passed" in said
    assert "external_relayed: FAIL: unexpected Flow 3\n" in said
    asked = [words[words.index("--runs") + 1] for words in fake.asked(project.command)]
    assert len(asked) == 9
    assert len(set(asked)) > 1
    assert {Path(folder).parent for folder in asked} == {project.folder / "runs"}
    assert project.kept() == ["fails", "relayed"]


@pytest.mark.parametrize("way", ["option", "words", "variable", "ini", "PATH"])
def test_the_command_is_found(way: str, project: Project) -> None:
    project.write("test_it.py", PASSES)
    arguments = {
        "option": ["--callpath", str(project.command)],
        "words": ["--callpath", f"env A=b {project.command}"],
        "ini": ["-o", "callpath=bin/callpath"],
    }
    variables: dict[str, Any] = {
        "variable": {"CALLPATH": str(project.command)},
        "PATH": {"PATH": f"{project.command.parent}:/usr/bin:/bin"},
    }
    project.pytest(*arguments.get(way, []), **variables.get(way, {"HOME": "/"}))
    assert len(fake.asked(project.command)) == 1


def test_a_command_that_is_not_there_is_said_so(project: Project) -> None:
    project.write("test_it.py", PASSES)
    said = project.pytest("--callpath", "/no/callpath", code=1)
    assert "there is no command /no/callpath: name it by --callpath, $CALLPATH or" in said
    assert "Traceback" not in said


def test_an_expected_failure_keeps_nothing(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        import pytest

        @pytest.mark.xfail(strict=True)
        def test_it(callpath):
            assert callpath.run("fails").verdict == "PASS"
        """,
    )
    project.pytest()
    assert project.kept() == []


def test_a_session_that_a_worker_starts_is_no_worker(project: Project) -> None:
    project.write("test_it.py", SHARED.replace('"relayed"', '"fails"').replace("wrong", "run"))
    beside = {"CALLPATH": str(project.command), "PYTEST_XDIST_WORKER": "gw7"}
    project.pytest("--callpath-runs", "runs", code=1, **beside)
    asked = [words[words.index("--runs") + 1] for words in fake.asked(project.command)]
    assert {Path(folder) for folder in asked} == {project.folder / "runs"}

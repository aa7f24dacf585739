"""The pytest plugin: options, fixtures, and what a failed test shows of its runs."""

import os
import shlex
import shutil
from collections.abc import Generator, Iterable, Iterator, Sequence
from pathlib import Path

import pytest

from pytest_callpath.command import Callpath
from pytest_callpath.run import Run

#: How many frames a failed test shows of each run.
_SHOWN_FRAMES = 12

#: What a person opens first, where a run folder has it.
_REPORTS = ("report.html", "evidence.pcapng")

_FAILED = pytest.StashKey[bool]()
_OF_TEST = pytest.StashKey[Callpath]()
_OF_SESSION = pytest.StashKey[Callpath]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where the command is, and what becomes of run folders."""
    group = parser.getgroup("callpath", "calls in emulated networks")
    group.addoption(
        "--callpath",
        metavar="COMMAND",
        help='the command, as in --callpath=/opt/callpath/callpath or --callpath="sudo callpath" '
        "(else $CALLPATH, the ini option callpath, or callpath on PATH)",
    )
    group.addoption(
        "--callpath-runs",
        metavar="FOLDER",
        help="where run folders are written (default: pytest's temporary folder)",
    )
    group.addoption(
        "--callpath-keep",
        action="store_true",
        help="keep the run folders of tests that pass, too",
    )
    parser.addini("callpath", "the command callpath; a path is relative to the root folder")


@pytest.fixture
def callpath(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callpath]:
    """Runs scenarios; their folders are removed after the test unless it fails."""
    beside = (request.path.parent, Path.cwd())
    made = _callpath(request.config, tmp_path_factory, beside)
    request.node.stash[_OF_TEST] = made
    yield made
    if not request.node.stash.get(_FAILED, False):
        _remove(request.config, made)


@pytest.fixture(scope="session")
def callpath_session(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callpath]:
    """The same for fixtures that several tests share; removed at the end unless one failed."""
    beside = (request.config.rootpath, Path.cwd())
    made = _callpath(request.config, tmp_path_factory, beside)
    request.config.stash[_OF_SESSION] = made
    yield made
    if not request.session.testsfailed:
        _remove(request.config, made)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the runs of a test that failed."""
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
        shown = "\n".join(line for run in _runs_of(item) for line in _shown(run))
        if shown and report.when != "teardown":
            report.sections.append(("callpath", shown))
    return report


def _runs_of(item: pytest.Item) -> Iterator[Run | Path]:
    own = item.stash.get(_OF_TEST, None)
    shared = item.config.stash.get(_OF_SESSION, None)
    yield from own.made if own else ()
    if shared and "callpath_session" in getattr(item, "fixturenames", ()):
        yield from shared.made


def _shown(run: Run | Path) -> Iterator[str]:
    """What a run came to, in words, and where to look."""
    folder = run if isinstance(run, Path) else run.folder
    if isinstance(run, Path):
        yield "a run that could not be done"
    else:
        yield f"{run.scenario}: {run.verdict}: {run.reason}"
    yield f"  run folder: {folder}"
    yield from (f"  {folder / name}" for name in _REPORTS if (folder / name).exists())
    if isinstance(run, Run):
        yield from (
            f"  {cited.file.name} frame {cited.number}: {cited.what}"
            for cited in run.evidence[:_SHOWN_FRAMES]
        )


def _callpath(
    config: pytest.Config, tmp_path_factory: pytest.TempPathFactory, beside: Iterable[Path]
) -> Callpath:
    return Callpath(_command(config), _runs(config, tmp_path_factory), tuple(beside))


def _command(config: pytest.Config) -> Sequence[str]:
    """The command in words, its program found; the test fails where there is none."""
    told = config.getoption("callpath") or os.environ.get("CALLPATH")
    ini: str = config.getini("callpath")
    words = shlex.split(told or ini or "callpath")
    if not told and "/" in words[0]:
        words[0] = str(config.rootpath / words[0])
    found = shutil.which(words[0])
    if found is None:
        pytest.fail(
            f"there is no command {words[0]}: name it by --callpath, $CALLPATH or the ini option "
            "callpath",
            pytrace=False,
        )
    # A test may go to another folder.
    return [str(Path(found).absolute()), *words[1:]]


def _runs(config: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for runs; under pytest-xdist each worker has its own."""
    told: str | None = config.getoption("callpath_runs")
    if told is None:
        return tmp_path_factory.mktemp("callpath")
    # Not by the environment: a session that a worker's test starts is no worker.
    worker: str = getattr(config, "workerinput", {}).get("workerid", "")
    return Path(told).resolve() / worker


def _remove(config: pytest.Config, made: Callpath) -> None:
    if config.getoption("callpath_keep"):
        return
    for run in made.made:
        shutil.rmtree(run if isinstance(run, Path) else run.folder, ignore_errors=True)
